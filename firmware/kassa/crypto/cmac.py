# SPDX-License-Identifier: MIT
"""AES-CMAC (RFC 4493, NIST SP 800-38B) in one CBC call per message, on a cipher object that is kept."""

from cryptolib import aes

from kassa.crypto.wipe import wipe_cipher, zero

_ZERO = bytes(16)
_MODE_ECB = 1
_MODE_CBC = 2
_PIECE = 128


def _double(block: bytearray) -> bytearray:
    """Multiply by x in GF(2^128), RFC 4493 section 2.3."""
    out = bytearray(16)
    carry = 0
    for index in range(15, -1, -1):
        byte = block[index]
        out[index] = (byte << 1 & 0xFF) | carry
        carry = byte >> 7
    if carry:
        out[15] ^= 0x87
    return out


class Cmac:
    """One key, any number of messages. `finish` allocates nothing; making one costs two key schedules."""

    def __init__(self, key: bytes | bytearray | memoryview) -> None:
        """`key`: 16 or 32 bytes; not kept here, but the cipher object holds it until `wipe`."""
        block = bytearray(16)
        cipher = aes(key, _MODE_ECB)
        cipher.encrypt(block, block)
        wipe_cipher(cipher)
        self._even = _double(block)
        zero(block)
        self._odd = _double(self._even)
        self._chain = bytearray(16)
        self._short = memoryview(self._chain)[:8]  # the tags of records and messages
        self._used = False
        self._cbc = aes(key, _MODE_CBC, _ZERO)

    def finish(self, work: memoryview, size: int, tag: memoryview | bytearray, last: memoryview | None = None) -> None:
        """Tag the first `size` bytes of `work` and write the leading len(tag) bytes of the result to `tag`.

        `work` is `size` rounded up to 16 (at least 16) bytes long; it is clobbered.
        `last` is its last block, cut by who may not allocate.
        """
        end = len(work)
        if last is None:
            last = work[end - 16 :]
        if size < end:
            work[size] = 0x80
            for index in range(size + 1, end):
                work[index] = 0
            mask = self._odd
        else:
            mask = self._even
        chain = self._chain
        if self._used:  # the kept object still carries the last block of the message before: cancel it
            for index in range(16):
                work[index] ^= chain[index]
        self._used = True
        for index in range(16):
            last[index] ^= mask[index]
        self._cbc.encrypt(work, work)
        chain[:] = last
        if len(tag) == 8:
            tag[:] = self._short
        else:
            for index in range(len(tag)):
                tag[index] = chain[index]

    def absorb(self, work: memoryview) -> None:
        """Take in whole blocks of a message that `finish` will end; nothing was finished before. `work` is clobbered."""
        self._cbc.encrypt(work, work)

    def wipe(self) -> None:
        """Zero everything that came from the key."""
        wipe_cipher(self._cbc)
        zero(self._even)
        zero(self._odd)
        zero(self._chain)


def cmac(key: bytes | bytearray | memoryview, message: bytes | bytearray | memoryview) -> bytearray:
    """The 16-byte AES-CMAC of a whole message, of which only a piece at a time is copied."""
    rest = memoryview(message)
    work = memoryview(bytearray(_PIECE))
    tag = bytearray(16)
    mac = Cmac(key)
    try:
        while len(rest) > _PIECE:
            work[:] = rest[:_PIECE]
            mac.absorb(work)
            rest = rest[_PIECE:]
        size = len(rest)
        work = work[: max(16, (size + 15) // 16 * 16)]
        work[:size] = rest
        mac.finish(work, size, tag)
    finally:
        mac.wipe()
    return tag


def equal(left: bytes | bytearray | memoryview, right: bytes | bytearray | memoryview) -> bool:
    """Compare two tags in a time that does not depend on where they differ."""
    difference = len(left) ^ len(right)
    for index in range(min(len(left), len(right))):
        difference |= left[index] ^ right[index]
    return difference == 0
