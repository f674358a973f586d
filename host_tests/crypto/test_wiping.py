# SPDX-License-Identifier: MIT
"""Wiping, seen in the memory of the objects: neither a key nor any part of its schedule is left."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from host_tests.inside.inside import Inside

DATA_KEY, SEAL_KEY = bytes(range(0x40, 0x50)), bytes(range(0xA0, 0xB0))


def traces(memory: bytes, key: bytes) -> list[int]:
    """Where four neighbouring bytes of a key show."""
    return [at for at in range(len(key) - 3) if memory.find(key[at : at + 4]) >= 0]


@pytest.mark.parametrize("use", [0, 1, 2])
@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("size", [16, 32])
def test_a_wiped_cipher_holds_nothing_of_its_key(inside: Inside, size: int, mode: int, use: int) -> None:
    """ECB and CBC, 128 and 256 bits; not yet used, used to encrypt, used to decrypt."""
    key = random.Random(size).randbytes(size)
    before, after = (bytes.fromhex(memory) for memory in inside("crypto", "wiped", key.hex(), mode, use))
    assert traces(before, key), "the control: before wiping the key is there"
    assert not traces(after, key)
    if use:  # the round keys follow one another; every one of them is gone
        first = next(at for at in range(0, 65, 4) if before[at : at + 4] != after[at : at + 4])
        assert after[first : first + 16 * (7 + size // 4)] == bytes(16 * (7 + size // 4))


@pytest.mark.parametrize("used", [False, True])
def test_a_wiped_sealer_holds_nothing_of_its_keys(inside: Inside, used: bool) -> None:
    """Also one that never sealed anything, because the journal was full."""
    before, after = (
        bytes.fromhex(part) for part in inside("crypto", "wiped_objects", DATA_KEY.hex(), SEAL_KEY.hex(), used)
    )
    zero = Cipher(algorithms.AES(SEAL_KEY), modes.ECB()).encryptor().update(bytes(16))
    subkey = (int.from_bytes(zero, "big") << 1 ^ (0x87 if zero[0] & 0x80 else 0)) & ((1 << 128) - 1)
    secrets = (DATA_KEY, SEAL_KEY, subkey.to_bytes(16, "big"))
    for secret in secrets:
        assert traces(before, secret), "the control"
        assert not traces(after, secret)
