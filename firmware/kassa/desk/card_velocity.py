# SPDX-License-Identifier: MIT
"""How often a card paid since the host was last heard. Kept as keyed hashes under a random key that lives in RAM alone:
a hash beside its key in flash would be an oracle for the card number."""

from micropython import const

from kassa.crypto.cmac import cmac
from kassa.crypto.wipe import zero

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy

_SIZE = const(4)  # bytes of a hash: two cards of a hundred look alike once in a million outages


class CardVelocity:
    """Remembers the latest `most` payments."""

    def __init__(self, entropy: "Entropy", most: int) -> None:
        self._key = bytearray(entropy(16))
        self._hashes = bytearray(most * _SIZE)
        self.most = most
        self._count = 0

    def times(self, track: memoryview | bytearray) -> int:
        """How many payments this card has made. `track`: the value of tag 57, or of 5A."""
        mine = self._hash(track)
        count = 0
        for at in range(0, min(self._count, self.most) * _SIZE, _SIZE):
            if self._hashes[at : at + _SIZE] == mine:
                count += 1
        return count

    def add(self, track: memoryview | bytearray) -> None:
        """Remember one payment; beyond `most` the oldest is forgotten."""
        at = self._count % self.most * _SIZE
        self._hashes[at : at + _SIZE] = self._hash(track)
        self._count += 1

    def clear(self) -> None:
        """The host was heard and everything is answered: a new window begins."""
        zero(self._hashes)
        self._count = 0

    def _hash(self, track: memoryview | bytearray) -> bytearray:
        """Over the digits up to the separator D, so that one card is one hash whatever follows."""
        pan = bytearray(10)
        for index in range(min(10, len(track))):
            byte = track[index]
            if byte >> 4 == 0xD:
                break
            pan[index] = byte
            if byte & 15 == 0xD:
                pan[index] = byte | 15
                break
        try:
            return cmac(self._key, pan)[:_SIZE]
        finally:
            zero(pan)
