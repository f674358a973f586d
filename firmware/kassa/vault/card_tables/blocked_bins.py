# SPDX-License-Identifier: MIT
"""Cards that must not be accepted offline: the exception file and the BINs that the host has blocked.

Entries in the cards partition: an excepted card is kind 3 and 15 bytes of a CMAC over kind, five zeros and card number;
a blocked BIN is kind 4, count of digits, two zeros, and the digits, BCD padded with F.
"""

from micropython import const

from kassa.crypto.cmac import cmac
from kassa.crypto.wipe import zero
from kassa.vault.card_tables.ca_public_keys import HEAD, Authorities, size_of

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_EXCEPTED = const(3)
_BLOCKED = const(4)
_DIGITS = const(8)  # offset of the digits of a BIN, in nibbles


def is_listed(cards: Authorities, pan: "Bytes") -> bool:
    """Whether the card with this number (10 B, BCD padded with F) is on either list. Raises FlashFault."""
    block = bytearray(16)
    block[0] = _EXCEPTED
    block[6:] = pan
    name = cmac(cards.key, block)
    zero(block)
    return cards.search(bytes((_EXCEPTED,)) + name[:15]) >= 0 or _blocked(cards, pan)


def _blocked(cards: Authorities, pan: "Bytes") -> bool:
    """Whether the card number begins with a blocked BIN."""
    end, at = cards.size(), 0
    head = bytearray(HEAD)
    while at < end:
        cards.read(at, head)
        if not head[0]:
            break
        if head[0] == _BLOCKED:
            if all([_digit(head, _DIGITS + index) == _digit(pan, index) for index in range(min(head[1], 20))]):
                return True
        at += size_of(head)
    return False


def _digit(data: "Bytes", index: int) -> int:
    """The BCD digit at nibble `index`."""
    return data[index // 2] >> (0 if index & 1 else 4) & 15
