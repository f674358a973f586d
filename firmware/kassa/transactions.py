# SPDX-License-Identifier: MIT
"""Every transaction type by its 60.1 value: name, message fields and effect on the batch. See docs/wire.md."""

from micropython import const

BALANCE = const(0x01)
PREAUTH = const(0x10)
PREAUTH_CANCEL = const(0x11)
COMPLETION = const(0x20)
COMPLETION_VOID = const(0x21)
SALE = const(0x22)
VOID = const(0x23)
COMPLETION_ADVICE = const(0x24)
REFUND = const(0x25)
VOICE_SALE = const(0x30)  # authorised by telephone (CUP: offline sale)
ADJUST = const(0x32)
TIP = const(0x34)
DEFERRED_SALE = const(0x70)
CASH = const(0x71)
VOID_ENTRY = const(0x72)
OFFLINE_SALE = const(0x73)  # approved offline by the card
QR_SCANNED = const(0x74)  # the terminal scans the customer's code
QR_SHOWN = const(0x75)  # the customer scans the terminal's code
QR_REFUND = const(0x76)  # full or partial refund of a payment by code
CASH_REFUND = const(0x77)

# The effect of a final approval on the batch.
NOTHING = const(0)
DEBIT = const(1)
CREDIT = const(2)
IN_CASH = const(3)
IN_QR = const(4)
REPLACES = const(5)  # its amount replaces that of the original payment
OUT_OF_CASH = const(6)
OUT_OF_QR = const(7)

_REVERSED = const(0x10)  # reversed when no answer comes; all others are repeated until answered
_ROW = const(6)
# 60.1, MTI (2), DE 3's first two digits, DE 25, effect and _REVERSED
_ROWS = (
    b"\x22\x02\x00\x00\x00\x11\x70\x02\x00\x00\x00\x01\x73\x02\x20\x00\x00\x01\x72\x02\x20\x00\x00\x00"
    b"\x71\x02\x20\x00\x00\x03\x23\x02\x00\x20\x00\x12\x25\x02\x20\x20\x00\x02\x01\x02\x00\x31\x00\x00"
    b"\x10\x01\x00\x03\x06\x10\x11\x01\x00\x20\x06\x10\x20\x02\x00\x00\x06\x11\x21\x02\x00\x20\x06\x12"
    b"\x24\x02\x20\x00\x06\x01\x30\x02\x20\x00\x00\x01\x32\x02\x20\x00\x00\x05\x34\x02\x20\x00\x00\x05"
    b"\x74\x02\x00\x00\x00\x14\x75\x02\x00\x00\x00\x14\x76\x02\x20\x20\x00\x07\x77\x02\x20\x20\x00\x06"
)


def row(kind: int) -> bytes:
    """The row of a type: 60.1, MTI (2 bytes), first byte of DE 3, DE 25, flags. Raises ValueError if unknown."""
    for at in range(0, len(_ROWS), _ROW):
        if _ROWS[at] == kind:
            return _ROWS[at : at + _ROW]
    raise ValueError("transaction")


def effect(kind: int) -> int:
    """The effect of a final approval on the batch: NOTHING to OUT_OF_QR."""
    return row(kind)[5] & 15


def returns_money(kind: int) -> bool:
    """Whether this type returns money to the customer."""
    return effect(kind) in (CREDIT, OUT_OF_CASH, OUT_OF_QR)


def is_reversed(kind: int) -> bool:
    """Whether a payment of this type is reversed when no answer comes."""
    return row(kind)[5] & _REVERSED != 0
