# SPDX-License-Identifier: MIT
"""AES-CMAC (RFC 4493, NIST SP 800-38B) with a reusable cipher object.

In bytecode, XOR of two blocks costs as much as a dozen AES blocks; as integers, it allocates memory. If a tag must be
fast, a second cipher with a known key does the XOR: CBC decryption of `block | E(mask)` gives `mask ^ block` as its
second block.
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

_mask_cipher = aes(_ZERO, _MODE_CBC, _ZERO)
_out = bytearray(32)
_sum = memoryview(_out)[16:]


def _xor(block: "Bytes", other: "Bytes", into: bytearray | memoryview) -> None:
    """Set into = block ^ other (first 16 bytes of each). Uses integers: a loop over bytes takes four times as long."""
    both = int.from_bytes(block[:16], "big") ^ int.from_bytes(other[:16], "big")
    into[:16] = both.to_bytes(16, "big")


def _double(block: "Bytes") -> bytes:
    """Multiply by x in GF(2^128); RFC 4493, section 2.3."""
    value = int.from_bytes(block, "big") << 1
    if value >> 128:
        value ^= 1 << 128 | 0x87
    return value.to_bytes(16, "big")


class Cmac:
    """CMAC with one key. Either all messages end with a whole block, or all end with a partial one.

    `last`: the caller writes the end of the message here: 16 bytes, or fewer followed by 80 00 ...
    """

    def __init__(self, key: bytes | bytearray | memoryview, partial: bool, fast: bool = False) -> None:
        """`key`: 16 or 32 bytes; the cipher object holds it until `wipe`. `partial`: messages end with a partial block.

        `fast`: prepare for `reset` and a fast `finish`. This costs two more key schedules.
        """
        self._state = bytearray(32)  # the chain; D(zeros), encrypted for `_mask_cipher`
        self.chain = memoryview(self._state)[:16]  # after `finish`: the full 16-byte tag
        self._short = self.chain[:8]
        self._masked = bytearray(32)  # the last block, and its mask (subkey K1 or K2)
        self.last = memoryview(self._masked)[:16]
        self._is_reset = False  # True: the next block needs no XOR with the old chain
        self._fast = fast  # the mask is stored encrypted, for `_mask_cipher`
        self._cbc = aes(key, _MODE_CBC, _ZERO)
        self._cbc.encrypt(self.chain, self.chain)
        mask = _double(self.chain)
        self._masked[16:] = _double(mask) if partial else mask
        if fast:
            self._prepare(aes(key, _MODE_ECB))

    def _prepare(self, cipher: aes) -> None:
        """Encrypt D(zeros) and the mask under the known key, so that `_mask_cipher` can XOR with them."""
        inverse = memoryview(self._state)[16:]
        mask = memoryview(self._masked)[16:]
        cipher.decrypt(inverse, inverse)
        wipe_cipher(cipher)
        known = aes(_ZERO, _MODE_ECB)
        known.encrypt(inverse, inverse)
        known.encrypt(mask, mask)
        self.reset()

    def reset(self) -> None:
        """Reset the chain of the cipher object to zero, when time allows. Only if made with `fast`."""
        if not self._is_reset:
            _mask_cipher.decrypt(self._state, _out)
            self._cbc.encrypt(_sum, _sum)
            self._is_reset = True

    def finish(self, blocks: memoryview, work: memoryview, tag: memoryview) -> None:
        """Write the first 8 bytes of the tag over `blocks | last` to `tag`. Allocates nothing if made with `fast`.

        `blocks`: one or more whole blocks. `work`: a buffer of the same size; may be `blocks` itself.
        """
        if self._fast:
            if not self._is_reset:
                self.reset()
            self._cbc.encrypt(blocks, work)
            _mask_cipher.decrypt(self._masked, _out)
            self._cbc.encrypt(_sum, self.chain)
            self._is_reset = False
        else:
            work[:] = blocks
            self.absorb(work)
            self.end()
        tag[:] = self._short

    def absorb(self, work: memoryview) -> None:
        """Process whole blocks of a message that `finish` or `end` completes. Overwrites `work`."""
        if not self._is_reset:
            _xor(work, self.chain, work)
            self._is_reset = True
        self._cbc.encrypt(work, work)

    def end(self) -> None:
        """Compute the tag over the absorbed blocks and `last`. The tag is then in `chain`."""
        if not self._is_reset:
            _xor(self.last, self.chain, self.last)
        if self._fast:
            _mask_cipher.decrypt(self._masked, _out)
        else:
            _xor(self.last, memoryview(self._masked)[16:], _sum)
        self._cbc.encrypt(_sum, self.chain)
        self._is_reset = False

    def wipe(self) -> None:
        """Zero the key and everything derived from it."""
        wipe_cipher(self._cbc)
        self._masked[:] = self._state[:] = _out[:] = _ZERO_PAIR


def cmac(key: bytes | bytearray | memoryview, message: bytes | bytearray | memoryview) -> bytearray:
    """Return the 16-byte AES-CMAC of a message. Copies only one piece of the message at a time."""
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
    """Compare two tags in constant time."""
    difference = len(left) ^ len(right)
    for index in range(min(len(left), len(right))):
        difference |= left[index] ^ right[index]
    return difference == 0
