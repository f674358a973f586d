# SPDX-License-Identifier: MIT
"""Counts the payments of each card since the host was last heard. Stores keyed hashes under a random key, in RAM only:
hash and key in flash would let an attacker test guesses of the card number."""

from micropython import const

from kassa.crypto.cmac import cmac
from kassa.crypto.wipe import zero

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy

_SIZE = const(4)  # bytes of a hash: among a hundred cards two collide in about one outage of a million


class CardVelocity:
    """Remembers the last `most` payments."""

    def __init__(self, entropy: "Entropy", most: int) -> None:
        self._key = bytearray(entropy(16))
        self._hashes = bytearray(most * _SIZE)
        self.most = most
        self._count = 0

    def times(self, track: memoryview | bytearray) -> int:
        """How many of the remembered payments this card made. `track`: the value of tag 57 or 5A."""
        mine = self._hash(track)
        count = 0
        for at in range(0, min(self._count, self.most) * _SIZE, _SIZE):
            if self._hashes[at : at + _SIZE] == mine:
                count += 1
        return count

    def add(self, track: memoryview | bytearray) -> None:
        """Remember one payment of this card, in place of the oldest when there are `most`."""
        at = self._count % self.most * _SIZE
        self._hashes[at : at + _SIZE] = self._hash(track)
        self._count += 1

    def clear(self) -> None:
        """Forget all payments: the host was heard and everything is answered."""
        zero(self._hashes)
        self._count = 0

    def _hash(self, track: memoryview | bytearray) -> bytearray:
        """Hash the digits before the separator D, so that a card has one hash whatever follows them."""
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
