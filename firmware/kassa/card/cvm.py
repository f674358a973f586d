# SPDX-License-Identifier: MIT
"""Cardholder verification by the card's CVM list (tag 8E; EMV Book 3, 10.5; Contactless Book C-2, CVM selection)."""

from micropython import const

from kassa.card.tap_outcomes import MSG_OTHER_CARD, USE_OTHER, Outcome
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.terms import Terms
    from kassa.card.tlv import Tlv

# AIP, byte 1
_VERIFIES = const(0x10)
_ON_DEVICE = const(0x02)
_NEXT_IF_FAILED = const(0x40)  # bit of a CVM code: if this method fails, try the next rule
_ONLINE_PIN = const(0x02)
_METHODS = (
    (_ONLINE_PIN, 0x40),
    (0x1E, 0x20),
    (0x1F, 0x08),
)  # CVM code; its bit in terminal capabilities (9F33), byte 2
_NO_CVM = const(0x1F)
# Condition codes. 2: no cash and no cashback, which is true of every payment here
_ALWAYS = const(0)
_NO_CASH = const(2)
_IF_SUPPORTED = const(3)
_AMOUNTS = (6, 7, 8, 9)  # below X, above X, below Y, above Y
# CVM results (9F34), byte 3
_UNKNOWN = const(0)
_FAILED = const(1)
_DONE = const(2)
# TVR byte 3
_NOT_SUCCESSFUL = const(0x80)
_UNRECOGNISED = const(0x40)
_DATA_MISSING = const(0x20)  # TVR byte 1


def choose(terms: "Terms", arena: "Arena", tvr: bytearray, device: bool) -> "Outcome | None":
    """Set the CVM results (9F34) and the bits of `tvr`. Returns an Outcome if another card is needed, otherwise None.

    `device`: the kernel accepts verification on the cardholder's own device (CDCVM). Raises CardError.
    """
    aip = arena.need(0x82)
    offered = aip.data[aip.start]
    if device and offered & _ON_DEVICE:
        terms.set(0x9F34, b"\x01\x00\x02" if terms.cvm_required else b"\x3f\x00\x02")
        return None
    if terms.cvm_required:
        return Outcome(USE_OTHER, MSG_OTHER_CARD)
    rules = arena.kept(0x8E) if offered & _VERIFIES else None
    if rules is None:
        if offered & _VERIFIES:
            tvr[0] |= _DATA_MISSING
        terms.set(0x9F34, b"\x3f\x00\x00")
        return None
    return _apply_rules(terms, arena, rules, tvr)


def _apply_rules(terms: "Terms", arena: "Arena", rules: "Tlv", tvr: bytearray) -> "Outcome | None":
    """Apply the first rule whose condition holds. If it fails and allows it, go on to the next rule."""
    data, able = rules.data, terms.value(0x9F33)[1]
    size = rules.end - rules.start
    if size < 10 or size % 2:
        raise CardError("CVM list: length")
    for at in range(rules.start + 8, rules.end, 2):
        code, condition = data[at], data[at + 1]
        method = code & 0x3F
        bit = 0
        for known, its in _METHODS:
            if known == method:
                bit = its
        if condition == _IF_SUPPORTED and not able & bit:
            continue
        if condition not in (_ALWAYS, _NO_CASH, _IF_SUPPORTED) and not _holds(terms, arena, rules, condition):
            continue
        if able & bit:
            terms.set(0x9F34, bytes((code, condition, _DONE if method == _NO_CVM else _UNKNOWN)))
            return None
        if method == _ONLINE_PIN and not code & _NEXT_IF_FAILED:
            return Outcome(USE_OTHER, MSG_OTHER_CARD)  # there is no PIN page yet
        if not bit and method:
            tvr[2] |= _UNRECOGNISED
        if not code & _NEXT_IF_FAILED:
            terms.set(0x9F34, bytes((code, condition, _FAILED)))
            break
    else:
        terms.set(0x9F34, b"\x3f\x00\x01")
    tvr[2] |= _NOT_SUCCESSFUL
    return None


def _holds(terms: "Terms", arena: "Arena", rules: "Tlv", condition: int) -> bool:
    """Return whether a condition on the amount holds. It never does in another currency than the application's.

    The conditions for cash and cashback never hold: there are no such payments here.
    """
    currency = arena.kept(0x9F42)
    if condition not in _AMOUNTS or currency is None:
        return False
    if currency.data[currency.start : currency.end] != terms.value(0x5F2A):
        return False
    at = rules.start + (0 if condition < 8 else 4)
    limit = int.from_bytes(rules.data[at : at + 4], "big")
    return terms.amount > limit if condition & 1 else terms.amount < limit
