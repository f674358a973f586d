# SPDX-License-Identifier: MIT
"""Reads a mounted journal: marks of a sector, records from a sequence on, and what became of each."""

from micropython import const

from kassa.vault.journal import layout
from kassa.vault.journal.layout import BLANK, MARK_SIZE, PAGE, PAGES, PREFIX_SIZE, REST_FROM, State

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.vault.journal.store import Store

_BLANK_CELL = BLANK[:MARK_SIZE]


def newest_at(cell: bytearray | memoryview, near: int) -> int:
    """The newest sequence when a mark was written: its low 16 bits, completed from a sequence near it."""
    return near + ((cell[10] << 8 | cell[11]) - near + 0x8000 & 0xFFFF) - 0x8000


def marks_in(journal: "Store", page: memoryview, first: int, serial: int) -> "Iterator[tuple[int, memoryview | None]]":
    """(index, cell) of each used mark cell of a page that was read (256 B), from byte `first`; None for a damaged one.

    One flipped bit is mended.
    """
    for index in range((PAGE - first) // MARK_SIZE):
        cell = page[first + index * MARK_SIZE : first + (index + 1) * MARK_SIZE]
        if cell == _BLANK_CELL:
            continue
        if not _is_mark(journal, cell, serial):
            from kassa.vault.journal.bit_repair import mend_mark  # seldom needed

            if not mend_mark(cell, lambda mended: _is_mark(journal, mended, serial)):
                yield index, None
                continue
            journal.damaged += 1
        yield index, cell


def _is_mark(journal: "Store", cell: memoryview, serial: int) -> bool:
    """Whether 32 bytes are a mark written in the sector with this serial."""
    ours = layout.is_mark(cell[0]) and cell[8] << 8 | cell[9] == serial & 0xFFFF
    return ours and journal.tags.mark_holds(cell)


def is_record(journal: "Store", sector: int, page: int, into: memoryview) -> bool:
    """Whether a page that was read (256 B) is a record; `sector`, `page`: where, to find the rest of a long one."""
    if not layout.is_record(into[0]):
        return False
    if not into[53] & layout.FLAG_LONG:
        return journal.tags.record_holds(into)
    rest = find_rest(journal, sector, page, into)
    return rest is not None and journal.tags.record_holds(into, memoryview(rest)[REST_FROM:])


def find_rest(journal: "Store", sector: int, page: int, record: memoryview) -> bytearray | None:
    """The page (256 B) with the rest of a long record: the nearest one before it that names it."""
    rest = bytearray(PAGE)
    for before in range(page - 1, 0, -1):
        journal.ring.flash.readblocks(sector, rest, before * PAGE)
        if rest[0] == layout.REST and rest[1:REST_FROM] == record[1:REST_FROM]:
            return rest
    return None


def find_in(journal: "Store", sector: int, sequence: int) -> bytearray | None:
    """Read the record with this sequence in a sector into the journal's buffer; returns the rest of a long one.

    Without such a record the buffer holds no record.
    """
    prefix = journal.view[:PREFIX_SIZE]
    for page in range(PAGES - 1, 0, -1):
        journal.ring.flash.readblocks(sector, prefix, page * PAGE)
        if not layout.is_record(prefix[0]) or layout.number(prefix, 4) != sequence:
            continue
        journal.ring.flash.readblocks(sector, journal.buffer, page * PAGE)
        if is_record(journal, sector, page, journal.view):
            return find_rest(journal, sector, page, journal.view) if journal.buffer[53] & layout.FLAG_LONG else None
    journal.buffer[0] = 0
    return None


def first_after(journal: "Store", sector: int) -> int:
    """A sequence above all that a sector holds: the first one of the next sector whose header holds."""
    ring, state = journal.ring, State()
    for _ in range(ring.sectors):
        sector = ring.step(sector)
        if sector == ring.sector:
            break
        if journal.read_header(sector, state) and state.serial == journal.serial_of(sector):
            return state.sequence + 1
    return journal.state.sequence + 1


def holds_any(journal: "Store", sector: int) -> bool:
    """Whether a sector that may not be erased by its place holds anything of the open batch; else it was only begun."""
    page = memoryview(bytearray(PAGE))
    serial = journal.serial_of(sector)
    for number in range(PAGES):
        journal.ring.flash.readblocks(sector, page, number * PAGE)
        if number and is_record(journal, sector, number, page):
            if layout.number(page, 4) > journal.state.closed:
                return True
            continue
        for _, cell in marks_in(journal, page, 0 if number else layout.HEADER_SIZE, serial):
            if cell is not None:
                return True
    return False


def walk(journal: "Store", sector: int, records: bool = False, until: int = -1) -> "Iterator[memoryview]":
    """From a sector to the newest one, or up to `until`: each mark (32 B) that is believed, and each of the `records` (256 B).

    A mark comes after the pages that stand before the next mark. Each one is valid until the next.
    """
    page, held = memoryview(bytearray(PAGE)), memoryview(bytearray(MARK_SIZE))
    while sector >= 0:
        serial = journal.serial_of(sector)  # known even where the header rotted
        for number in range(PAGES):
            journal.ring.flash.readblocks(sector, page, number * PAGE)
            if number and layout.is_record(page[0]):
                if records and is_record(journal, sector, number, page):
                    yield page
                continue
            if not number:
                if held[0] and _denies(journal, page, held):
                    held[0] = 0
                if sector == until:
                    break
            for _, cell in marks_in(journal, page, 0 if number else layout.HEADER_SIZE, serial):
                if cell is not None:
                    if held[0] and not layout.is_again(cell, held[1] >> 2):
                        yield held
                    held[:] = cell
        if sector in (journal.ring.sector, until):
            break
        sector = journal.ring.step(sector)
    if held[0]:
        yield held


def _denies(journal: "Store", page: memoryview, mark: memoryview) -> bool:
    """Whether a sector's header counts one mark less: the last one of the sector before was passed over unseen."""
    cell = journal.tags.cell
    cell[:] = page[: layout.HEADER_SIZE]
    counted = cell[3] >> 2
    return layout.is_header(cell) and layout.following(counted) == mark[1] >> 2 and journal.tags.header_holds()


class Reader:
    """Walks valid records upwards from a sequence; of two pages with one sequence the later counts.

    A missing record in which one bit flipped is mended on the way.
    """

    def __init__(self, journal: "Store", sequence: int) -> None:
        """Starts at the first record with this sequence or a higher one."""
        self.rest: bytearray | None = None  # the second page of the record read last, if it is a long one
        self.place = (-1, 0)  # sector and page of the record read last
        self._journal = journal
        self._next = sequence
        self._sector = sector_of(journal, sequence)
        self._page = 1
        self._peek = memoryview(bytearray(PREFIX_SIZE))
        self._damaged = (-1, 0)  # the last page behind it that is neither record nor mark nor blank

    def read(self, into: bytearray) -> int:
        """Put the next record (256 B) into `into` and return its sequence; 0 when there is none."""
        journal = self._journal
        found, place, gap = self._find(memoryview(into))
        if found != self._next <= journal.state.sequence and gap[0] >= 0:
            if self._mend(gap, into):
                if found:
                    self._sector, self._page = place  # it is the next one's turn
                    self._damaged = (-1, 0)
                found, place = self._next, gap
            elif found and not self._holds(place, memoryview(into)):
                found = 0  # it reads otherwise than a moment ago
        if found:
            self._next = found + 1
            self.place = place
            long = into[53] & layout.FLAG_LONG
            self.rest = find_rest(journal, place[0], place[1], memoryview(into)) if long else None
        return found

    def _find(self, into: memoryview) -> tuple[int, tuple[int, int], tuple[int, int]]:
        """(sequence, place) of the next valid record, which is read into `into`; place of a damaged page before it."""
        journal, peek = self._journal, self._peek
        found, at, other, lost, gap = 0, (0, 0), (0, 0), False, (-1, 0)
        while self._more():
            place = self._sector, self._page
            journal.ring.flash.readblocks(self._sector, peek, self._page * PAGE)
            sequence = layout.number(peek, 4) if layout.is_record(peek[0]) else 0
            if found and found < sequence <= journal.state.sequence:
                break  # a lower one is a boot's copy: it did not believe what was found
            if self._next <= sequence <= journal.state.sequence and self._holds(place, into):
                if not found:
                    gap, self._damaged = self._damaged, (-1, 0)  # what comes now may be the one after it
                other = at if found == sequence else place
                found, at, lost = sequence, place, False
            elif sequence and sequence < self._next or sequence > journal.state.sequence:
                wrong = sequence ^ (
                    found + 1 if found else self._next
                )  # what an older lap left in a bad sector, or a boot did not believe ...
                if not wrong & wrong - 1:
                    self._damaged = place  # ... or it is the one, but for a bit of its number
            elif found and sequence:
                lost = True  # a later copy that does not hold has taken its place in `into`; or it is the one after it
                self._damaged = place
            elif sequence or peek != BLANK[:PREFIX_SIZE] and peek[0] != layout.REST and not layout.is_mark(peek[0]):
                self._damaged = place
            self._page += 1
        if lost and not self._holds(
            at, into
        ):  # half written, it reads so now, now otherwise: of two copies one is firm
            at = other
            if not self._holds(at, into):
                found = 0
        if not found:
            gap, self._damaged = self._damaged, (-1, 0)
        return found, at, gap

    def _more(self) -> bool:
        """Whether there is another page; goes on to the next sector."""
        ring = self._journal.ring
        if self._sector >= 0 and self._page >= PAGES and self._sector != ring.sector:
            self._sector, self._page = ring.step(self._sector), 1
        return self._sector >= 0 and self._page < (ring.page if self._sector == ring.sector else PAGES)

    def _holds(self, place: tuple[int, int], into: memoryview) -> bool:
        sector, page = place
        self._journal.ring.flash.readblocks(sector, into, page * PAGE)
        return is_record(self._journal, sector, page, into)

    def _mend(self, place: tuple[int, int], into: bytearray) -> bool:
        """Whether the damaged page on the way is the missing record but for one bit, which is mended in `into`."""
        from kassa.vault.journal.bit_repair import mend_record  # seldom needed

        return mend_record(self._journal, place[0], place[1], into, self._next)


def sector_of(journal: "Store", sequence: int) -> int:
    """The sector to start looking for a sequence: the newest whose first sequence is not above it; -1 in an empty journal.

    Where no header says so, its own rotted: start at the oldest sector.
    """
    ring = journal.ring
    if ring.sector < 0:
        return -1
    header = State()
    prefix = bytearray(PREFIX_SIZE)
    sector = ring.sector
    for _ in range(ring.sectors):
        ring.flash.readblocks(sector, prefix, 0)
        serial = layout.number(prefix, 4)
        if layout.is_header(prefix) and serial == journal.serial_of(sector) and layout.number(prefix, 8) <= sequence:
            if journal.read_header(sector, header):
                return sector
        sector = ring.step(sector, ring.sectors - 1)
    return ring.step(ring.sector)


def dispositions_above(journal: "Store", sequence: int) -> "Iterator[tuple[int, int]]":
    """(sequence, kind) of each time a mark speaks of a record above `sequence`, in the order written."""
    for cell in walk(journal, sector_of(journal, sequence + 1)):
        for kind, about in layout.spoken_of(cell):
            if about > sequence:
                yield about, kind
