# SPDX-License-Identifier: MIT
"""Builds every request of the terminal, with or without a sealed record. docs/wire.md lists the data elements."""

from micropython import const

from kassa import transactions
from kassa.money import pack_bcd
from kassa.uplink.identity import Identity
from kassa.uplink.iso8583 import Writer
from kassa.vault.journal.layout import SEALED

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_CURRENCY = b"156"
_OPERATOR = b"01 "
_RECORD_VERSION = b"\x01"


def with_record(
    writer: Writer, identity: Identity, mti: int, kind: int, record: memoryview, ksn: bytearray, key: bytearray,
    original: "Bytes" = b"", reason: "Bytes" = b"", network: int = 0,
) -> memoryview:  # fmt: skip
    """Build a message with a sealed record: 01xx, 02xx, 0320 or 0400.

    `kind`: 60.1. `original`: DE 61, batch and STAN (6 bytes BCD). `reason`: DE 39 of a reversal. `network`: 60.3.
    Returns the frame, which is valid until the writer builds the next one.
    """
    row = transactions.row(record[1])
    writer.begin(mti)
    writer.fixed(3, bytes((row[3], 0, 0)))
    writer.fixed(4, record[24:30])
    writer.fixed(11, record[32:35])
    writer.fixed(22, bytes((record[42], 0x20)))
    writer.fixed(25, row[4:5])
    if reason:
        writer.fixed(39, reason)
    writer.fixed(41, identity.terminal)
    writer.fixed(42, identity.merchant)
    writer.fixed(49, _CURRENCY)
    writer.short(53, ksn)
    writer.long(60, 14, _form(kind, record, network))
    if original:
        writer.long(61, 12, original)
    writer.long(62, 1 + SEALED, _RECORD_VERSION, record[:SEALED])
    writer.long(63, 19, _OPERATOR, record[8:24])
    return writer.finish(key)


def _form(kind: int, record: memoryview, network: int) -> bytearray:
    """DE 60, 14 digits: 60.1 type, batch of the record, 60.3, contactless reader, no fallback, no partial approval."""
    digits = bytearray(7)
    digits[0] = kind
    digits[1:4] = record[35:38]
    pack_bcd(network * 1000 + 600, digits, 4, 3)
    return digits


def management(
    writer: Writer, identity: Identity, mti: int, network: int, stan: int, batch: int, uid: "Bytes", ksn: bytearray,
    key: bytearray, free: "Bytes" = b"", totals: "Bytes" = b"", digits: int = 0,
) -> memoryview:  # fmt: skip
    """Build a message without a record: 0500 or the end of an upload (`totals`, `digits`: DE 48), or 08xx (`free`: DE 62).

    `network`: 60.3. Returns the frame, which is valid until the writer builds the next one.
    """
    writer.begin(mti)
    writer.number(11, stan, 3)
    writer.fixed(41, identity.terminal)
    writer.fixed(42, identity.merchant)
    if totals:
        writer.long(48, digits, totals)
        writer.fixed(49, _CURRENCY)
    writer.short(53, ksn)
    form = bytearray(6)  # 11 digits, then a pad nibble: hence the factor of 10
    pack_bcd(batch * 10000 + network * 10, form, 1, 5)
    writer.long(60, 11, form)
    if free:
        writer.long(62, len(free), free)
    writer.long(63, 19, _OPERATOR, uid)
    return writer.finish(key)
