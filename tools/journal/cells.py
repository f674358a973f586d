# SPDX-License-Identifier: MIT
"""Parses the cells of a journal - header, record, mark - as docs/journal.md describes them."""

from dataclasses import dataclass, field

from tools.host.keys import mac

SECTOR, PAGE = 4096, 256
BLANK = b"\xff"

MARKS = {
    0x61: "YES", 0x62: "WATERMARK", 0x63: "REFUSED", 0x64: "DECLINED", 0x65: "REVERSING", 0x66: "REVERSED", 0x67: "DEFERRED",
    0x68: "CLOSED", 0x69: "SEEN", 0x6A: "HEARD", 0x6B: "REPORTED", 0x6C: "BATCH", 0x6D: "VOIDED", 0x6E: "CLOSING", 0x6F: "REOPENED",
    0x70: "EPOCH", 0x74: "YES", 0x75: "REFUSED", 0x76: "REPORTED", 0x77: "LOST", 0x78: "NOTED",
}  # fmt: skip
SOME = (0x74, 0x75, 0x76)  # kinds of marks for up to 32 records
RECORDS, REST = (0x51, 0x52), 0x54  # kinds of record pages
FIRST = 1 << 31  # the bit for the first record in a mark for several
_LONG = 4  # flag of a record whose body continues in another page


@dataclass(frozen=True)
class Header:
    """A sector header. `sector`: the sector it was found in."""

    sector: int
    format: int
    number: int
    serial: int
    first: int  # sequence of the next record
    epoch: int
    count: int  # of pending payments
    watermark: int
    closed: int
    sum: int
    batch: int


@dataclass(frozen=True)
class Record:
    """The clear header of a payment record. `place`: its sector and page."""

    kind: str
    type: str
    epoch: int
    sequence: int
    uid: bytes
    amount: int
    currency: int
    stan: int
    batch: int
    counter: int
    time: int
    first6: str
    last4: str
    approved: bool  # by the card itself, offline
    original: int  # sequence of the payment this one refers to; 0 = none
    previous: bytes
    seal_tag: bytes
    place: tuple[int, int] = field(compare=False)


@dataclass(frozen=True)
class Mark:
    """A mark. `several`: one bit for each of 32 records, the highest for `about`. `newest`: low half of a sequence."""

    kind: str
    code: str
    about: int
    several: int
    number: int
    newest: int
    count: int
    sum: int
    serial: int
    place: tuple[int, int] = field(compare=False)

    @property
    def abouts(self) -> list[int]:
        return [self.about + index for index in range(32) if self.several >> 31 - index & 1]


def header(key: bytes | None, cell: bytes, sector: int) -> Header | None:
    """Parse the header in 48 bytes. None if its tag is wrong or, without a key, if it is implausible."""
    if cell[:2] != b"KJ" or cell[2] not in (1, 2, 3) or not holds(key, cell[:40], cell[40:]):
        return None
    try:
        batch = _bcd(cell[29:32])
    except ValueError:
        return None
    found = Header(
        sector=sector,
        format=cell[2],
        number=cell[3] >> 2,
        serial=_number(cell[4:8]),
        first=_number(cell[8:12]),
        epoch=_number(cell[12:14]),
        count=_number(cell[14:16]),
        watermark=_number(cell[16:20]),
        closed=_number(cell[20:24]),
        sum=_number(cell[24:29]),
        batch=batch,
    )
    can_be = found.serial and max(found.watermark, found.closed) < found.first and cell[40:] != BLANK * 8
    return found if key or can_be else None


def record(key: bytes | None, data: bytes, place: tuple[int, int]) -> Record | None:
    """Parse the record at `place` (sector, page) in the sector `data`. None if its tag is wrong."""
    number = place[1]
    page = data[number * PAGE : (number + 1) * PAGE]
    if page[0] not in RECORDS or page[4:8] == bytes(4) or page[248:] == BLANK * 8:
        return None
    rest = _rest(data, number) if page[53] & _LONG else b""
    if page[53] & _LONG and not rest or not holds(key, page[:240] + rest + page[240:248], page[248:]):
        return None
    try:
        return _fields(page, place)
    except ValueError:  # not BCD
        return None


def _rest(sector: bytes, number: int) -> bytes:
    """The rest of a long record's body: from the nearest earlier page that belongs to the record."""
    page = sector[number * PAGE : (number + 1) * PAGE]
    for before in range(number - 1, 0, -1):
        rest = sector[before * PAGE : (before + 1) * PAGE]
        if rest[0] == REST and rest[1:16] == page[1:16]:
            return rest[16:]
    return b""


def mark(key: bytes | None, cell: bytes, serial: int, place: tuple[int, int]) -> Mark | None:
    """Parse the mark in 32 bytes. None if its tag is wrong or it belongs to another sector serial."""
    if cell[0] not in MARKS or _number(cell[8:10]) != serial & 0xFFFF or cell[24:] == BLANK * 8:
        return None
    if not holds(key, cell[:24], cell[24:]):
        return None
    return Mark(
        kind=MARKS[cell[0]],
        code=cell[2:4].decode("ascii", "replace").strip("\0"),
        about=_number(cell[4:8]),
        several=_number(cell[20:24]) if cell[0] in SOME else FIRST,
        number=cell[1] >> 2,
        newest=_number(cell[10:12]),
        count=_number(cell[12:14]),
        sum=_number(cell[14:19]),
        serial=serial,
        place=place,
    )


def _fields(page: bytes, place: tuple[int, int]) -> Record:
    """The record in a page. Raises ValueError if a number is not BCD."""
    return Record(
        kind="ACCEPTED" if page[0] == 0x51 else "INTENT",
        type=f"{page[1]:02x}",
        epoch=_number(page[2:4]),
        sequence=_number(page[4:8]),
        uid=page[8:24],
        amount=_bcd(page[24:30]),
        currency=_bcd(page[30:32]),
        stan=_bcd(page[32:35]),
        batch=_bcd(page[35:38]),
        counter=_number(page[38:42]),
        time=_number(page[44:48]),
        first6=page[48:51].hex(),
        last4=page[51:53].hex(),
        approved=bool(page[53] & 0x08),
        original=_number(page[4:8]) - _number(page[54:56]) if any(page[54:56]) else 0,
        previous=page[56:64],
        seal_tag=page[240:248],
        place=place,
    )


def _number(field: bytes) -> int:
    return int.from_bytes(field, "big")


def _bcd(field: bytes) -> int:
    return int(field.hex())


def holds(key: bytes | None, content: bytes, tag: bytes) -> bool:
    """Whether the journal tag is right. Without a key, every tag is accepted."""
    return key is None or mac.tag(key, content) == tag
