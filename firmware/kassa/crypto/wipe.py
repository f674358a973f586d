# SPDX-License-Identifier: MIT
"""Zeroing of secrets: buffers, and the key inside a cipher object, which outlives `del`."""

from struct import pack_into

from cryptolib import aes
from micropython import const

try:
    import uctypes
except ImportError:  # CPython imports the core for its tests; its cipher objects are not ours to wipe
    uctypes = None

_SCHEDULE = const(240)  # bytes of an expanded AES-256 key, the longest; every cipher object has room for it
_KEY = const(32)  # bytes of an AES-256 key
_PROBE = b"this key is seen"
_SEARCH = const(64)  # bytes of an object; the key as given, or the first two round keys, lie within


def _address(thing: object) -> int:
    """Where an object lies. `id` drops the top bit of addresses from 2**30 to 2**31, which a 32-bit Unix port has."""
    at = id(thing)
    return at if at >= 0 else at + (1 << 31)


def _key_place() -> tuple[int, int]:
    """(first byte, end) of what a cipher object keeps of its key; (0, 0) if not found.

    Until its first use it keeps the key as given. Then it keeps the round keys, or, where AES is a peripheral, the key as
    given at another place. All are found with keys that show.
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
_BLANK = "%ds" % (_END - _START)  # packs zeros
del _key_place  # not needed again


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


def held(cipher: object) -> bytearray | bytes:
    """A cipher object's memory up to the end of its key, not a copy; empty where the key's place is not known."""
    return uctypes.bytearray_at(_address(cipher), _END) if uctypes is not None and _END else b""


def wipe_cipher(cipher: object) -> None:
    """Overwrite the key and its schedule inside a cipher object, used or not; the object is useless afterwards.

    Does nothing where the key's place is not known: the self-test of boot refuses to go on there.
    """
    if uctypes is not None and _END:
        pack_into(_BLANK, uctypes.bytearray_at(_address(cipher) + _START, _END - _START), 0, b"")


def zero_bytes(data: "bytes | memoryview") -> None:
    """Overwrite bytes that nothing else holds and Python would not let anyone change: what a number was turned into."""
    if uctypes is not None:
        zero(uctypes.bytearray_at(uctypes.addressof(data), len(data)))
