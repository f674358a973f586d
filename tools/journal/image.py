# SPDX-License-Identifier: MIT
"""The journal in a raw flash image, straight from docs/journal.md; shares no code with the firmware.

Without the journal key it believes what it reads; with the device secret it checks every journal tag.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tools import mac
from tools.world.flash import PARTITIONS

SECTOR, PAGE = 4096, 256
BLANK = b"\xff"

MARKS = {
    0x61: "YES", 0x62: "WATERMARK", 0x63: "REFUSED", 0x64: "DECLINED", 0x65: "REVERSING", 0x66: "REVERSED", 0x67: "DEFERRED",
    0x68: "CLOSED", 0x69: "SEEN", 0x6A: "HEARD", 0x6B: "REPORTED", 0x6C: "BATCH", 0x6D: "VOIDED", 0x6E: "CLOSING", 0x6F: "REOPENED",
    0x70: "EPOCH", 0x74: "YES", 0x75: "REFUSED", 0x76: "REPORTED", 0x77: "LOST",
}  # fmt: skip
SOME = (0x74, 0x75, 0x76)  # a mark for up to 32 records
_RECORDS, _REST = (0x51, 0x52), 0x54
_LONG = 4  # flag of a record whose body goes on in another page
_NO_MONEY = {"REFUSED", "DECLINED", "REVERSING", "REVERSED", "VOIDED", "REPORTED", "LOST"}
_DECIDES = _NO_MONEY | {"YES", "DEFERRED"}


@dataclass(frozen=True)
class Record:
    """A payment record's clear header."""

    kind: str
    type: str
    epoch: int
    sequence: int
    uid: bytes
    amount: int
    stan: int
    batch: int
    counter: int
    time: int
    first6: str
    last4: str
    previous: bytes
    seal_tag: bytes


@dataclass(frozen=True)
class Mark:
    kind: str
    code: str
    about: int


@dataclass
class Journal:
    """Everything found, in the order written. `damaged`: (sector, page) of cells that are neither blank nor valid."""

    records: dict[int, Record] = field(default_factory=dict)
    marks: list[Mark] = field(default_factory=list)
    damaged: list[tuple[int, int]] = field(default_factory=list)
    numbered: int = 0  # of the mark read last, of 1 to 63; 0 = without
    _newest: int = 0  # how many of `marks` the mark read last is

    def add(self, cells: Iterable[tuple[int, list[Mark]]]) -> None:
        """Take in marks in the order written; of two with one number the first was passed over unseen."""
        for number, marks in cells:
            if number and number == self.numbered:
                self.pass_over()
            self.numbered, self._newest = number, len(marks)
            self.marks.extend(marks)

    def pass_over(self) -> None:
        """Disbelieve the mark read last."""
        del self.marks[len(self.marks) - self._newest :]
        self.numbered = self._newest = 0

    @property
    def watermark(self) -> int:
        return max((mark.about for mark in self.marks if mark.kind == "WATERMARK"), default=0)

    @property
    def closed(self) -> int:
        return max((mark.about for mark in self.marks if mark.kind == "CLOSED"), default=0)

    def state(self, record: Record) -> str:
        """`settled`, `accepted` (pending), `prepared` (an intent nobody decided) or the word of its last own mark."""
        word = ""
        for mark in self.marks:
            if mark.about == record.sequence and mark.kind in _DECIDES:
                word = mark.kind
        if word in _NO_MONEY:
            return word.lower()
        if word == "YES" or record.sequence <= self.watermark:
            return "settled"
        return "accepted" if word == "DEFERRED" or record.kind == "ACCEPTED" else "prepared"

    def total(self, batch: int, states: tuple[str, ...] = ("settled",)) -> int:
        """The sum of a batch's records in these states, minor units."""
        return sum(r.amount for r in self.records.values() if r.batch == batch and self.state(r) in states)


def journal_key(secret: bytes) -> bytes:
    """The journal key of a device secret (docs/keys.md)."""
    return mac.device_key(secret, b"journal")


def of(home: Path) -> Journal:
    """The journal of the terminal in `home`: read from flash.bin, every tag checked with the secret in efuse.bin."""
    base, size = PARTITIONS["journal"]
    return read((home / "flash.bin").read_bytes()[base : base + size], journal_key((home / "efuse.bin").read_bytes()))


def read(image: bytes, key: bytes | None = None) -> Journal:
    """Read the bytes of a journal partition."""
    journal = Journal()
    sectors = [(index, image[index * SECTOR : (index + 1) * SECTOR]) for index in range(len(image) // SECTOR)]
    written = [
        (int.from_bytes(data[4:8], "big"), index, data)
        for index, data in sectors
        if data[:2] == b"KJ" and data[2] in (1, 2) and holds(key, data[:40], data[40:48])
    ]
    for serial, index, data in sorted(written):
        if journal.numbered == (data[3] >> 2) % 63 + 1:  # the header does not count it
            journal.pass_over()
        journal.add(_marks(key, data[48:240], serial, journal, (index, 0)))
        for page in range(1, SECTOR // PAGE):
            _page(key, data, page, serial, journal, (index, page))
    return journal


def _page(key: bytes | None, sector: bytes, number: int, serial: int, journal: Journal, place: tuple[int, int]) -> None:
    page = sector[number * PAGE : (number + 1) * PAGE]
    if page == BLANK * PAGE or page[0] == _REST:
        return
    if page[0] in _RECORDS and holds(key, page[:240] + _rest(sector, number) + page[240:248], page[248:]):
        record = _record(page)
        journal.records[record.sequence] = record
    else:
        known = len(journal.damaged)
        marks = list(_marks(key, page, serial, journal, place))
        if not marks:
            journal.damaged[known:] = [place]
        journal.add(marks)


def _rest(sector: bytes, number: int) -> bytes:
    """The end of a long record's body, from the nearest page before it that names the record."""
    page = sector[number * PAGE : (number + 1) * PAGE]
    if page[53] & _LONG:
        for before in range(number - 1, 0, -1):
            rest = sector[before * PAGE : (before + 1) * PAGE]
            if rest[0] == _REST and rest[1:16] == page[1:16]:
                return rest[16:]
    return b""


def _marks(
    key: bytes | None, cells: bytes, serial: int, journal: Journal, place: tuple[int, int]
) -> Iterator[tuple[int, list[Mark]]]:
    """The number of each mark, and what it says."""
    for at in range(0, len(cells), 32):
        cell = cells[at : at + 32]
        if cell == BLANK * 32:
            continue
        ours = cell[0] in MARKS and int.from_bytes(cell[8:10], "big") == serial & 0xFFFF
        if ours and holds(key, cell[:24], cell[24:]):
            code = cell[2:4].decode("ascii", "replace").strip("\0")
            about, several = (int.from_bytes(cell[at : at + 4], "big") for at in (4, 20))
            indices = [index for index in range(32) if several >> 31 - index & 1] if cell[0] in SOME else [0]
            yield cell[1] >> 2, [Mark(MARKS[cell[0]], code, about + index) for index in indices]
        else:
            journal.damaged.append(place)


def _record(page: bytes) -> Record:
    number = int.from_bytes
    return Record(
        kind="ACCEPTED" if page[0] == 0x51 else "INTENT",
        type=f"{page[1]:02x}",
        epoch=number(page[2:4], "big"),
        sequence=number(page[4:8], "big"),
        uid=page[8:24],
        amount=int(page[24:30].hex()),
        stan=int(page[32:35].hex()),
        batch=int(page[35:38].hex()),
        counter=number(page[38:42], "big"),
        time=number(page[44:48], "big"),
        first6=page[48:51].hex(),
        last4=page[51:53].hex(),
        previous=page[56:64],
        seal_tag=page[240:248],
    )


def holds(key: bytes | None, said: bytes, tag: bytes) -> bool:
    """Whether the journal tag is right; without a key everything is believed."""
    return key is None or mac.tag(key, said) == tag
