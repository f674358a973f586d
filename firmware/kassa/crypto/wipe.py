# SPDX-License-Identifier: MIT
"""Zeroes secrets: buffers, and the key inside a cipher object, which stays in memory after `del`."""

from struct import pack_into

from cryptolib import aes
from micropython import const

try:
    import uctypes
except ImportError:  # CPython imports this code for tests; its cipher objects cannot be wiped
    uctypes = None

_SCHEDULE = const(240)  # bytes of an expanded AES-256 key, the longest; every cipher object is large enough for it
_KEY = const(32)  # bytes of an AES-256 key
_PROBE = b"this key is seen"
_SEARCH = const(64)  # how many bytes of an object to search: they contain the raw key or the first two round keys


def _address(thing: object) -> int:
    """Return an object's address. `id` drops the top bit of addresses from 2**30 to 2**31, as on a 32-bit Unix port."""
    at = id(thing)
    return at if at >= 0 else at + (1 << 31)


def _key_place() -> tuple[int, int]:
    """Find where a cipher object stores its key. Returns (start, end) offsets, (0, 0) if not found.

    Until its first use, the object stores the raw key. After that it stores the round keys or, with an AES peripheral,
    the raw key at another offset. Known keys are used to find each of these.
    """
    if uctypes is None:
        return 0, 0
    look = uctypes.bytearray_at

    def find(shown: bytes) -> int:
        return bytes(look(_address(probe), _SEARCH)).find(shown)

    block = bytearray(16)
    probe = aes(_PROBE, 1)
    unused = find(_PROBE)
    probe.encrypt(block, block)
    used = find(_PROBE)
    probe = aes(bytes(16), 1)
    probe.encrypt(block, block)
    schedule = find(b"\x62\x63\x63\x63" * 4) - 16  # FIPS 197 appendix A: round key 1 of the zero key
    if unused < 0 or used < 0:
        return 0, 0
    if schedule >= 0:
        return min(unused, schedule), schedule + _SCHEDULE
    return min(unused, used), max(unused, used) + _KEY


_START, _END = _key_place()
_BLANK = "%ds" % (_END - _START)  # struct format that packs zeros over the key
del _key_place  # frees its memory


def zero(buffer: bytearray | memoryview) -> None:
    """Overwrite a buffer with zeros in place."""
    size, at = len(buffer), 0
    while size - at >= 64:
        pack_into("64s", buffer, at, b"")
        at += 64
    while size - at >= 16:
        pack_into("16s", buffer, at, b"")
        at += 16
    for index in range(at, size):
        buffer[index] = 0


def key_memory(cipher: object) -> bytearray | bytes:
    """Return a cipher object's memory up to the end of its key (not a copy); empty if the key's offset is not known."""
    return uctypes.bytearray_at(_address(cipher), _END) if uctypes is not None and _END else b""


def wipe_cipher(cipher: object) -> None:
    """Zero the key and key schedule inside a cipher object, used or not. The object cannot be used afterwards.

    Does nothing if the key's offset is not known; in that case the boot self-test fails.
    """
    if uctypes is not None and _END:
        pack_into(_BLANK, uctypes.bytearray_at(_address(cipher) + _START, _END - _START), 0, b"")


def zero_bytes(data: "bytes | memoryview") -> None:
    """Zero an immutable bytes object, such as the result of int.to_bytes. Nothing else may refer to it."""
    if uctypes is not None:
        zero(uctypes.bytearray_at(uctypes.addressof(data), len(data)))
