# SPDX-License-Identifier: MIT
"""The generated part of docs/settlement.md: written from outcomes, and read back as the expected outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from host_tests.uncertainty.cells import (
    BURIED,
    CELLS,
    CLOSED,
    COLUMNS,
    NOT_TAKEN,
    NOTHING,
    REVERSED,
    ROWS,
    SETTLED,
    Cell,
)
from host_tests.uncertainty.judge import Outcome
from tools.world.power import ROOT

PATH = ROOT / "docs" / "settlement.md"
BEGIN = "<!-- begin: written by python -m host_tests.uncertainty -->"
END = "<!-- end -->"
_TEXTS = ROOT / "firmware" / "kassa" / "screens" / "texts" / "en.py"
_BEFORE = "(the one before)"
_COMES_TO = "### What it comes to"
_SAYS = "### What the till says right after"
_MEANS = (
    (SETTLED, "settled", "APPROVED, posted once", "once"),
    (REVERSED, "reversed", "REVERSED: posted and taken back, or never posted", "nothing"),
    (BURIED, "reversed", "no payment: a tombstone, its uid is refused for ever", "nothing"),
    (NOT_TAKEN, "reported", "no payment: a void entry in the chain", "nothing"),
    (NOTHING, "no record", "nothing", "nothing"),
    (CLOSED, "closed, the batch", "the batch closed once, with the same totals", "what its records brought"),
)


def words() -> dict[str, str]:
    """The English screen texts by key."""
    lines = _TEXTS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[:1].isalpha())


def word(key: str, texts: Mapping[str, str]) -> str:
    """The screen text of a key. For "" (no record of the payment), a note that the payment before is shown."""
    return texts[key] if key else _BEFORE


def render(outcomes: Mapping[Cell, Outcome]) -> str:
    """The tables of all cells."""
    texts = words()
    parts = _ends(outcomes, texts), _firsts(outcomes, texts), _legend(outcomes, texts)
    return "\n\n".join([BEGIN, *("\n".join(part) for part in parts if part), END])


def splice(page: str, part: str) -> str:
    """The page with its generated part replaced."""
    return page[: page.index(BEGIN)] + part + page[page.index(END) + len(END) :]


def expected(page: str) -> dict[tuple[str, str], tuple[str, str]]:
    """(row, column) -> (screen text, end), as on the page."""
    ends, firsts = _table(page, _COMES_TO), _table(page, _SAYS)
    return {place: (firsts.get(place, ""), end) for place, end in ends.items()}


def _head(*more: str) -> list[str]:
    names = [*COLUMNS.values(), *more]
    return [f"| | {' | '.join(names)} |", "|" + "---|" * (len(names) + 1)]


def _ends(outcomes: Mapping[Cell, Outcome], texts: Mapping[str, str]) -> list[str]:
    lines = [_COMES_TO, *_head("settled, it is called")]
    for row in ROWS:
        found = [outcomes[Cell(row, column)] for column in COLUMNS]
        called = sorted({texts[one.last] for one in found if one.end in (SETTLED, CLOSED)})
        assert len(called) == 1, f"{row.name}: {called}"
        lines.append(f"| {row.key}: {row.name} | {' | '.join(one.end for one in found)} | {called[0]} |")
    return lines


def _firsts(outcomes: Mapping[Cell, Outcome], texts: Mapping[str, str]) -> list[str]:
    """Rows with the same texts share a line."""
    shared: dict[str, list[str]] = {}
    for row in ROWS:
        said = " | ".join(word(outcomes[Cell(row, column)].first, texts) for column in COLUMNS)
        shared.setdefault(said, []).append(row.key)
    return [_SAYS, *_head(), *(f"| {' + '.join(keys)} | {said} |" for said, keys in shared.items())]


def _legend(outcomes: Mapping[Cell, Outcome], texts: Mapping[str, str]) -> list[str]:
    names = "end", "a reprint says", "journal", "ledger", "owed to the merchant"
    lines = ["### What the ends mean", f"| {' | '.join(names)} |", "|" + "---|" * len(names)]
    for end, journal, ledger, owed in _MEANS:
        said = {word(outcomes[cell].last, texts) for cell in CELLS if outcomes[cell].end == end}
        says = "the last column" if end == SETTLED else " / ".join(sorted(said))
        lines.append(f"| {end} | {says} | {journal} | {ledger} | {owed} |")
    return lines


def _table(page: str, title: str) -> dict[tuple[str, str], str]:
    """(row, column) -> text of one generated table."""
    lines = page[page.index(title) :].splitlines()[3:]
    found: dict[tuple[str, str], str] = {}
    for line in lines:
        if not line.startswith("|"):
            break
        label, *rest = (part.strip() for part in line.strip("|").split("|"))
        for key in label.split(":")[0].split(" + "):
            found.update({(key, column): text for column, text in zip(COLUMNS, rest, strict=False)})
    return found


def write(outcomes: Mapping[Cell, Outcome], path: Path = PATH) -> None:
    """Put the tables of these outcomes into the page."""
    path.write_text(splice(path.read_text(encoding="utf-8"), render(outcomes)), encoding="utf-8")
