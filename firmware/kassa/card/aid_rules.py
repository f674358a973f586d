# SPDX-License-Identifier: MIT
"""The applications the terminal accepts: the built-in list, or the host's AID table (layout: docs/keys.md)."""

from micropython import const

from kassa.card.risk import Risk

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.terms import Terms
    from kassa.card.tlv import Tlv

# Each entry: kernel, length of the AID, AID (the card's AID may be longer). Visa credit and debit, Electron, V Pay,
# US common debit; Mastercard, Maestro, US Maestro; American Express; UnionPay debit, credit, quasi-credit, US.
_COMPILED_IN = (
    b"\x03\x07\xa0\x00\x00\x00\x03\x10\x10"
    b"\x03\x07\xa0\x00\x00\x00\x03\x20\x10"
    b"\x03\x07\xa0\x00\x00\x00\x03\x20\x20"
    b"\x03\x07\xa0\x00\x00\x00\x98\x08\x40"
    b"\x02\x07\xa0\x00\x00\x00\x04\x10\x10"
    b"\x02\x07\xa0\x00\x00\x00\x04\x30\x60"
    b"\x02\x07\xa0\x00\x00\x00\x04\x22\x03"
    b"\x04\x06\xa0\x00\x00\x00\x25\x01"
    b"\x07\x08\xa0\x00\x00\x03\x33\x01\x01\x01"
    b"\x07\x08\xa0\x00\x00\x03\x33\x01\x01\x02"
    b"\x07\x08\xa0\x00\x00\x03\x33\x01\x01\x03"
    b"\x07\x08\xa0\x00\x00\x03\x33\x01\x01\x08"
)
_E_CASH = b"\xa0\x00\x00\x03\x33\x01\x01\x06"  # never accepted: the card pays even if it is removed too early
# A row: kind, kernel, length of the AID, zero. Its size, and the offsets of the fields that follow:
_ROW = const(64)
_AID = const(4)
_LIMIT = const(20)
_RISK = const(26)
_CODES = const(46)
_END = const(56)


def kernel(terms: "Terms", aid: "Tlv") -> int:
    """Return the kernel for the AID under the cursor.

    Returns 0 for an AID that is not accepted, or not for this amount; the latter also sets `terms.over_limit`.
    """
    if starts_with(aid, _E_CASH, 0, len(_E_CASH)):
        return 0
    if not terms.applications:
        at = 0
        while at < len(_COMPILED_IN):
            if starts_with(aid, _COMPILED_IN, at + 2, _COMPILED_IN[at + 1]):
                return _COMPILED_IN[at]
            at += 2 + _COMPILED_IN[at + 1]
        return 0
    at = _row(terms.applications, aid)
    if at < 0:
        return 0
    limit = int.from_bytes(terms.applications[at + _LIMIT : at + _RISK], "big")
    if 0 < limit <= terms.amount:
        terms.over_limit = True
        return 0
    return terms.applications[at + 1]


def apply_row(terms: "Terms", aid: "Tlv") -> None:
    """Apply the limits and action codes of the AID under the cursor to `terms`, if the table has a row for it."""
    rows = terms.applications
    at = _row(rows, aid)
    if at >= 0:
        terms.apply_risk(Risk(rows[at + _RISK : at + _CODES]))
        codes = rows[at + _CODES : at + _END]
        terms.codes = codes if any(codes) else b""


def starts_with(value: "Tlv", prefix: "bytes | memoryview", start: int, size: int) -> bool:
    """Return whether the value under the cursor starts with prefix[start:start + size]."""
    if value.end - value.start < size:
        return False
    for index in range(size):
        if value.data[value.start + index] != prefix[start + index]:
            return False
    return True


def _row(rows: bytes, aid: "Tlv") -> int:
    for at in range(0, len(rows), _ROW):
        if starts_with(aid, rows, at + _AID, rows[at + 2]):
            return at
    return -1
