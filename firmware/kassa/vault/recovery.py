# SPDX-License-Identifier: MIT
"""Rebuilds what is known of each record above the watermark, every tag checked, in one pass over the sectors that hold them."""

from kassa.vault import layout
from kassa.vault.fates import MISSING, UNDECIDED
from kassa.vault.journal import Journal
from kassa.vault.layout import PAGE, PAGES
from kassa.vault.reader import Reader, is_record, marks_in, sector_of


def recover(journal: Journal) -> None:
    """Fill `journal.fates` and `reasons`: MISSING where no valid record has the sequence, UNDECIDED an intent without a mark."""
    journal.fates.clear(journal.state.watermark)
    journal.reasons.clear()
    expected = journal.state.watermark + 1
    ring = journal.ring
    sector = sector_of(journal, expected)
    while sector >= 0:
        expected = _sector(journal, sector, expected)
        if sector == ring.sector:
            break
        sector = ring.step(sector)
    _missing(journal, expected, journal.state.sequence + 1)
    _mend(journal)


def _sector(journal: Journal, sector: int, expected: int) -> int:
    """Marks and records of one sector, each page read once; returns the sequence that comes next."""
    page = memoryview(bytearray(PAGE))
    fates, serial = journal.fates, journal.serial_of(sector)
    for number in range(PAGES):
        journal.ring.flash.readblocks(sector, page, number * PAGE)
        if number and is_record(journal, sector, number, page):
            sequence = layout.number(page, 4)
            if expected - 1 <= sequence <= journal.state.sequence:  # one less: of two the later counts
                _missing(journal, expected, sequence)
                expected = sequence + 1
                if sequence > journal.state.watermark and fates.get(sequence) in (0, UNDECIDED):
                    fates.set(sequence, UNDECIDED if page[0] == layout.INTENT else 0)
            continue
        for _, cell in marks_in(journal, page, 0 if number else layout.HEADER_SIZE, serial):
            if cell is not None:
                _mark(journal, cell)
    return expected


def _mark(journal: Journal, cell: memoryview) -> None:
    for kind, sequence in layout.spoken_of(cell):
        journal.fates.set(sequence, kind)
        if kind == layout.REVERSING:
            journal.reasons[sequence] = bytes(cell[2:4])
        elif kind == layout.REVERSED:
            journal.reasons.pop(sequence, None)


def _missing(journal: Journal, first: int, end: int) -> None:
    for sequence in range(first, end):
        if not journal.fates.get(sequence):
            journal.fates.set(sequence, MISSING)


def _mend(journal: Journal) -> None:
    """What only one flipped bit hides is not missing."""
    page = bytearray(PAGE)
    for sequence, kind in journal.fates.items():
        if kind == MISSING and Reader(journal, sequence).read(page) == sequence:
            journal.fates.set(sequence, UNDECIDED if page[0] == layout.INTENT else 0)
