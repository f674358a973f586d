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


def initial_key(bdk: bytes, ikid: bytes) -> bytes:
    """The 16-byte initial key of the device whose initial key id is `ikid` (8 bytes)."""
    return _derive(bdk, _INITIAL_KEY, ikid)


@lru_cache(maxsize=65536)
def transaction_key(bdk: bytes, ikid: bytes, counter: int) -> bytes:
    """The 16-byte key of one transaction: one derivation per one-bit of the counter, highest bit first.

    Intermediate keys are cached, because neighbouring counters share all but the last step.
    """
    lowest = counter & -counter
    parent = initial_key(bdk, ikid) if counter == lowest else transaction_key(bdk, ikid, counter ^ lowest)
    return _derive(parent, _KEY_DERIVATION, ikid[4:] + struct.pack(">I", counter))


def working_key(bdk: bytes, ksn: bytes, usage: int) -> bytes:
    """The 16-byte working key of a KSN (12 bytes: initial key id, counter) for one usage."""
    ikid, counter = ksn[:8], int.from_bytes(ksn[8:], "big")
    return _derive(transaction_key(bdk, ikid, counter), usage, ksn[4:])


def _derive(parent: bytes, usage: int, context: bytes) -> bytes:
    """One block of the derivation function: version 1, block 1, usage, AES-128, 128 bits, context (8 bytes)."""
    data = struct.pack(">BBHHH", 1, 1, usage, _AES_128, 128) + context
    encryptor = Cipher(algorithms.AES(parent), modes.ECB()).encryptor()
    return encryptor.update(data)
