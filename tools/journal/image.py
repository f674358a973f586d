# SPDX-License-Identifier: MIT
"""Reads the journal from a raw flash image as docs/journal.md describes it. Shares no code with the firmware.

Without the journal key it accepts everything plausible; with the key it checks every journal tag.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tools.device_key import device_key
from tools.journal import cells
from tools.journal.cells import BLANK, PAGE, SECTOR, Header, Mark, Record
from tools.journal.cells import MARKS as MARKS
from tools.journal.cells import SOME as SOME
from tools.journal.cells import holds as holds
from tools.world.flash import PARTITIONS

_NUMBERS = 63  # mark numbers run from 1 to 63, then start again
_AHEAD = 3  # how many places ahead in the ring a sector may continue
_FIRST_CELLS = (*range(48, 240, 32), *range(256, 512, 32))  # offsets of the first mark cells of a sector
_NO_MONEY = {"REFUSED", "DECLINED", "REVERSING", "REVERSED", "VOIDED", "REPORTED", "LOST", "NOTED"}
_DECIDES = _NO_MONEY | {"YES", "DEFERRED"}


@dataclass
class Journal:
    """Everything found, in the order written. `damaged`: (sector, page) of cells that are neither blank nor valid."""

    records: dict[int, Record] = field(default_factory=dict)
    copies: list[Record] = field(default_factory=list)  # all pages with a record; the last one of a sequence counts
    headers: list[Header] = field(default_factory=list)
    written: list[Mark] = field(default_factory=list)
    damaged: list[tuple[int, int]] = field(default_factory=list)
    headless: dict[int, int] = field(default_factory=dict)  # sector -> serial, for sectors with an unreadable header
    dispositions: dict[int, str] = field(
        default_factory=dict
    )  # sequence of a record -> the last mark that set its disposition
    watermark: int = 0
    closed: int = 0
    numbered: int = 0  # number of the last mark read, 1 to 63; 0 = none

    def add(self, mark: Mark) -> None:
        """Add the next mark in the order written. Of two marks with one number, the earlier was never seen: drop it."""
        if mark.number and mark.number == self.numbered:
            self.pass_over()
        self.numbered = mark.number
        self.written.append(mark)

    def pass_over(self) -> None:
        """Drop the last mark read."""
        self.written.pop()
        self.numbered = 0

    @property
    def marks(self) -> list[Mark]:
        """One mark per record: a mark for several records is split up."""
        return [replace(mark, about=about, several=cells.FIRST) for mark in self.written for about in mark.abouts]

    def decide(self) -> None:
        """Set watermark, closed and dispositions. Call once, after everything is read."""
        pairs = [(mark.kind, mark.about) for mark in self.written]
        watermarks = [about for kind, about in pairs if kind == "WATERMARK"]
        closed = [about for kind, about in pairs if kind == "CLOSED"]
        self.watermark = max([0, *watermarks, *(header.watermark for header in self.headers)])
        self.closed = max([0, *closed, *(header.closed for header in self.headers)])
        for mark in self.written:
            if mark.kind in _DECIDES:
                self.dispositions.update((about, mark.kind) for about in mark.abouts if about in self.records)

    def state(self, record: Record) -> str:
        """`settled`, `accepted` (pending), `prepared` (an undecided intent), or the name of its last own mark."""
        word = self.dispositions.get(record.sequence, "")
        if word in _NO_MONEY:
            return "refused" if word == "NOTED" else word.lower()  # NOTED: it was refused, and a cashier has taken note
        if word == "YES" or record.sequence <= self.watermark:
            return "settled"
        return "accepted" if word == "DEFERRED" or record.kind == "ACCEPTED" else "prepared"

    def total(self, batch: int, states: tuple[str, ...] = ("settled",)) -> int:
        """The sum of a batch's records in these states, minor units."""
        return sum(r.amount for r in self.records.values() if r.batch == batch and self.state(r) in states)


def journal_key(secret: bytes) -> bytes:
    """The journal key, derived from the device secret (docs/keys.md)."""
    return device_key(secret, b"journal")


def of(home: Path) -> Journal:
    """The journal of the terminal in `home`, from flash.bin; checks every tag with the secret in efuse.bin."""
    base, size = PARTITIONS["journal"]
    return read((home / "flash.bin").read_bytes()[base : base + size], journal_key((home / "efuse.bin").read_bytes()))


def read(image: bytes, key: bytes | None = None) -> Journal:
    """Read a journal partition. `key`: the journal key, or None to accept every plausible cell."""
    return _Reading(image, key).run()


class _Reading:
    """The state of one pass over an image."""

    def __init__(self, image: bytes, key: bytes | None) -> None:
        self.key = key
        self.journal = Journal()
        self.newest = 0  # highest sequence read so far
        self.sectors = [image[at : at + SECTOR] for at in range(0, len(image) - SECTOR + 1, SECTOR)]

    def run(self) -> Journal:
        journal = self.journal
        journal.headers = self._headers()
        taken = {header.sector for header in journal.headers}
        last = doubtful = 0
        for header in journal.headers:
            first = not last
            last = last or max(0, header.serial - _AHEAD - 1)
            self._without_header(last, header.serial, header.first - 1, taken)
            doubtful = len(journal.copies) if first else doubtful
            if journal.numbered == header.number % _NUMBERS + 1:  # the header does not count it: it was never seen
                journal.pass_over()
            self._sector(header.sector, header.serial)
            last = header.serial
        if journal.headers:
            self._without_header(last, 1 << 32, 0, taken)
        journal.decide()
        for record in journal.copies[:doubtful]:  # its sector may have been about to be erased
            if record.sequence <= journal.closed and journal.records.get(record.sequence) is record:
                del journal.records[record.sequence]
        return journal

    def _headers(self) -> list[Header]:
        """The valid headers, by serial. Without a key, those with a serial close to the others'."""
        every = (cells.header(self.key, data[:48], sector) for sector, data in enumerate(self.sectors))
        found = [header for header in every if header]
        found.sort(key=lambda header: header.serial)
        middle = found[len(found) // 2].serial if found else 0
        return [header for header in found if self.key or abs(header.serial - middle) < len(self.sectors)]

    def _without_header(self, last: int, until: int, newest: int, taken: set[int]) -> None:
        """Read the sectors after serial `last` that have an unreadable header but continue the journal.

        Looks up to three places ahead of each. `newest`: the highest sequence they may begin with; 0 = the next one.
        """
        serial = last + 1
        while serial < until and serial - last <= _AHEAD:
            sector = (serial - 1) % len(self.sectors)
            if sector not in taken and self._continues(sector, serial, newest):
                taken.add(sector)
                self.journal.headless[sector] = last = serial
                self.journal.damaged.append((sector, 0))
                self._sector(sector, serial)
            serial += 1

    def _continues(self, sector: int, serial: int, newest: int) -> bool:
        """Whether a sector begins with a valid mark, or with a record that may come next."""
        data = self.sectors[sector]
        marks = (cells.mark(self.key, data[at : at + 32], serial, (sector, 0)) for at in _FIRST_CELLS)
        if any(marks):
            return True
        record = cells.record(self.key, data, (sector, 1))
        return record is not None and self.newest < record.sequence <= (newest or self.newest + 1)

    def _sector(self, sector: int, serial: int) -> None:
        journal, data = self.journal, self.sectors[sector]
        for mark in self._marks(data[48:240], serial, (sector, 0)):
            journal.add(mark)
        for number in range(1, SECTOR // PAGE):
            page = data[number * PAGE : (number + 1) * PAGE]
            if page == BLANK * PAGE or page[0] == cells.REST:
                continue
            record = cells.record(self.key, data, (sector, number))
            if record:
                journal.records[record.sequence] = record
                journal.copies.append(record)
                self.newest = max(self.newest, record.sequence)
                continue
            known = len(journal.damaged)
            marks = list(self._marks(page, serial, (sector, number)))
            if not marks:
                journal.damaged[known:] = [(sector, number)]
            for mark in marks:
                journal.add(mark)

    def _marks(self, part: bytes, serial: int, place: tuple[int, int]) -> Iterator[Mark]:
        for at in range(0, len(part), 32):
            cell = part[at : at + 32]
            if cell == BLANK * 32:
                continue
            mark = cells.mark(self.key, cell, serial, place)
            if mark:
                yield mark
            else:
                self.journal.damaged.append(place)
