# SPDX-License-Identifier: MIT
"""Fixtures of the card tests: the kernel on CPython and on MicroPython, and the reader driver on a virtual chip."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
for folder in ("firmware", "host_tests/harness/shims", "host_tests/harness/in_micropython"):
    if str(ROOT / folder) not in sys.path:
        sys.path.insert(0, str(ROOT / folder))

from host_tests.harness.card.play import Play  # noqa: E402  after the paths are set
from host_tests.harness.card.rig import LINKS, Rig  # noqa: E402
from host_tests.harness.in_micropython.runner import Inside, InsideError, interpreter_of  # noqa: E402

PUBLISHED = ROOT.parent / "shared" / "fixtures" / "emv"


class Here:
    """Runs the test cases under CPython; called like `Inside`, which runs them in MicroPython."""

    def __call__(self, room: str, call: str, *args: object) -> object:
        from kassa.errors import KassaError

        cases = __import__(f"cases_{room}")
        try:
            return getattr(cases, call)(*args)
        except KassaError as error:
            raise InsideError(type(error).__name__, str(error), "") from error


@pytest.fixture(scope="session", params=["cpython", "micropython-64", "micropython-32"])
def cases(request: pytest.FixtureRequest) -> Iterator[Here | Inside]:
    """The test cases, on each interpreter."""
    if request.param == "cpython":
        yield Here()
        return
    with Inside(interpreter_of(request.param[-2:])) as worker:
        yield worker


@pytest.fixture
def play(cases: Here | Inside) -> Play:
    """Plays whole transactions between the kernel and a virtual card."""
    return Play(cases)


@pytest.fixture(params=LINKS)
def rig(request: pytest.FixtureRequest) -> Rig:
    """The shipped reader driver on the virtual chip, in virtual time. Each test runs on every link to the chip."""
    return Rig(request.param)


@pytest.fixture
def published() -> Path:
    """The folder of published EMV data. It is beside the checkout, not in it; without it the test is skipped."""
    if not PUBLISHED.exists():
        pytest.skip("no published EMV data beside this checkout")
    return PUBLISHED
