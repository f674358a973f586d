# SPDX-License-Identifier: MIT
"""Fixtures of the desk room: a booted till on a fresh chip, and the host at the other end."""

from pathlib import Path

import pytest

from host_tests.inside.inside import Inside, inside
from host_tests.uplink.till import Till, TinyHost

__all__ = ["inside"]


@pytest.fixture
def till(inside: Inside, tmp_path: Path) -> Till:
    """Booted; the host was heard, any deferred payment is within the limits."""
    till = Till(inside, tmp_path / "chip.bin")
    till.boot()
    return till


@pytest.fixture
def host(till: Till) -> TinyHost:
    return TinyHost(till)
