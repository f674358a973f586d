# SPDX-License-Identifier: MIT
"""Every request the terminal sends, built from a sealed record or from the till's state. Elements: docs/wire.md."""

from struct import pack_into

from micropython import const

from kassa.money import pack_bcd
from kassa.uplink.iso8583 import Writer
from kassa.vault.layout import SEALED, State

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

SALE = const(0x22)
VOID = const(0x23)
DEFERRED_SALE = const(0x70)
CASH = const(0x71)
VOID_ENTRY = const(0x72)
OFFLINE_SALE = const(0x73)

_CURRENCY = b"156"
_OPERATOR = b"01 "
_RECORD_VERSION = b"\x01"


class Identity:
    """Who we are to the host: DE 41 (8 bytes) and DE 42 (15 bytes)."""

    def __init__(self, terminal: bytes, merchant: bytes) -> None:
        self.terminal = terminal
        self.merchant = merchant


def payment(
    writer: Writer,
    who: Identity,
    kind: int,
    record: memoryview,
    ksn: bytearray,
    key: bytearray,
    original: "Bytes" = b"",
) -> memoryview:
    """0200 or 0220 carrying a sealed record. `kind`: 60.1; `original`: batch and STAN (6 bytes) of the payment it is about.

    Returns the frame, valid until the writer's next one.
    """
    writer.begin(0x0200 if kind in (SALE, VOID, DEFERRED_SALE) else 0x0220)
    _from_record(writer, record)
    writer.fixed(41, who.terminal)
    writer.fixed(42, who.merchant)
    _money_and_key(writer, ksn)
    writer.long(60, 14, _type(kind, record))
    if original:
        writer.long(61, 12, original)
    writer.long(62, 1 + SEALED, _RECORD_VERSION, record[:SEALED])
    writer.long(63, 19, _OPERATOR, record[8:24])
    return writer.finish(key)


def reversal(
    writer: Writer, who: Identity, reason: bytes, record: memoryview, ksn: bytearray, key: bytearray
) -> memoryview:
    """0400 for the payment in `record`; `reason`: the two bytes of DE 39."""
    writer.begin(0x0400)
    _from_record(writer, record)
    writer.fixed(39, reason)
    writer.fixed(41, who.terminal)
    writer.fixed(42, who.merchant)
    _money_and_key(writer, ksn)
    writer.long(60, 14, _type(record[1], record))
    writer.long(61, 12, record[35:38], record[32:35])
    writer.long(62, 1 + SEALED, _RECORD_VERSION, record[:SEALED])
    writer.long(63, 19, _OPERATOR, record[8:24])
    return writer.finish(key)


def _from_record(writer: Writer, record: memoryview) -> None:
    """DE 3, 4, 11, 22, 25 of a record."""
    writer.fixed(3, b"\x20\x00\x00" if record[1] == VOID else b"\x00\x00\x00")
    writer.fixed(4, record[24:30])
    writer.fixed(11, record[32:35])
    writer.fixed(22, b"\x07\x20" if record[42] == 0x07 else b"\x00\x20")
    writer.fixed(25, b"\x00")


def _money_and_key(writer: Writer, ksn: bytearray) -> None:
    writer.fixed(49, _CURRENCY)
    writer.short(53, ksn)


def _type(kind: int, record: memoryview) -> bytearray:
    """DE 60, 14 digits: type, the record's batch, 000, contactless reader, no fallback, no partial approval."""
    digits = bytearray(7)
    digits[0] = kind
    digits[1:4] = record[35:38]
    digits[5] = 0x06
    return digits


def management(
    writer: Writer, who: Identity, mti: int, network: int, stan: int, batch: int, uid: "Bytes", ksn: bytearray,
    key: bytearray, free: "Bytes" = b"", totals: "Bytes" = b"",
) -> memoryview:  # fmt: skip
    """0500 (with `totals`, 31 bytes of DE 48) or 0800 (with `free`, DE 62). `network`: 60.3."""
    writer.begin(mti)
    writer.number(11, stan, 3)
    writer.fixed(41, who.terminal)
    writer.fixed(42, who.merchant)
    if totals:
        writer.long(48, 62, totals)
        writer.fixed(49, _CURRENCY)
    writer.short(53, ksn)
    digits = bytearray(6)  # 11 digits and a pad nibble: shifted one to the left
    pack_bcd(batch * 10000 + network * 10, digits, 1, 5)
    writer.long(60, 11, digits)
    if free:
        writer.long(62, len(free), free)
    writer.long(63, 19, _OPERATOR, uid)
    return writer.finish(key)


def handshake(state: State, head: bytearray) -> bytearray:
    """DE 62 of 0800: version, epoch, newest sequence and its seal tag."""
    free = bytearray(15)
    pack_into(">BHI", free, 0, 1, state.epoch, state.sequence)
    free[7:] = head
    return free
