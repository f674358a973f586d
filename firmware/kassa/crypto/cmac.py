# SPDX-License-Identifier: MIT
"""AES-CMAC (RFC 4493, NIST SP 800-38B) on a cipher object that is kept.

XOR of two blocks in bytecode costs as much as a dozen AES blocks, so the mask of the last block is left to a cipher with
a key that is no secret: CBC decryption of `block | E(mask)` gives `mask ^ block` as its second block.
"""

from cryptolib import aes

from kassa.crypto.wipe import wipe_cipher, zero

_ZERO = bytes(16)
_ZERO_PAIR = bytes(32)
_MODE_ECB = 1
_MODE_CBC = 2
_PIECE = 128

_show = aes(_ZERO, _MODE_CBC, _ZERO)
_out = bytearray(32)
_sum = memoryview(_out)[16:]


def _xor(block: bytearray | memoryview, other: bytearray | memoryview) -> None:
    """block ^= other, 16 bytes each."""
    for index in range(16):
        block[index] ^= other[index]


def _double(block: bytes | bytearray) -> bytes:
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
        chain = self.chain = bytearray(16)  # after `finish`: the whole tag
        self._short = memoryview(chain)[:8]
        self._cbc = aes(key, _MODE_CBC, _ZERO)
        self._cbc.encrypt(chain, chain)
        self._rested = False
        mask = _double(chain)
        if partial:
            mask = _double(mask)
        self._masked = bytearray(32)
        self.last = memoryview(self._masked)[:16]
        self._masked[16:] = mask
        self._hidden = rests  # the mask is kept encrypted, for `_show`
        self._still = bytearray(16 if rests else 0)  # the block that is encrypted to zeros
        if rests:
            aes(_ZERO, _MODE_ECB).encrypt(mask, memoryview(self._masked)[16:])
            cipher = aes(key, _MODE_ECB)
            cipher.decrypt(self._still, self._still)
            wipe_cipher(cipher)
            self.rest()

    def rest(self) -> None:
        """Bring the kept object's chain back to zero, while nobody waits for the next tag."""
        if not self._rested:
            _xor(self.chain, self._still)
            self._cbc.encrypt(self.chain, self.chain)
            self._rested = True

    def finish(self, work: memoryview, first: memoryview, tag: memoryview) -> None:
        """Tag the message `work | last`, and write the first 8 bytes of the tag to `tag`. Allocates nothing.

        `work`: whole blocks, at least one, clobbered; `first`: the first of them.
        """
        if not self._rested:  # the kept object still carries the last block of the message before: cancel it
            _xor(first, self.chain)
        self._cbc.encrypt(work, work)
        if self._hidden:
            _show.decrypt(self._masked, _out)
        else:
            self._mask()
        self._cbc.encrypt(_sum, self.chain)
        self._rested = False
        tag[:] = self._short

    def _mask(self) -> None:
        """As `_show` does, in bytecode."""
        masked = self._masked
        for index in range(16):
            _sum[index] = masked[index] ^ masked[index + 16]

    def absorb(self, work: memoryview) -> None:
        """Take in whole blocks of a message that `finish` or `end` will end. `work` is clobbered."""
        if not self._rested:
            _xor(work[:16], self.chain)
            self._rested = True
        self._cbc.encrypt(work, work)

    def end(self) -> None:
        """Tag what was absorbed and `last`: the tag is in `chain`."""
        if not self._rested:
            _xor(self.last, self.chain)
        if self._hidden:
            _show.decrypt(self._masked, _out)
        else:
            self._mask()
        self._cbc.encrypt(_sum, self.chain)
        self._rested = False

    def wipe(self) -> None:
        """Zero everything that came from the key."""
        wipe_cipher(self._cbc)
        self._masked[:] = _out[:] = _ZERO_PAIR
        self.chain[:] = _ZERO
        zero(self._still)


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
