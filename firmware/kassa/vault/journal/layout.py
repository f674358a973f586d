# SPDX-License-Identifier: MIT
"""The byte layout of the journal: sector header, record and mark. Tables: docs/journal.md."""

from struct import pack_into, unpack_from

from micropython import const

from kassa.money import unpack_bcd

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

SECTOR = const(4096)
PAGE = const(256)
PAGES = const(16)
HEADER_SIZE = const(48)
PREFIX_SIZE = const(16)
MARK_SIZE = const(32)
HEADER_CELLS = const(6)  # mark cells after the sector header
PAGE_CELLS = const(8)  # mark cells in a page of marks
TAG = const(8)
FORMAT = const(3)

NONCE = const(64)  # offsets in a record
DATA = const(80)
SEAL = const(240)
SEALED = const(248)
REST_FROM = const(16)  # offset in the page with the rest of a long record
REST_SIZE = const(240)

# The first byte of a page or cell is its kind. The kind of a page differs from all others in at least two bits.
ACCEPTED = const(0x51)
INTENT = const(0x52)
REST = const(0x54)

YES = const(0x61)
WATERMARK = const(0x62)
REFUSED = const(0x63)
DECLINED = const(0x64)
REVERSING = const(0x65)
REVERSED = const(0x66)
DEFERRED = const(0x67)
CLOSED = const(0x68)
SEEN = const(0x69)
HEARD = const(0x6A)
REPORTED = const(0x6B)
BATCH = const(0x6C)
VOIDED = const(0x6D)
CLOSING = const(0x6E)
REOPENED = const(0x6F)
EPOCH = const(0x70)
YES_SOME = const(0x74)  # these three are about up to 32 records
REFUSED_SOME = const(0x75)
REPORTED_SOME = const(0x76)
LOST = const(0x77)
NOTED = const(0x78)  # a cashier has noted a payment that was refused later
_FIRST_MARK = const(0x61)
_LAST_MARK = const(0x78)
_SOME = (YES, REFUSED, REPORTED)
MOST_SOME = const(32)
SOME = (YES_SOME, REFUSED_SOME, REPORTED_SOME)

NOT_ABOUT_ONE = (
    SEEN,
    HEARD,
    BATCH,
    CLOSED,
    WATERMARK,
    CLOSING,
    REOPENED,
    EPOCH,
)  # marks that are not about a single record
NOT_PAID = (
    REFUSED,
    DECLINED,
    REVERSED,
    REVERSING,
    VOIDED,
    REPORTED,
    LOST,
    NOTED,
)  # a record whose last mark is one of these does not count as paid

FLAG_CLOCK = const(1)  # in records
FLAG_SUPERVISOR = const(2)
FLAG_APPROVED = const(8)  # the card approved it offline and was proven genuine
FLAG_LONG = const(4)  # a page before this one holds the rest of the body

_NUMBERS = const(63)
BLANK = b"\xff" * 256


class State:
    """The running state, carried by every header and mark. Boot reads it back; see docs/journal.md."""

    def __init__(self) -> None:
        self.serial = 0
        self.sequence = 0  # of the newest record
        self.epoch = 1
        self.count = 0
        self.watermark = 0
        self.closed = 0
        self.sum = 0
        self.batch = 1
        self.oldest = 0
        self.heard = 0
        self.reversing = 0  # 1: a reversal is unanswered
        self.closing = 0  # 1: a batch close is unanswered
        self.number = 0  # of the newest mark: 1..63, then 1 again; 0 before the first
        self.refused = -1  # payments refused later and not noted, negative = not counted yet; not stored in flash

    def update_flags(self, kind: int) -> None:
        """Update `reversing` and `closing` for a mark of this kind."""
        if kind in (REVERSING, REVERSED):
            self.reversing = 1 if kind == REVERSING else 0
        elif kind in (CLOSING, CLOSED, REOPENED):
            self.closing = 1 if kind == CLOSING else 0

    def refusal(self, more: int) -> None:
        """Count a payment refused later (1) or noted (-1). While the count is unknown, only show that it changed."""
        self.refused += more if self.refused >= 0 else -1

    def flags(self) -> int:
        return self.reversing | self.closing << 1 | self.number << 2

    def take_flags(self, flags: int) -> None:
        self.reversing = flags & 1
        self.closing = flags >> 1 & 1
        self.number = flags >> 2


def pack_header(cell: bytearray, state: State) -> None:
    """Fill bytes 0..39 of a sector header."""
    pack_into(
        ">2sBBIIHHII",
        cell,
        0,
        b"KJ",
        FORMAT,
        state.flags(),
        state.serial,
        state.sequence + 1,
        state.epoch,
        state.count,
        state.watermark,
        state.closed,
    )
    _pack_sum(cell, 24, state.sum)
    batch = state.batch
    for index in (31, 30, 29):
        cell[index] = batch // 10 % 10 << 4 | batch % 10
        batch //= 100
    pack_into(">II", cell, 32, state.oldest, state.heard)


def unpack_header(cell: bytearray | memoryview, state: State) -> None:
    """Read a verified header into `state`."""
    fields = unpack_from(">BIIHHII", cell, 3)
    flags, state.serial, first, state.epoch, state.count, state.watermark, state.closed = fields
    state.take_flags(flags)
    state.sequence = first - 1
    state.sum = _unpack_sum(cell, 24)
    state.batch = unpack_bcd(cell, 29, 3)
    state.oldest, state.heard = unpack_from(">II", cell, 32)


def is_header(cell: bytearray | memoryview) -> bool:
    """Whether the first bytes look like a header. The tag is not checked."""
    return cell[0] == 0x4B and cell[1] == 0x4A and 1 <= cell[2] <= FORMAT


def pack_mark(cell: bytearray, kind: int, code: bytes, about: int, state: State, ready: int, several: int = 0) -> None:
    """Fill bytes 0..23 of the next mark. `code`: 2 B. `about`: a sequence, or a time for HEARD.

    `ready`: number of sectors ahead that were found blank. `several`: for kinds in SOME, 32 bits, the highest for the
    sequence `about`, the next for the sequence after it, and so on.
    """
    pack_into(
        ">BB2sIHHH",
        cell,
        0,
        kind,
        state.flags() & 3 | following(state.number) << 2,
        code,
        about,
        state.serial & 0xFFFF,
        state.sequence & 0xFFFF,
        state.count,
    )
    _pack_sum(cell, 14, state.sum)
    cell[19] = ready
    pack_into(">I", cell, 20, several if kind in SOME else state.oldest)


def apply_mark(cell: bytearray | memoryview, state: State) -> None:
    """Apply a verified mark to `state`."""
    kind, about = cell[0], unpack_from(">I", cell, 4)[0]
    state.take_flags(cell[1])
    state.count = unpack_from(">H", cell, 12)[0]
    state.sum = _unpack_sum(cell, 14)
    if kind not in SOME:
        state.oldest = unpack_from(">I", cell, 20)[0]
    elif not state.count:
        state.oldest = 0
    if kind == WATERMARK:
        state.watermark = about
    elif kind == CLOSED and about > state.closed:
        state.closed = about
        state.batch = state.batch % 999999 + 1
    elif kind == HEARD:
        state.heard = about
    elif kind == BATCH:
        state.batch = about
    elif kind == EPOCH:
        state.epoch = about


def following(number: int) -> int:
    """The number of the next mark."""
    return number % _NUMBERS + 1


def repeats_number(cell: bytearray | memoryview, before: int) -> bool:
    """Whether a mark repeats the number `before` of the previous mark; then the previous one is to be ignored."""
    return cell[1] >> 2 == before != 0


def is_mark(kind: int) -> bool:
    """Whether a cell's first byte is the kind of a mark. 71 to 73 are unused: one bit away from a record's kind."""
    return _FIRST_MARK <= kind <= EPOCH or YES_SOME <= kind <= _LAST_MARK


def marked_records(cell: bytearray | memoryview) -> "Iterator[tuple[int, int]]":
    """(kind, sequence) of each record that a verified mark is about, as if each had its own mark."""
    kind, about = cell[0], number(cell, 4)
    if kind in SOME:
        several = number(cell, 20)
        for index in range(MOST_SOME):
            if several >> (MOST_SOME - 1 - index) & 1:
                yield _SOME[kind - YES_SOME], about + index
    elif kind not in NOT_ABOUT_ONE:
        yield kind, about


def some(kind: int) -> int:
    """The kind of a mark for several records: YES, REFUSED or REPORTED -> YES_SOME, ..."""
    return YES_SOME + _SOME.index(kind)


def is_record(kind: int) -> bool:
    """Whether a page's first byte is the kind of a record."""
    return kind == ACCEPTED or kind == INTENT


def sealed_size(record: bytearray | memoryview) -> int:
    """Size of the sealed record that DE 62 carries, in bytes."""
    return SEALED + REST_SIZE if record[53] & FLAG_LONG else SEALED


def number(cell: bytearray | memoryview, at: int) -> int:
    """The 4-byte big-endian field at offset `at`."""
    return unpack_from(">I", cell, at)[0]


def _pack_sum(cell: bytearray, at: int, value: int) -> None:
    pack_into(">BHH", cell, at, value >> 32, value >> 16 & 0xFFFF, value & 0xFFFF)


def _unpack_sum(cell: bytearray | memoryview, at: int) -> int:
    value = 0
    for index in range(at, at + 5):
        value = value << 8 | cell[index]
    return value


class Record:
    """The clear header of a verified record. `amount`: minor units; other fields: docs/journal.md."""

    def __init__(self, page: bytearray | memoryview) -> None:
        self.kind = page[0]
        self.type = page[1]
        self.sequence = number(page, 4)
        self.uid = bytes(page[8:24])
        self.amount = unpack_bcd(page, 24, 6)
        self.stan = unpack_bcd(page, 32, 3)
        self.batch = unpack_bcd(page, 35, 3)
        self.entry = page[42]
        self.operator = (page[43] >> 4) * 10 + (page[43] & 15)
        self.time = number(page, 44)
        self.last4 = "%02x%02x" % (page[51], page[52])
        self.first6 = "%02x%02x%02x" % (page[48], page[49], page[50])
        self.flags = page[53]
        back = page[54] << 8 | page[55]
        self.original = self.sequence - back if back else 0  # sequence of the original payment
