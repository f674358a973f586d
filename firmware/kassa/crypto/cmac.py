# SPDX-License-Identifier: MIT
"""AES-CMAC (RFC 4493, NIST SP 800-38B) on a cipher object that is kept.

XOR of two blocks in bytecode costs as much as a dozen AES blocks, and as numbers it allocates. So where a tag must be fast
the mask of the last block is left to a cipher with a key that is no secret: CBC decryption of `block | E(mask)` gives
`mask ^ block` as its second block.
"""

from cryptolib import aes
from micropython import const

from kassa.crypto.wipe import wipe_cipher, zero

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_ZERO = bytes(16)
_ZERO_PAIR = bytes(32)
_MODE_ECB = 1
_MODE_CBC = 2
_PIECE = 128

_show = aes(_ZERO, _MODE_CBC, _ZERO)
_out = bytearray(32)
_sum = memoryview(_out)[16:]


def _xor(block: "Bytes", other: "Bytes", into: bytearray | memoryview) -> None:
    """into = block ^ other, the first 16 bytes of each. As one number: a loop over bytes takes four times as long."""
    both = int.from_bytes(block[:16], "big") ^ int.from_bytes(other[:16], "big")
    into[:16] = both.to_bytes(16, "big")


def _double(block: "Bytes") -> bytes:
    """Multiply by x in GF(2^128), RFC 4493 section 2.3."""
    value = int.from_bytes(block, "big") << 1
    if value >> 128:
        value ^= 1 << 128 | 0x87
    return value.to_bytes(16, "big")


class Cmac:
    """One key, any number of messages that all end in a whole block, or all in a part of one.

    `last`: whoever wants a tag writes the end of the message there: 16 bytes, or fewer followed by 80 00 ...
    """

    def __init__(self, key: bytes | bytearray | memoryview, partial: bool, rests: bool = False) -> None:
        """`key`: 16 or 32 bytes; not kept here, but the cipher object holds it until `wipe`.

        `rests`: learn what `rest` needs and what makes `finish` fast, at the price of two more key schedules.
        """
        self._resting = bytearray(32)  # the chain, and the block that is encrypted to zeros, itself hidden
        self.chain = memoryview(self._resting)[:16]  # after `finish`: the whole tag
        self._short = self.chain[:8]
        self._masked = bytearray(32)  # the end of the message, and its mask
        self.last = memoryview(self._masked)[:16]
        self._rested = False
        self._hidden = rests  # the mask is kept encrypted, for `_show`
        self._cbc = aes(key, _MODE_CBC, _ZERO)
        self._cbc.encrypt(self.chain, self.chain)
        mask = _double(self.chain)
        self._masked[16:] = _double(mask) if partial else mask
        if rests:
            self._hide(aes(key, _MODE_ECB))

    def _hide(self, cipher: aes) -> None:
        """Make ready for `_show`."""
        still = memoryview(self._resting)[16:]
        mask = memoryview(self._masked)[16:]
        cipher.decrypt(still, still)
        wipe_cipher(cipher)
        show = aes(_ZERO, _MODE_ECB)
        show.encrypt(still, still)
        show.encrypt(mask, mask)
        self.rest()

    def rest(self) -> None:
        """Bring the kept object's chain back to zero, while nobody waits for the next tag. Only of one that `rests`."""
        if not self._rested:
            _show.decrypt(self._resting, _out)
            self._cbc.encrypt(_sum, _sum)
            self._rested = True

    def finish(self, blocks: memoryview, work: memoryview, tag: memoryview) -> None:
        """Tag the message `blocks | last`, and write the first 8 bytes of the tag to `tag`. Allocates nothing if it `rests`.

        `blocks`: whole ones, at least one; `work`: room for as many, which may be the same.
        """
        if self._hidden:
            if not self._rested:
                self.rest()
            self._cbc.encrypt(blocks, work)
            _show.decrypt(self._masked, _out)
            self._cbc.encrypt(_sum, self.chain)
            self._rested = False
        else:
            work[:] = blocks
            self.absorb(work)
            self.end()
        tag[:] = self._short

    def absorb(self, work: memoryview) -> None:
        """Take in whole blocks of a message that `finish` or `end` will end. `work` is clobbered."""
        if not self._rested:
            _xor(work, self.chain, work)
            self._rested = True
        self._cbc.encrypt(work, work)

    def end(self) -> None:
        """Tag what was absorbed and `last`: the tag is in `chain`."""
        if not self._rested:
            _xor(self.last, self.chain, self.last)
        if self._hidden:
            _show.decrypt(self._masked, _out)
        else:
            _xor(self.last, memoryview(self._masked)[16:], _sum)
        self._cbc.encrypt(_sum, self.chain)
        self._rested = False

    def wipe(self) -> None:
        """Zero everything that came from the key."""
        wipe_cipher(self._cbc)
        self._masked[:] = self._resting[:] = _out[:] = _ZERO_PAIR


def cmac(key: bytes | bytearray | memoryview, message: bytes | bytearray | memoryview) -> bytearray:
    """The 16-byte AES-CMAC of a whole message, of which only a piece at a time is copied."""
    rest = memoryview(message)
    work = memoryview(bytearray(_PIECE))
    partial = not rest or len(rest) % 16 != 0
    mac = Cmac(key, partial)
    try:
        while len(rest) > 16:
            size = min(_PIECE, (len(rest) - 1) // 16 * 16)
            work[:size] = rest[:size]
            mac.absorb(work[:size])
            rest = rest[size:]
        mac.last[: len(rest)] = rest
        if partial:
            mac.last[len(rest)] = 0x80
        mac.end()
        return bytearray(mac.chain)
    finally:
        mac.wipe()
        zero(work)


def equal(left: bytes | bytearray | memoryview, right: bytes | bytearray | memoryview) -> bool:
    """Compare two tags in a time that does not depend on where they differ."""
    difference = len(left) ^ len(right)
    for index in range(min(len(left), len(right))):
        difference |= left[index] ^ right[index]
    return difference == 0
