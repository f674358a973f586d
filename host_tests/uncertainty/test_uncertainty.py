# SPDX-License-Identifier: MIT
"""Every transaction with every failure: the accounting rules hold, and docs/settlement.md gives the outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.long_runs import long_only
from host_tests.uncertainty import judge, page
from host_tests.uncertainty.cells import CELLS, COLUMNS, ROWS, Cell
from host_tests.uncertainty.judge import Outcome
from tools.host.books import double_entry
from tools.host.transactions import reversal

Play = Callable[[Cell], Outcome]


@pytest.fixture(scope="module")
def inside(micropython: str) -> Iterator[Inside]:
    """One interpreter is enough; the differences between interpreters are tested elsewhere."""
    with Inside(micropython) as worker:
        yield worker


@pytest.fixture(scope="module")
def play(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Plays a cell, or returns the outcome of its first run."""
    outcomes: dict[Cell, Outcome] = {}

    def once(cell: Cell) -> Outcome:
        if cell not in outcomes:
            outcomes[cell] = judge.play(inside, cell, tmp_path_factory.mktemp("cell"))
        return outcomes[cell]

    return once


@pytest.fixture(scope="module")
def written() -> str:
    return page.PATH.read_text(encoding="utf-8")


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell_ends_as_the_page_says(play: Play, written: str, cell: Cell) -> None:
    """judge.play checks the accounting rules."""
    outcome = play(cell)
    screen_and_end = page.word(outcome.first, page.words()), outcome.end
    assert page.expected(written)[cell.row.key, cell.column] == screen_and_end


@long_only
def test_the_page_agrees_with_a_run_of_every_cell(play: Play, written: str) -> None:
    outcomes = {cell: play(cell) for cell in CELLS}
    print(f"cells {len(ROWS) * len(COLUMNS)} ran {len(outcomes)}")
    assert len(outcomes) == len(ROWS) * len(COLUMNS) == len(page.expected(written))
    assert page.render(outcomes) in written, "python -m host_tests.uncertainty"


def _cell(name: str) -> Cell:
    return next(cell for cell in CELLS if str(cell) == name)


@pytest.mark.parametrize("name", ["22-cut", "23-power_sent", "74-late"])
def test_a_host_that_reverses_without_posting_is_detected(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(reversal.double_entry, "reverse", lambda *_: None)
    with pytest.raises(AssertionError, match="reversed"):
        judge.play(inside, _cell(name), tmp_path)


@pytest.mark.parametrize("name", ["25-cut", "34-late", "71-power_answer"])
def test_a_host_that_posts_twice_is_detected(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    once = double_entry.post

    def twice(db: Connection, legs: Iterable[dict[str, Any]]) -> None:
        """The same again under another reason; under the same one the database refuses it."""
        rows = list(legs)
        once(db, rows + [{**row, "reason": row["reason"] + " again"} for row in rows])

    monkeypatch.setattr(double_entry, "post", twice)
    with pytest.raises(AssertionError, match="settled once"):
        judge.play(inside, _cell(name), tmp_path)
