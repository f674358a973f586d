# SPDX-License-Identifier: MIT
"""docs/hardware.md and its drawings say what the board files do."""

from __future__ import annotations

from tools.hardware import wiring
from tools.hardware.catalogue import boards


def test_the_tables_are_those_of_the_board_files() -> None:
    text = wiring.PAGE.read_text(encoding="utf-8")
    assert wiring.filled(text) == text
    assert all(text.count(wiring.table(board)) == 1 for board in boards())
    assert wiring.filled(text.replace("| Scanner RX | 1 |", "| Scanner RX | 48 |")) == text


def test_the_drawings_are_those_of_the_board_files() -> None:
    for board in boards():
        assert wiring.drawing_path(board).read_text(encoding="utf-8") == wiring.drawing(board), board.name
