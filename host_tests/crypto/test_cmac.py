# SPDX-License-Identifier: MIT
"""AES-CMAC in MicroPython, against the examples of RFC 4493 and against `cryptography` at many lengths."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from host_tests.harness.in_micropython.runner import Inside, InsideError

KEY = "2b7e151628aed2a6abf7158809cf4f3c"
MESSAGE = (
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
RFC_4493 = {
    0: "bb1d6929e95937287fa37d129b756746",
    16: "070a16b46b4d4144f79bdd9dd04a287c",
    40: "dfa66747de9ae63030ca32611497c827",
    64: "51f0bebf7e3b9d92fc49741779363cfe",
}


@pytest.mark.parametrize("size", RFC_4493)
def test_rfc_4493_examples_are_reproduced(inside: Inside, size: int) -> None:
    """With a new object, and with one that has already tagged another message."""
    assert inside("crypto", "cmac", KEY, MESSAGE[: 2 * size]) == [RFC_4493[size]] * 3


@pytest.mark.parametrize("key_size", [16, 32])
def test_every_length_up_to_a_record_agrees_with_cryptography(inside: Inside, key_size: int) -> None:
    dice = random.Random(key_size)
    for size in [*range(70), 239, 240, 241, 247, 248, 249, 511, 512]:
        key, message = dice.randbytes(key_size), dice.randbytes(size)
        mac = CMAC(AES(key))
        mac.update(message)
        assert inside("crypto", "cmac", key.hex(), message.hex()) == [mac.finalize().hex()] * 3


def test_device_keys_are_derived_from_the_secret_and_the_purpose(inside: Inside) -> None:
    secret = bytes(range(100, 132))
    expected = []
    for purpose in (b"journal", b"keyring", b"settings", b"kbpk"):
        mac = CMAC(AES(secret))
        mac.update(purpose)
        expected.append(mac.finalize().hex())
    assert inside("crypto", "device_keys", secret.hex()) == expected


def test_self_test_passes_with_good_entropy(inside: Inside) -> None:
    assert inside("crypto", "self_test", "good") == "passed"


@pytest.mark.parametrize("source", ["zeros", "ones", "repeating", "few"])
def test_self_test_fails_when_entropy_is_stuck(inside: Inside, source: str) -> None:
    with pytest.raises(InsideError) as failure:
        inside("crypto", "self_test", source)
    assert failure.value.kind == "CryptoError" and "entropy" in failure.value.message
