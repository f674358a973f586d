# SPDX-License-Identifier: MIT
"""Data object lists (EMV Book 3, 5.4): the card requests data of the terminal by tag and length."""

from micropython import const

from kassa.card.tlv import Tlv, kept
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.tlv import Bytes

MAX_VALUES = const(252)
_NUMERIC = (0x9F02, 0x9F03, 0x9F1A, 0x5F2A, 0x9A, 0x9C, 0x9F21, 0x9F35, 0x9F15, 0x9F01, 0x9F41)


def fill(dol: "Bytes", start: int, end: int, known: "Bytes", into: "bytearray | memoryview", at: int) -> int:
    """Write the values requested by the list dol[start:end] to into[at:]. Returns the offset of their end.

    `known` holds the terminal's data objects. Numeric values are right-aligned and lose leading bytes if too long; all
    others are left-aligned and lose trailing bytes. Unknown and constructed objects are zeros. Raises CardError for a
    list that is malformed or requests more than 252 bytes.
    """
    first = at
    entry = Tlv(dol, start, end)
    size = entry.next_dol()
    while size >= 0:
        if at - first + size > MAX_VALUES:
            raise CardError("DOL: requests too much data")
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
