# SPDX-License-Identifier: MIT
"""The host opens and verifies a record sealed on the device, with keys that it derives itself."""

from __future__ import annotations

import random

import pytest

from host_tests.harness.in_micropython.runner import Inside
from tools.host.errors import SealError
from tools.host.keys import dukpt, seal
from tools.host.keys.host_keys import TEST_BDK, TestKeys

IKID = bytes.fromhex("1234567890123456")
TRACK = bytes.fromhex("57136222020000000001D30122011234500000000F")


def record(counter: int, body: bytes, nonce: bytes) -> bytes:
    """A record of 240 bytes in clear: header, nonce, body."""
    header = bytes.fromhex("5122000100000007") + b"uid of sixteen b" + bytes.fromhex("000000001200 0156 000042 000001")
    header += counter.to_bytes(4, "big") + bytes.fromhex("07 01 2faf0807 622202 0001 00 0000") + bytes(8)
    return header + nonce + body.ljust(160, b"\0")


def sealed(inside: Inside, counter: int, clear: bytes) -> bytes:
    ksn = IKID + counter.to_bytes(4, "big")
    keys = [dukpt.working_key(TEST_BDK, ksn, usage).hex() for usage in (dukpt.DATA_ENCRYPT, dukpt.MAC_BOTH_WAYS)]
    return bytes.fromhex(inside("crypto", "seal", *keys, clear.hex()))


@pytest.mark.parametrize("counter", [1, 2047, 2048, 0x1FFFE])
def test_the_host_opens_what_the_device_sealed(inside: Inside, counter: int) -> None:
    clear = record(counter, TRACK, random.Random(counter).randbytes(16))
    raw = sealed(inside, counter, clear)
    assert len(raw) == seal.SIZE and raw[:64] == clear[:64] and TRACK not in raw
    found = seal.parse(raw)
    assert (found.amount, found.stan, found.counter, found.first6, found.last4) == (
        1200,
        "000042",
        counter,
        "622202",
        "0001",
    )
    assert seal.holds(found, seal.recomputed_tag(found, TestKeys(), IKID))
    assert seal.open_body(found, TestKeys(), IKID) == {"57": TRACK[2:]}


def test_a_flipped_byte_breaks_the_seal(inside: Inside) -> None:
    raw = sealed(inside, 5, record(5, TRACK, bytes(16)))
    for offset in range(len(raw)):
        bad = bytearray(raw)
        bad[offset] ^= 1
        try:
            found = seal.parse(bytes(bad))
            assert not seal.holds(found, seal.recomputed_tag(found, TestKeys(), IKID))
        except SealError:
            pass


def test_another_nonce_changes_every_block_of_the_body(inside: Inside) -> None:
    one, two = (sealed(inside, 5, record(5, TRACK, bytes([value]) * 16)) for value in (1, 2))
    assert not {one[at : at + 16] for at in range(64, 240, 16)} & {two[at : at + 16] for at in range(64, 240, 16)}
