# SPDX-License-Identifier: MIT
"""Wiping of keys, checked in the memory of the objects: neither the key nor its round keys are left."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from host_tests.harness.in_micropython.runner import Inside, InsideError, interpreter_of
from tools.world.power import AES_ESP32

DATA_KEY, SEAL_KEY = bytes(range(0x40, 0x50)), bytes(range(0xA0, 0xB0))


# An AES object that holds only a reference; the key is elsewhere in memory.
HIDDEN = """
import ucryptolib

class aes:
    def __init__(self, *given):
        self._cipher = ucryptolib.aes(*given)

    def encrypt(self, *given):
        return self._cipher.encrypt(*given)

    def decrypt(self, *given):
        return self._cipher.decrypt(*given)
"""


@pytest.fixture(scope="module", params=["64", "32"])
def esp32(request: pytest.FixtureRequest) -> Iterator[Inside]:
    """An interpreter whose AES objects have the memory layout of an ESP32."""
    with Inside(interpreter_of(request.param), overlay=AES_ESP32) as worker:
        yield worker


def traces(memory: bytes, key: bytes) -> list[int]:
    """The key offsets whose four bytes occur in `memory`."""
    return [at for at in range(len(key) - 3) if memory.find(key[at : at + 4]) >= 0]


@pytest.mark.parametrize("use", [0, 1, 2])
@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("size", [16, 32])
def test_a_wiped_cipher_holds_nothing_of_its_key(inside: Inside, size: int, mode: int, use: int) -> None:
    """ECB and CBC; 128 and 256 bits; unused, used to encrypt, used to decrypt."""
    key = random.Random(size).randbytes(size)
    before, after = (bytes.fromhex(memory) for memory in inside("crypto", "wiped", key.hex(), mode, use))
    assert traces(before, key), "control: the key is there before wiping"
    assert not traces(after, key)
    if use:  # the round keys are contiguous: all are wiped
        first = next(at for at in range(0, 65, 4) if before[at : at + 4] != after[at : at + 4])
        assert after[first : first + 16 * (7 + size // 4)] == bytes(16 * (7 + size // 4))


@pytest.mark.parametrize("used", [False, True])
def test_a_wiped_sealer_holds_nothing_of_its_keys(inside: Inside, used: bool) -> None:
    """Also if it never sealed anything, because the journal was full."""
    before, after = (
        bytes.fromhex(part) for part in inside("crypto", "wiped_objects", DATA_KEY.hex(), SEAL_KEY.hex(), used)
    )
    zero = Cipher(algorithms.AES(SEAL_KEY), modes.ECB()).encryptor().update(bytes(16))
    subkey = (int.from_bytes(zero, "big") << 1 ^ (0x87 if zero[0] & 0x80 else 0)) & ((1 << 128) - 1)
    secrets = (DATA_KEY, SEAL_KEY, subkey.to_bytes(16, "big"))
    for secret in secrets:
        assert traces(before, secret), "control: the key is there before wiping"
        assert not traces(after, secret)


@pytest.mark.parametrize("use", [0, 1, 2])
@pytest.mark.parametrize("mode", [1, 2])
@pytest.mark.parametrize("size", [16, 32])
def test_on_an_esp32_a_wiped_cipher_holds_nothing_of_its_key(esp32: Inside, size: int, mode: int, use: int) -> None:
    """The ESP32 object holds the plain key, at one offset before its first use and at another one after it."""
    key = random.Random(size).randbytes(size)
    before, after = (bytes.fromhex(memory) for memory in esp32("crypto", "wiped", key.hex(), mode, use))
    word = before.find(key) - (2 if use else 0)
    assert word in (4, 8), "the layout on the ESP32"
    held = word + 34  # IV, mode and direction follow; the memory after that is not part of the object
    assert traces(before[:held], key) == list(range(size - 3)), "control: the key is there before wiping"
    assert not traces(after[:held], key)
    assert after[held:] == before[held:] and after[:word] == before[:word]


def test_on_an_esp32_the_self_test_passes_and_the_seal_is_the_same(esp32: Inside, inside: Inside) -> None:
    record = random.Random(1).randbytes(240).hex()
    assert esp32("crypto", "self_test", "good") == "passed"
    assert esp32("crypto", "seal", DATA_KEY.hex(), SEAL_KEY.hex(), record) == inside(
        "crypto", "seal", DATA_KEY.hex(), SEAL_KEY.hex(), record
    )


@pytest.mark.parametrize("bits", ["64", "32"])
def test_the_self_test_fails_if_it_cannot_find_the_key_in_memory(bits: str, tmp_path: Path) -> None:
    (tmp_path / "cryptolib.py").write_text(HIDDEN)
    with Inside(interpreter_of(bits), overlay=tmp_path) as inside:
        with pytest.raises(InsideError, match="key wiping self-test"):
            inside("crypto", "self_test", "good")
