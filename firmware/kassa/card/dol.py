# SPDX-License-Identifier: MIT
"""Data object lists (EMV Book 3, 5.4): the card says which of the terminal's data it wants, and how long."""

from micropython import const

from kassa.card.tlv import Tlv, kept
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.tlv import Bytes

MAX_VALUES = const(252)
_NUMERIC = (0x9F02, 0x9F03, 0x9F1A, 0x5F2A, 0x9A, 0x9C, 0x9F21, 0x9F35, 0x9F15, 0x9F01, 0x9F41)


def fill(dol: "Bytes", start: int, end: int, known: "Bytes", into: "bytearray | memoryview", at: int) -> int:
    """Write the values the list dol[start:end] asks for at into[at:]; return their end.

    `known` holds the terminal's data objects. Numbers keep their right end, all else its left; unknown and constructed objects
    are zeros. Raises CardError for a list that is malformed or asks for more than 252 bytes.
    """
    first = at
    entry = Tlv(dol, start, end)
    size = entry.next_dol()
    while size >= 0:
        if at - first + size > MAX_VALUES:
            raise CardError("DOL: asks for too much")
        for index in range(at, at + size):
            into[index] = 0
        found = None if entry.constructed() else kept(known, len(known), entry.tag)
        if found is not None:
            _copy(found, entry.tag in _NUMERIC, into, at, size)
        at += size
        size = entry.next_dol()
    return at


def _copy(value: Tlv, numeric: bool, into: "bytearray | memoryview", at: int, size: int) -> None:
    source = value.start
    have = value.end - source
    if numeric and have > size:
        source += have - size
    elif numeric:
        at += size - have
    for index in range(min(have, size)):
        into[at + index] = value.data[source + index]
