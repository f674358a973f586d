# SPDX-License-Identifier: MIT
"""Every pair of ink and paper is legible; host_tests/scenes checks that no screen shows text in another pair."""

import pytest

from tools.scenes.contrast import COLOURS, NO_TEXT, PAIRS, ratio


@pytest.mark.parametrize(("ink", "paper"), [(ink, paper) for paper, inks in PAIRS.items() for ink in inks.split()])
def test_text_is_legible(ink: str, paper: str) -> None:
    found = ratio(COLOURS[ink], COLOURS[paper])
    assert found >= 4.5, f"{ink} on {paper}: {found:.2f}"


def test_every_colour_is_in_a_pair() -> None:
    used = {name for paper, inks in PAIRS.items() for name in (paper, *inks.split())}
    assert set(COLOURS) == used | NO_TEXT
