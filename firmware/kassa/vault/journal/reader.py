# SPDX-License-Identifier: MIT
"""Reads a mounted journal: the marks of a sector, records from a sequence upwards, and their dispositions."""

from micropython import const

from kassa.vault.journal import layout
from kassa.vault.journal.layout import BLANK, MARK_SIZE, PAGE, PAGES, PREFIX_SIZE, REST_FROM, State

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.vault.journal.store import Store

_BLANK_CELL = BLANK[:MARK_SIZE]


def newest_at(cell: bytearray | memoryview, near: int) -> int:
    """The newest sequence when a mark was written. The mark holds 16 bits; the rest comes from the sequence `near`."""
    return near + ((cell[10] << 8 | cell[11]) - near + 0x8000 & 0xFFFF) - 0x8000


def marks_in(journal: "Store", page: memoryview, first: int, serial: int) -> "Iterator[tuple[int, memoryview | None]]":
    """(index, cell) of each mark cell in use in `page` (256 B), from byte `first`; cell is None when damaged.

    `serial`: that of the sector. Repairs one flipped bit.
    """
    for index in range((PAGE - first) // MARK_SIZE):
        cell = page[first + index * MARK_SIZE : first + (index + 1) * MARK_SIZE]
        if cell == _BLANK_CELL:
            continue
        if not _is_mark(journal, cell, serial):
            from kassa.vault.journal.bit_repair import repair_mark  # rarely needed

            if not repair_mark(cell, lambda repaired: _is_mark(journal, repaired, serial)):
                yield index, None
                continue
            journal.damaged += 1
        yield index, cell


def _is_mark(journal: "Store", cell: memoryview, serial: int) -> bool:
    """Whether 32 bytes are a mark written in the sector with this serial."""
    ours = layout.is_mark(cell[0]) and cell[8] << 8 | cell[9] == serial & 0xFFFF
    return ours and journal.tags.mark_holds(cell)


def is_record(journal: "Store", sector: int, page: int, into: memoryview) -> bool:
    """Whether the page in `into` (256 B) is a valid record. `sector`, `page`: its place, to find a long one's rest."""
    if not layout.is_record(into[0]):
        return False
    if not into[53] & layout.FLAG_LONG:
        return journal.tags.record_holds(into)
    rest = find_rest(journal, sector, page, into)
    return rest is not None and journal.tags.record_holds(into, memoryview(rest)[REST_FROM:])


def find_rest(journal: "Store", sector: int, page: int, record: memoryview) -> bytearray | None:
    """The page (256 B) with the rest of a long record: the nearest one before it with the same bytes 1..15, or None."""
    rest = bytearray(PAGE)
    for before in range(page - 1, 0, -1):
        journal.ring.flash.readblocks(sector, rest, before * PAGE)
        if rest[0] == layout.REST and rest[1:REST_FROM] == record[1:REST_FROM]:
            return rest
    return None


def find_in(journal: "Store", sector: int, sequence: int) -> bytearray | None:
    """Find the record with this sequence in a sector and read it into the journal's buffer.

    Returns the second page of a long record, else None. Without such a record, byte 0 of the buffer is 0.
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
    """The first sequence after those of a sector, from the next valid header."""
    ring, state = journal.ring, State()
    for _ in range(ring.sectors):
        sector = ring.step(sector)
        if sector == ring.sector:
            break
        if journal.read_header(sector, state) and state.serial == journal.serial_of(sector):
            return state.sequence + 1
    return journal.state.sequence + 1


def holds_any(journal: "Store", sector: int) -> bool:
    """Whether a sector holds a mark, or a record of the open batch. If not, it was only begun and can be erased."""
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
    """Each valid mark (32 B) from a sector to the newest one, or up to `until`. `records`: each record (256 B) too.

    A mark is yielded late, when the next one is found, since that one may show that it is to be ignored. So records
    between two marks come before the first of them. The memoryview is reused for the next item.
    """
    page, held = memoryview(bytearray(PAGE)), memoryview(bytearray(MARK_SIZE))
    while sector >= 0:
        serial = journal.serial_of(sector)  # known even if the header is unreadable
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
                    if held[0] and not layout.repeats_number(cell, held[1] >> 2):
                        yield held
                    held[:] = cell
        if sector in (journal.ring.sector, until):
            break
        sector = journal.ring.step(sector)
    if held[0]:
        yield held


def _denies(journal: "Store", page: memoryview, mark: memoryview) -> bool:
    """Whether a sector's header counts one mark less, so that the last mark of the sector before is to be ignored."""
    cell = journal.tags.cell
    cell[:] = page[: layout.HEADER_SIZE]
    counted = cell[3] >> 2
    return layout.is_header(cell) and layout.following(counted) == mark[1] >> 2 and journal.tags.header_holds()


class Reader:
    """Reads valid records in ascending order. Of two pages with the same sequence, the later one counts.

    A missing record with one flipped bit is repaired.
    """

    def __init__(self, journal: "Store", sequence: int) -> None:
        """Start at the first record with this sequence or a higher one."""
        self.rest: bytearray | None = None  # the second page of the record read last, if it is a long one
        self.place = (-1, 0)  # sector and page of the record read last
        self._journal = journal
        self._next = sequence
        self._sector = sector_of(journal, sequence)
        self._page = 1
        self._peek = memoryview(bytearray(PREFIX_SIZE))
        self._damaged = (-1, 0)  # the last page read that is neither record, mark nor blank

    def read(self, into: bytearray) -> int:
        """Read the next record into `into` (256 B). Returns its sequence, 0 when there is none."""
        journal = self._journal
        found, place, gap = self._find(memoryview(into))
        if found != self._next <= journal.state.sequence and gap[0] >= 0:
            if self._repair(gap, into):
                if found:
                    self._sector, self._page = place  # return that record next time
                    self._damaged = (-1, 0)
                found, place = self._next, gap
            elif found and not self._holds(place, memoryview(into)):
                found = 0  # it reads differently now
        if found:
            self._next = found + 1
            self.place = place
            long = into[53] & layout.FLAG_LONG
            self.rest = find_rest(journal, place[0], place[1], memoryview(into)) if long else None
        return found

    def _find(self, into: memoryview) -> tuple[int, tuple[int, int], tuple[int, int]]:
        """Read the next valid record into `into`. Returns its sequence and place, and that of a damaged page before."""
        journal, peek = self._journal, self._peek
        found, at, other, lost, gap = 0, (0, 0), (0, 0), False, (-1, 0)
        while self._more():
            place = self._sector, self._page
            journal.ring.flash.readblocks(self._sector, peek, self._page * PAGE)
            sequence = layout.number(peek, 4) if layout.is_record(peek[0]) else 0
            if found and found < sequence <= journal.state.sequence:
                break  # a lower one is a copy by a boot that ignored the record found
            if self._next <= sequence <= journal.state.sequence and self._holds(place, into):
                if not found:
                    gap, self._damaged = self._damaged, (-1, 0)  # a damaged page from here on may be the next record
                other = at if found == sequence else place
                found, at, lost = sequence, place, False
            elif sequence and sequence < self._next or sequence > journal.state.sequence:
                wrong = sequence ^ (
                    found + 1 if found else self._next
                )  # left by an older lap in a bad sector, or ignored by a boot ...
                if not wrong & wrong - 1:
                    self._damaged = place  # ... or the record wanted, with one flipped bit in its sequence
            elif found and sequence:
                lost = True  # `into` now holds an invalid later copy, or the following record
                self._damaged = place
            elif sequence or peek != BLANK[:PREFIX_SIZE] and peek[0] != layout.REST and not layout.is_mark(peek[0]):
                self._damaged = place
            self._page += 1
        if lost and not self._holds(
            at, into
        ):  # half programmed, it reads differently each time; one of two copies is stable
            at = other
            if not self._holds(at, into):
                found = 0
        if not found:
            gap, self._damaged = self._damaged, (-1, 0)
        return found, at, gap

    def _more(self) -> bool:
        """Whether there is another page. Moves on to the next sector if needed."""
        ring = self._journal.ring
        if self._sector >= 0 and self._page >= PAGES and self._sector != ring.sector:
            self._sector, self._page = ring.step(self._sector), 1
        return self._sector >= 0 and self._page < (ring.page if self._sector == ring.sector else PAGES)

    def _holds(self, place: tuple[int, int], into: memoryview) -> bool:
        sector, page = place
        self._journal.ring.flash.readblocks(sector, into, page * PAGE)
        return is_record(self._journal, sector, page, into)

    def _repair(self, place: tuple[int, int], into: bytearray) -> bool:
        """Repair one flipped bit of a damaged page in `into`. Returns whether it is the missing record."""
        from kassa.vault.journal.bit_repair import repair_record  # rarely needed

        return repair_record(self._journal, place[0], place[1], into, self._next)


def sector_of(journal: "Store", sequence: int) -> int:
    """The sector to start looking for a sequence: the newest one whose first sequence is not above it.

    The oldest sector if no header qualifies (an unreadable one might). -1 in an empty journal.
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
    """(sequence, kind) from each mark about a record above `sequence`, in the order written."""
    for cell in walk(journal, sector_of(journal, sequence + 1)):
        for kind, about in layout.marked_records(cell):
            if about > sequence:
                yield about, kind
