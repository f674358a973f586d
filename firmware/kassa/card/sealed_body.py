# SPDX-License-Identifier: MIT
"""The card data that a payment keeps: 160 bytes of TLV, to be sealed, with the most important objects first.

The first fifteen objects always fit. They are enough for the host to verify the cryptogram (Visa CVN 10 and 18).
"""

from micropython import const

from kassa.card import tlv, track2
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

_PROOF = const(0xDF01)  # not EMV: the first 8 bytes of SHA-1 over the signature that proved the card
_ORDER = (
    0x57, 0x5F34, 0x9F26, 0x9F27, 0x9F10, 0x9F37, 0x9F36, 0x95, 0x9A, 0x9C, 0x9F02, 0x5F2A, 0x82, 0x9F1A, 0x9F03,
    0x9F34, _PROOF, 0x9F33, 0x5F24, 0x84, 0x9F6C,
)  # fmt: skip
_MANDATORY = const(15)
# What a receipt shows of them, and nothing that is secret: application and its label, cryptogram and its kind, ATC, TVR, TSI
_PRINTED = (0x84, 0x50, 0x9F26, 0x9F27, 0x9F36, 0x95, 0x9B)  # at most 67 bytes


def build(terms: "Terms", arena: "Arena") -> None:
    """Fill `arena.body`, the masked card number, and `arena.printed`. The card's data take precedence over the terminal's.

    Raises CardError if a mandatory object does not fit; an object is never truncated.
    """
    track, digits = track2.card_number(arena)
    track2.mask(track, digits, arena)
    at = 0
    for index, tag in enumerate(_ORDER):
        found = arena.kept(tag) or tlv.kept(terms.known, len(terms.known), tag)
        if found is None:
            continue
        end = tlv.append(arena.body, at, tag, found.data, found.start, found.end)
        if end:
            at = end
        elif index < _MANDATORY:
            raise CardError("the card gives too much data")
    for index in range(at, len(arena.body)):
        arena.body[index] = 0
    at = 0
    for tag in _PRINTED:
        found = arena.kept(tag) or tlv.kept(terms.known, len(terms.known), tag)
        if found is not None:
            at = tlv.append(arena.candidates, at, tag, found.data, found.start, found.end)
    arena.printed = bytes(arena.candidates[:at])


def add(arena: "Arena", tag: int, value: "bytes | bytearray") -> None:
    """Append an object to the body. Raises CardError if it does not fit."""
    body = arena.body
    at = 0
    cursor = tlv.Tlv(body)
    while at < len(body) and body[at] and cursor.next():
        at = cursor.end
    if not tlv.append(body, at, tag, value, 0, len(value)):
        raise CardError("the card gives too much data")
