# SPDX-License-Identifier: MIT
"""TR-31 key blocks made by psec: the device opens valid blocks and refuses all others."""

from __future__ import annotations

import psec
import pytest

from host_tests.harness.in_micropython.runner import Inside, InsideError
from tools.host.keys import dukpt
from tools.host.keys.host_keys import TEST_BDK
from tools.provision.device import initial_key_block

KBPK = bytes(range(16))
IKID = bytes.fromhex("1234567890123456")


def block(usage: str = "B1", mode: str = "X", **blocks: str) -> str:
    """A key block made by psec. `blocks`: optional blocks beside IK (initial key id); an empty value omits one."""
    header = psec.tr31.Header(version_id="D", key_usage=usage, algorithm="A", mode_of_use=mode, exportability="N")
    for name, value in {"IK": IKID.hex().upper(), **blocks}.items():
        if value:
            header.blocks[name] = value
    return psec.tr31.wrap(KBPK, header, dukpt.initial_key(TEST_BDK, IKID))


def assert_refused(inside: Inside, text: str, kbpk: bytes = KBPK) -> None:
    with pytest.raises(InsideError) as failure:
        inside("crypto", "unwrap", kbpk.hex(), text)
    assert failure.value.kind == "CryptoError"
    assert failure.value.message == "initial key block refused"


def test_the_provisioned_block_is_opened(inside: Inside) -> None:
    expected = [dukpt.initial_key(TEST_BDK, IKID).hex(), IKID.hex()]
    assert inside("crypto", "unwrap", KBPK.hex(), initial_key_block(KBPK, IKID, TEST_BDK).decode()) == expected
    assert inside("crypto", "unwrap", KBPK.hex(), block(KS="00604B120F9292800000", TS="20260817120000Z")) == expected


def test_every_flipped_bit_is_refused(inside: Inside) -> None:
    text = initial_key_block(KBPK, IKID, TEST_BDK).decode()
    tried, taken = inside("crypto", "refusals", KBPK.hex(), text)
    print(f"{tried} flipped bits")
    assert tried == 8 * len(text) and taken == []


def test_other_kinds_of_block_are_refused(inside: Inside) -> None:
    assert_refused(inside, block(usage="P0", mode="E"))
    assert_refused(inside, block(mode="N"))
    assert_refused(inside, block(IK=""))
    assert_refused(inside, block(IK="1234567890"))
    assert_refused(inside, "B" + block()[1:])


def test_another_protection_key_is_refused(inside: Inside) -> None:
    assert_refused(inside, block(), bytes(16))


@pytest.mark.parametrize("text", ["", "D", "D0144B1AX00N0100", "D" * 144, "0" * 144, "D0144B1AX00N9900" + "0" * 128])
def test_garbage_is_refused(inside: Inside, text: str) -> None:
    assert_refused(inside, text)


def test_truncated_and_extended_blocks_are_refused(inside: Inside) -> None:
    text = block()
    for size in range(0, len(text), 7):
        assert_refused(inside, text[:size])
    assert_refused(inside, text + "0" * 16)
    assert_refused(inside, text + "\n")
