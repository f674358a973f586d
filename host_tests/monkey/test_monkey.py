# SPDX-License-Identifier: MIT
"""A short life under a monkey's hands. `make monkey` plays longer ones, in the heap of a chip."""

from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import interpreter_of
from host_tests.harness.long_runs import long_only
from host_tests.monkey.campaign import LARGE_KIB, MonkeyFound, chip_kib, play, strict_image


def test_a_short_life_breaks_nothing(micropython: str) -> None:
    pages = play(None, 1, 200, LARGE_KIB)
    assert len(pages) > 15, pages


@long_only
def test_a_life_in_the_heap_of_a_chip(tmp_path: Path) -> None:
    kib = chip_kib(interpreter_of("32"), tmp_path)
    image = strict_image(tmp_path / "strict")
    assert len(play(image, 3, 1500, kib)) > 40
    with pytest.raises(MonkeyFound, match="MemoryError"):  # the control
        play(image, 3, 1500, kib - 30)
