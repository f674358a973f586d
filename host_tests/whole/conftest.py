# SPDX-License-Identifier: MIT
"""Fixtures for the whole terminal: a stage with host and world, and a cashier who works it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.provision.device import Terminal
from tools.whole_system import Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Callable[..., Cashier]]:
    """`stage(overlay=World's, **Terminal's fields)`: a terminal in English, power off, with its host, and the cashier at it."""
    stages: list[Stage] = []

    def make(name: str = "stage", overlay: Path | None = None, **fields: object) -> Cashier:
        options = {"language": "en", "supervisor_code": "246813", **fields}
        made = Stage(tmp_path / name, overlay=overlay, terminal=Terminal(**options))  # type: ignore[arg-type]
        stages.append(made)
        return Cashier(made)

    yield make
    for made in stages:
        with made:
            pass


@pytest.fixture
def cashier(stage: Callable[..., Cashier]) -> Cashier:
    """A cashier at a terminal that has signed on and shows its home page."""
    ready = stage()
    ready.sign_on()
    return ready
