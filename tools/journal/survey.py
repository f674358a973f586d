# SPDX-License-Identifier: MIT
"""Summarises a journal image and lists everything that is wrong with it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from tools.journal.cells import BLANK, MARKS, PAGE, RECORDS, REST, SECTOR, Header, Record, mark, record
from tools.journal.image import Journal, read

_PAGES = SECTOR // PAGE
_TAG = 8  # bytes; if the last ones of a cell are blank, programming was interrupted


@dataclass(frozen=True)
class Damage:
    """One finding. `sector` and `page`: its place, if it has one."""

    what: str
    sector: int | None = None
    page: int | None = None


@dataclass
class Standing:
    """The current state: the newest header and what was written after it."""

    format: int
    epoch: int
    batch: int
    newest: int  # sequence of the newest record
    count: int  # of pending payments
    sum: int


class Survey:
    """A journal image and its findings. `key`: the journal key, or None to accept everything plausible."""

    def __init__(self, data: bytes, key: bytes | None = None) -> None:
        self.key = key
        self.journal: Journal = read(data, key)
        self.size = len(data)
        self.sectors = [data[at : at + SECTOR] for at in range(0, len(data) - SECTOR + 1, SECTOR)]
        self.serials = {header.sector: header.serial for header in self.journal.headers} | self.journal.headless
        self.blank = data == BLANK * len(data)
        self.standing = self._current_state()
        self.links = {sequence: self._link(one) for sequence, one in self.journal.records.items()}
        self.damage = [*self._sectors(), *self._cells(), *self._payments()]

    # -- current state ----------------------------------------------------------------------------------------------

    def _in_place(self, sector: int) -> bool:
        return (self.serials[sector] - 1) % len(self.sectors) == sector

    def _newest(self) -> Header | None:
        return max(self.journal.headers, key=lambda one: (self._in_place(one.sector), one.serial), default=None)

    def _current_state(self) -> Standing:
        header, records = self._newest(), self.journal.records
        if header is None:
            return Standing(0, 0, 0, 0, 0, 0)
        epoch, batch, closed = header.epoch, header.batch, header.closed
        count, sum, counted = header.count, header.sum, header.first - 1
        for one in self.journal.written:
            if one.serial < header.serial:
                continue
            if one.kind == "EPOCH":
                epoch = one.about
            elif one.kind == "BATCH":
                batch = one.about
            elif one.kind == "CLOSED" and one.about > closed:
                closed, batch = one.about, batch % 999999 + 1
            count, sum, counted = one.count, one.sum, counted + (one.newest - counted + 0x8000 & 0xFFFF) - 0x8000
        after = [one for one in records.values() if one.sequence > counted and one.kind == "ACCEPTED"]
        newest = max([counted, *records])
        count, sum = count + len(after), sum + _sum(after)
        return Standing(header.format, epoch, batch, newest, count, sum)

    def pending(self) -> list[Record]:
        """The records without a final answer."""
        return [one for one in self.journal.records.values() if self.journal.state(one) == "accepted"]

    # -- damaged sectors and cells ------------------------------------------------------------------------------------

    def _sectors(self) -> Iterator[Damage]:
        """Headers that are missing, damaged, in the wrong place, or left from an earlier lap."""
        if self.size % SECTOR:
            yield Damage(f"{self.size % SECTOR} bytes after the last whole sector: the image was cut short")
        placed = [serial for sector, serial in self.serials.items() if self._in_place(sector)]
        oldest, newest = (min(placed), max(placed)) if placed else (0, 0)
        for sector, data in enumerate(self.sectors):
            serial = newest - (newest - 1 - sector) % len(self.sectors)  # the serial that belongs here
            found = self.serials.get(sector)
            if sector in self.journal.headless:
                yield Damage(f"header torn or rotted; read as serial {found}", sector)
            elif found is not None and not self._in_place(sector):
                place = (found - 1) % len(self.sectors)
                yield Damage(f"out of its place: serial {found} belongs in sector {place}", sector)
            elif found is not None and found != serial:
                yield Damage(f"left from an older lap: serial {found}, and {serial} belongs here", sector)
            elif found is None and data != BLANK * SECTOR:
                yield Damage(self._orphan(sector, data), sector)
            elif found is None and oldest < serial < newest:
                yield Damage(f"erased: serial {serial} belongs here", sector)

    def _orphan(self, sector: int, data: bytes) -> str:
        if data[48:] == BLANK * (SECTOR - 48):
            return "header torn, rest blank: power failed while the sector was being started"
        pages = [record(self.key, data, (sector, page)) for page in range(1, _PAGES)]
        held = [one.sequence for one in pages if one]
        if not held:
            return "no header and no record: an interrupted erase, or not part of this journal"
        until = f"{min(held)} to {max(held)}"
        if max(held) <= self.journal.closed:
            return f"no header; holds records {until} of closed batches: an interrupted erase"
        return f"no header, and not read: its records {until} do not continue the sequence"

    def _cells(self) -> Iterator[Damage]:
        for sector, page in dict.fromkeys(self.journal.damaged):
            data = self.sectors[sector][page * PAGE : (page + 1) * PAGE]
            if page and not self._has_mark(data, sector):
                yield Damage(_page(data), sector, page)
                continue
            for at in range(0 if page else 48, PAGE if page else 240, 32):
                cell = data[at : at + 32]
                if cell != BLANK * 32 and mark(self.key, cell, self.serials[sector], (sector, page)) is None:
                    yield Damage(_cell(cell, at, self.serials[sector]), sector, page)

    def _has_mark(self, page: bytes, sector: int) -> bool:
        cells = (page[at : at + 32] for at in range(0, PAGE, 32))
        return any(mark(self.key, cell, self.serials[sector], (sector, 0)) for cell in cells) or page[0] in MARKS

    # -- inconsistent payments ----------------------------------------------------------------------------------------

    def _payments(self) -> Iterator[Damage]:
        yield from self._missing()
        for sequence, link in sorted(self.links.items()):
            if link == "broken":
                yield Damage(
                    f"chain broken: record {sequence} does not follow record {sequence - 1}", *self._at(sequence)
                )
        yield from self._duplicates()
        pending, counted = self.pending(), self.standing
        if (len(pending), _sum(pending)) != (counted.count, counted.sum):
            yield Damage(
                f"pending: {counted.count}, {money(counted.sum)} by the journal's count; "
                f"{len(pending)}, {money(_sum(pending))} by its records"
            )

    def _missing(self) -> Iterator[Damage]:
        """Ranges of missing sequences, between two records or in the open batch."""
        known = sorted(self.journal.records)
        first = min([self.journal.closed + 1, *known[:1]])
        lost = sorted({one.about for one in self.journal.written if one.kind == "LOST"})
        for before, after in zip([first - 1, *known], [*known, self.standing.newest + 1], strict=True):
            if before + 1 < after:
                many = f"records {before + 1} to {after - 1} are" if before + 2 < after else f"record {before + 1} is"
                given_up = bisect_left(lost, after) - bisect_right(lost, before)
                yield Damage(f"{many} missing" + (f" ({given_up} given up)" if given_up else ""))

    def _duplicates(self) -> Iterator[Damage]:
        uids: dict[bytes, int] = {}
        for one in self.journal.copies:
            counted = self.journal.records.get(one.sequence)
            if counted is not None and counted != one:
                yield Damage(f"another record {one.sequence} than the one that counts", *one.place)
            elif uids.setdefault(one.uid, one.sequence) != one.sequence:
                yield Damage(
                    f"uid {one.uid.hex()} of record {uids[one.uid]} again in record {one.sequence}", *one.place
                )

    def _at(self, sequence: int) -> tuple[int, int]:
        return self.journal.records[sequence].place

    def _link(self, one: Record) -> str:
        """A record's link to its predecessor: `ok`, `broken`, `first` of its epoch, `?` if that is missing."""
        before = self.journal.records.get(one.sequence - 1)
        if one.sequence == 1 or before is not None and before.epoch != one.epoch:
            return "broken" if any(one.previous) else "first"
        if before is None:
            return "?" if any(one.previous) else "first"
        return "ok" if one.previous == before.seal_tag else "broken"


def money(amount: int, currency: int = 156) -> str:
    """Minor units as the terminal shows them: `¥1,234.56`."""
    sign = {156: "¥", 840: "$", 978: "€"}.get(currency, f"{currency:03} ")
    return f"{sign}{amount // 100:,}.{amount % 100:02}"


def _sum(records: list[Record]) -> int:
    return sum(one.amount for one in records)


def _page(page: bytes) -> str:
    """Describes a page that holds neither a record nor a mark."""
    if page == bytes(PAGE):
        return "all zero"
    written = len(page.rstrip(BLANK))
    sequence = int.from_bytes(page[4:8], "big")
    if page[0] not in RECORDS and page[0] != REST:
        return "neither record nor mark nor blank"
    if written <= PAGE - _TAG:
        return f"a torn record: {written} of {PAGE} bytes were written, sequence {sequence}"
    return f"a record that does not hold, sequence {sequence}"


def _cell(cell: bytes, at: int, serial: int) -> str:
    """Describes a cell that should be a mark."""
    name = MARKS.get(cell[0])
    if name is None:
        return f"no mark, and not blank, at byte {at}"
    written = len(cell.rstrip(BLANK))
    if written <= len(cell) - _TAG:
        return f"a torn mark {name} at byte {at}: {written} of 32 bytes were written"
    if cell[8:10] != (serial & 0xFFFF).to_bytes(2, "big"):
        return f"a mark {name} of another sector at byte {at}"
    return f"a mark {name} that does not hold at byte {at}"
