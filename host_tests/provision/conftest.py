# SPDX-License-Identifier: MIT
"""A chip on the bench, the host it is provisioned for, and the board it is expected to be."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.harness.provision.bench import Chip
from tools.provision.chip import Target
from tools.provision.merchant_host import MerchantHost
from tools.world import interpreter
from tools.world.flash import PARTITIONS


@pytest.fixture(scope="session")
def unix() -> Target:
    """The Unix board as a target."""
    code = "import sys; print(sys.implementation._machine)"
    done = subprocess.run([interpreter.micropython(), "-c", code], capture_output=True, text=True, check=True)
    return Target("unix", done.stdout.strip().rpartition(" with ")[2].lower(), dict(PARTITIONS))


@pytest.fixture
def new_chip(tmp_path: Path) -> Iterator[Callable[..., Chip]]:
    """`new_chip(name="terminal", **arguments of Chip)`: a chip that is plugged in."""
    chips: list[Chip] = []

    def make(name: str = "terminal", **options: bool) -> Chip:
        chips.append(Chip(tmp_path / name, **options))
        chips[-1].plug()
        return chips[-1]

    yield make
    for chip in chips:
        chip.pull()


@pytest.fixture
def chip(new_chip: Callable[..., Chip]) -> Chip:
    return new_chip()


@pytest.fixture
def merchant(tmp_path: Path) -> Iterator[MerchantHost]:
    host = MerchantHost(tmp_path / "host", test_keys=True)
    yield host
    host.close()
