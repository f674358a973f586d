# SPDX-License-Identifier: MIT
"""Rebuilds what is known of each record above the watermark, every tag checked, in one pass over the sectors that hold them."""

from kassa.vault import layout
from kassa.vault.fates import MISSING, UNDECIDED, decided
from kassa.vault.journal import Journal
from kassa.vault.layout import PAGE
from kassa.vault.reader import Reader, fates_above, sector_of, walk


def recover(journal: Journal) -> None:
    """Fill `fates`, `reasons` and `unreadable`.

    UNDECIDED is an intent without a mark; MISSING what no valid record has the sequence of, unless the host's answer is known.
    """
    journal.fates.clear(journal.state.watermark)
    journal.reasons.clear()
    expected = journal.state.watermark + 1
    for cell in walk(journal, sector_of(journal, expected), True):
        if len(cell) == PAGE:
            expected = _record(journal, cell, expected)
        else:
            _mark(journal, cell)
    _missing(journal, expected, journal.state.sequence + 1)
    _mend(journal)
    journal.unreadable = journal.fates.first(MISSING)


def _record(journal: Journal, page: memoryview, expected: int) -> int:
    """A valid record; returns the sequence that comes next."""
    sequence, fates = layout.number(page, 4), journal.fates
    if not expected - 1 <= sequence <= journal.state.sequence:  # one less: of two the later counts
        return expected
    _missing(journal, expected, sequence)
    if sequence > journal.state.watermark and fates.get(sequence) in (0, UNDECIDED):
        fates.set(sequence, UNDECIDED if page[0] == layout.INTENT else 0)
    return sequence + 1


def _mark(journal: Journal, cell: memoryview) -> None:
    for kind, sequence in layout.spoken_of(cell):
        if journal.fates.get(sequence) != MISSING or decided(kind):
            journal.fates.set(sequence, kind)
        if kind == layout.REVERSING:
            journal.reasons[sequence] = bytes(cell[2:4])
        elif kind == layout.REVERSED:
            journal.reasons.pop(sequence, None)


def _missing(journal: Journal, first: int, end: int) -> None:
    for sequence in range(first, end):
        if not decided(journal.fates.get(sequence)):
            journal.fates.set(sequence, MISSING)


def _mend(journal: Journal) -> None:
    """What only one flipped bit hides is not missing."""
    if not journal.fates.first(MISSING):
        return
    page = bytearray(PAGE)
    for sequence, kind in journal.fates.items():
        if kind == MISSING and Reader(journal, sequence).read(page) == sequence:
            journal.fates.set(sequence, UNDECIDED if page[0] == layout.INTENT else 0)
            for about, mark in fates_above(journal, sequence - 1):
                if about == sequence:
                    journal.fates.set(sequence, mark)
