# SPDX-License-Identifier: MIT
"""Rebuilds the dispositions of all records above the watermark in one pass that checks every tag."""

from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import MISSING, UNDECIDED, decided
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import PAGE
from kassa.vault.journal.reader import Reader, dispositions_above, sector_of, walk


def recover(journal: Journal) -> None:
    """Fill `dispositions`, `reasons` and `unreadable` of the journal.

    UNDECIDED: an intent without a mark. MISSING: no valid record has this sequence and no final answer is known.
    """
    journal.dispositions.clear(journal.state.watermark)
    journal.reasons.clear()
    expected = journal.state.watermark + 1
    for cell in walk(journal, sector_of(journal, expected), True):
        if len(cell) == PAGE:
            expected = _record(journal, cell, expected)
        else:
            _mark(journal, cell)
    _missing(journal, expected, journal.state.sequence + 1)
    _find_repairable(journal)
    journal.unreadable = journal.dispositions.first(MISSING)


def _record(journal: Journal, page: memoryview, expected: int) -> int:
    """Process a valid record. Returns the next sequence expected."""
    sequence, dispositions = layout.number(page, 4), journal.dispositions
    if not expected - 1 <= sequence <= journal.state.sequence:  # one less: a second copy, which counts
        return expected
    _missing(journal, expected, sequence)
    if sequence > journal.state.watermark and dispositions.get(sequence) in (0, UNDECIDED):
        dispositions.set(sequence, UNDECIDED if page[0] == layout.INTENT else 0)
    return sequence + 1


def _mark(journal: Journal, cell: memoryview) -> None:
    for kind, sequence in layout.marked_records(cell):
        if journal.dispositions.get(sequence) != MISSING or decided(kind):
            journal.dispositions.set(sequence, kind)
        if kind == layout.REVERSING:
            journal.reasons[sequence] = bytes(cell[2:4])
        elif kind == layout.REVERSED:
            journal.reasons.pop(sequence, None)


def _missing(journal: Journal, first: int, end: int) -> None:
    for sequence in range(first, end):
        if not decided(journal.dispositions.get(sequence)):
            journal.dispositions.set(sequence, MISSING)


def _find_repairable(journal: Journal) -> None:
    """Find MISSING records that are readable once one flipped bit is repaired."""
    if not journal.dispositions.first(MISSING):
        return
    page = bytearray(PAGE)
    for sequence, kind in journal.dispositions.items():
        if kind == MISSING and Reader(journal, sequence).read(page) == sequence:
            journal.dispositions.set(sequence, UNDECIDED if page[0] == layout.INTENT else 0)
            for about, mark in dispositions_above(journal, sequence - 1):
                if about == sequence:
                    journal.dispositions.set(sequence, mark)
