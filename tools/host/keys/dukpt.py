# SPDX-License-Identifier: MIT
"""AES DUKPT, host side: derives keys from the base derivation key (ANSI X9.24-3:2017, AES-128 only)."""

import struct
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

DATA_ENCRYPT = 0x3000  # the sealed body
MAC_BOTH_WAYS = 0x2002  # the seal tag
MAC_GENERATE = 0x2000  # DE 64, terminal to host
MAC_VERIFY = 0x2001  # DE 64, host to terminal

_KEY_DERIVATION = 0x8000
_INITIAL_KEY = 0x8001
_AES_128 = 0x0002
_LAST_COUNTER = 0xFFFF0000


def is_counter(counter: int) -> bool:
    """Whether a device may use this transaction counter: 1..FFFF0000, at most 16 one-bits (X9.24-3, 6.3.2)."""
    return 0 < counter <= _LAST_COUNTER and counter.bit_count() <= 16


@lru_cache(maxsize=4096)
def initial_key(bdk: bytes, ikid: bytes) -> bytes:
    """The 16-byte initial key of the device whose initial key id is `ikid` (8 bytes)."""
    return _encrypt(bdk, initial_key_data(ikid))


def initial_key_data(ikid: bytes) -> bytes:
    """The block (16 bytes) whose encryption under the base derivation key is the initial key."""
    return _data(_INITIAL_KEY, ikid)


def transaction_key(bdk: bytes, ikid: bytes, counter: int) -> bytes:
    """The 16-byte key of one transaction."""
    return _transaction_key(initial_key(bdk, ikid), ikid[4:], counter)


def working_key(bdk: bytes, ksn: bytes, usage: int) -> bytes:
    """The 16-byte working key of a KSN (12 bytes: initial key id, counter) for one usage."""
    return working_key_below(initial_key(bdk, ksn[:8]), ksn, usage)


def working_key_below(initial: bytes, ksn: bytes, usage: int) -> bytes:
    """Like `working_key`, from the initial key of the KSN's device (16 bytes)."""
    parent = _transaction_key(initial, ksn[4:8], int.from_bytes(ksn[8:], "big"))
    return _encrypt(parent, _data(usage, ksn[4:]))


@lru_cache(maxsize=65536)
def _transaction_key(initial: bytes, device: bytes, counter: int) -> bytes:
    """One derivation per one-bit of the counter, highest bit first. `device`: the device id (4 bytes).

    Intermediate keys are cached, because neighbouring counters share all but the last step.
    """
    lowest = counter & -counter
    parent = initial if counter == lowest else _transaction_key(initial, device, counter ^ lowest)
    return _encrypt(parent, _data(_KEY_DERIVATION, device + struct.pack(">I", counter)))


def forget() -> None:
    """Drop every cached key."""
    initial_key.cache_clear()
    _transaction_key.cache_clear()


def _data(usage: int, context: bytes) -> bytes:
    """Input of the derivation function: version 1, block 1, usage, AES-128, 128 bits, context (8 bytes)."""
    return struct.pack(">BBHHH", 1, 1, usage, _AES_128, 128) + context


def _encrypt(parent: bytes, data: bytes) -> bytes:
    return Cipher(algorithms.AES(parent), modes.ECB()).encryptor().update(data)
