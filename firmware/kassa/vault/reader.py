# SPDX-License-Identifier: MIT
"""Reads a mounted journal: marks of a sector, records from a sequence on, and what became of each."""

from micropython import const

from kassa.vault import layout
from kassa.vault.journal import Journal
from kassa.vault.layout import BLANK, PAGE, PAGES, State

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator


def newest_at(cell: bytearray, near: int) -> int:
    """The newest sequence when a mark was written: its low 16 bits, completed from a sequence just before it."""
    return near + ((cell[10] << 8 | cell[11]) - near & 0xFFFF)


def marks_of_page(journal: Journal, sector: int, page: int, serial: int) -> "Iterator[tuple[int, bytearray | None]]":
    """(index, cell) of each used mark cell of a page; None for a damaged one."""
    first = layout.HEADER_SIZE if page == 0 else 0
    cell = bytearray(layout.MARK_SIZE)
    for index in range(layout.HEADER_CELLS if page == 0 else layout.PAGE_CELLS):
        journal.flash.readblocks(sector, cell, page * PAGE + first + index * layout.MARK_SIZE)
        if cell != BLANK[: layout.MARK_SIZE]:
            yield index, cell if journal.read_mark(memoryview(cell), serial) else None


def marks_of_sector(journal: Journal, sector: int) -> "Iterator[tuple[int, int, bytes]]":
    """(kind, about, code) of each valid mark of a sector, in the order written."""
    serial = journal.state.serial - (journal.sector - sector) % journal.sectors  # known even where the header rotted
    kind = bytearray(16)
    for page in range(PAGES):
        journal.flash.readblocks(sector, kind, page * PAGE)
        if page and not layout.is_mark(kind[0]):
            continue
        for _, cell in marks_of_page(journal, sector, page, serial):
            if cell is not None:
                yield cell[0], layout.number(cell, 4), bytes(cell[2:4])


class Reader:
    """Walks valid records upwards from a sequence; of two pages with one sequence the later counts."""

    def __init__(self, journal: Journal, sequence: int) -> None:
        """Starts at the first record with this sequence or a higher one."""
        self._journal = journal
        self._next = sequence
        self._sector = _sector_of(journal, sequence)
        self._page = 1

    def read(self, into: bytearray) -> int:
        """Put the next record (256 B) into `into` and return its sequence; 0 when there is none."""
        journal = self._journal
        found, at = 0, (0, 0)
        while self._sector >= 0:
            if self._page >= PAGES:
                if self._sector == journal.sector:
                    break
                self._sector, self._page = (self._sector + 1) % journal.sectors, 1
            if self._sector == journal.sector and self._page >= journal.page:
                break
            if journal.read_record(self._sector, self._page, into):
                sequence = layout.number(into, 4)
                if found and sequence != found:  # looked one record too far: step back to the one found
                    break
                if sequence >= self._next:
                    found, at = sequence, (self._sector, self._page)
            self._page += 1
        if found:
            sector, page = at
            journal.read_record(sector, page, into)
            self._next = found + 1
        return found


def _sector_of(journal: Journal, sequence: int) -> int:
    """The sector to start looking for a sequence: the newest whose first sequence is not above it; -1 in an empty journal.

    Where no header says so, its own rotted: start at the oldest sector.
    """
    if journal.sector < 0:
        return -1
    best, found = -1, -1
    header = State()
    prefix = bytearray(layout.PREFIX_SIZE)
    for sector in range(journal.sectors):
        journal.flash.readblocks(sector, prefix, 0)
        if not layout.is_header(prefix) or layout.number(prefix, 4) <= best or layout.number(prefix, 8) > sequence:
            continue
        if journal.read_header(sector, header) and header.serial <= journal.state.serial:
            best, found = header.serial, sector
    return found if found >= 0 else (journal.sector + 1) % journal.sectors


def marks_above(journal: Journal, sequence: int) -> "Iterator[tuple[int, int, bytes]]":
    """(kind, about, code) of each mark about a single record above `sequence`, in the order written."""
    sector = _sector_of(journal, sequence + 1)
    while sector >= 0:
        for kind, about, code in marks_of_sector(journal, sector):
            if about > sequence and kind not in layout.NOT_ABOUT_ONE:
                yield kind, about, code
        if sector == journal.sector:
            return
        sector = (sector + 1) % journal.sectors


def recover_marks(journal: Journal) -> None:
    """Rebuild what is known about records above the watermark, from the sectors that hold them."""
    journal.marks.clear()
    journal.reasons.clear()
    for kind, about, code in marks_above(journal, journal.state.watermark):
        journal.marks[about] = kind
        if kind == layout.REVERSING:
            journal.reasons[about] = code
