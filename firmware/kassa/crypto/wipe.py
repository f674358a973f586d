# SPDX-License-Identifier: MIT
"""Zeroing of secrets: buffers, and the key schedule inside a cipher object, which outlives `del`."""

from cryptolib import aes

try:
    import uctypes
except ImportError:  # CPython imports the core for its tests; its cipher objects are not ours to wipe
    uctypes = None

_SCHEDULE = 240  # bytes of an expanded AES-256 key, the longest; every cipher object has room for it
_SEARCH = 64  # the schedule starts within this many bytes of the object


def _address(thing: object) -> int:
    """Where an object lies. `id` drops the top bit of addresses from 2**30 to 2**31, which a 32-bit Unix port has."""
    at = id(thing)
    return at if at >= 0 else at + (1 << 31)


def _schedule_offset() -> int:
    """Where a used cipher object keeps its round keys, found with a key whose second round key is known; -1 if not found."""
    if uctypes is None:
        return -1
    probe = aes(bytes(16), 1)
    block = bytearray(16)
    probe.encrypt(block, block)
    seen = bytes(uctypes.bytearray_at(_address(probe), _SEARCH + 32))
    found = seen.find(b"\x62\x63\x63\x63" * 4)  # FIPS 197 appendix A: round key 1 of the zero key
    return found - 16 if found >= 16 else -1


_OFFSET = _schedule_offset()


def zero(buffer: bytearray | memoryview) -> None:
    """Overwrite a buffer with zeros in place."""
    for index in range(len(buffer)):
        buffer[index] = 0


def wipe_cipher(cipher: object) -> None:
    """Overwrite the key schedule inside a cipher object; the object is useless afterwards.

    Does nothing where the schedule's place is not known (AES in a peripheral): see docs/keys.md.
    """
    if uctypes is not None and _OFFSET >= 0:
        place = uctypes.bytearray_at(_address(cipher) + _OFFSET, _SCHEDULE)
        for index in range(_SCHEDULE):
            place[index] = 0
