# SPDX-License-Identifier: MIT
"""AES DUKPT on the device, against the published vectors and against the host's derivation."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from host_tests.harness.crypto import many
from host_tests.harness.crypto.many import BDK, DEVICE, IKID, INITIAL
from host_tests.harness.in_micropython.runner import Inside, share
from tools.host.keys import dukpt

MAC_GEN, MAC_VER, DATA_ENC, DATA_DEC, PIN = 0x2000, 0x2001, 0x3000, 0x3001, 0x1000
# ANSI X9.24-3:2017, supplement: counter, MAC generation, MAC verification, data encryption
PUBLISHED = """
01 a2dc23de6fde0824a2bc321e08e4b8b7 dbb463945b286c07cd3ad82ee96fd9c9 a35c412efd41fdb98b69797c02dcd08f
02 484c3b06e8562704528cd5b46fb12fb6 6ca3f901bbca029ae5a6ee2f4c70b101 d639514aa33ac43ad9229e433d6d4e5b
03 a5df7d9d800ca769766f0c77ca4e6e6c bdfc0690bf2afab46238a03308541f99 ef17f6ab45b4820c93a3dcb21bc491ad
04 e6e4679647d8a9057c1fc15537cb4c4e 9b7f2a033461a60f1e957522514fc833 b3bd44c08bb6ba27c3bb4711d7d70387
05 0588185fe1ff8c7e22fad78c1c61f065 75923e6509a80723c60db75884f4c984 ca02df6f30b39e14bd0b4a30e460920f
06 7b60f72a5639c0ee7eb2100fa80bb793 fdb53f4462ee4b39ee84ef1450a0b54b c9b8a7c4e486180b2229115164f0b293
07 baa08ca263c69525bc6b1ba8f4275d69 03130a11aad3f068f8d373ddde93e400 0fa8f1f0a2dd7b1005a862d77cded698
08 6fd572e5d59e618875f193484f9178fb 4cb304cfba8a10ed4535321f4245e5b7 650f34204abd4e57764d61ac3d266fb1
"""
VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "aes_dukpt.json"
SEED = 20260817


def working(inside: Inside, counter: int, *usages: int) -> tuple[int, list[str]]:
    """The counter that was used, and the working keys of `usages`, which the device derives two at a time."""
    keys: list[str] = []
    taken = 0
    for index in range(0, len(usages), 2):
        one, two = usages[index], usages[min(index + 1, len(usages) - 1)]
        taken, *pair = inside("crypto", "working_keys", INITIAL, DEVICE, counter, one, two)
        keys += pair
    return taken, keys[: len(usages)]


@pytest.mark.parametrize("line", PUBLISHED.split("\n")[1:-1])
def test_published_vectors_are_reproduced(inside: Inside, line: str) -> None:
    counter, *keys = line.split()
    assert working(inside, int(counter, 16), MAC_GEN, MAC_VER, DATA_ENC) == (int(counter, 16), keys)


def test_all_published_vectors_beside_the_checkout_are_reproduced(inside: Inside) -> None:
    if not VECTORS.exists():
        pytest.skip("no published AES DUKPT vectors beside this checkout")
    vectors = json.loads(VECTORS.read_text())
    assert (vectors["ik128"], vectors["ikid"], vectors["bdk128"]) == (INITIAL, IKID.hex(), BDK.hex())
    print(f"{len(vectors['keys'])} counters, 5 keys each")
    for entry in vectors["keys"]:
        counter = int(entry["tc"], 16)
        _, keys = working(inside, counter, PIN, MAC_GEN, MAC_VER, DATA_ENC, DATA_DEC)
        assert keys == [entry[name] for name in ("pin", "mac_gen", "mac_ver", "data_enc", "data_dec")]


def odd_counters() -> list[int]:
    """Every power of two, the neighbours of 0x1FFFE, and counters with sixteen one bits."""
    dice = random.Random(SEED)
    found = [1 << bit for bit in range(32)] + list(range(0x1FFF8, 0x20004))
    found += [sum(1 << bit for bit in dice.sample(range(32), 16)) for _ in range(40)]
    found += [0xFFFF0000, 0xFFFE8000, 0x0000FFFF, 0x8000FFFE]
    return [counter for counter in found if counter <= 0xFFFF0000]


def test_the_host_derives_the_same_keys(inside: Inside) -> None:
    """300 random counters and those of `odd_counters`. For an invalid counter, the device uses the next valid one."""
    dice = random.Random(SEED)
    counters = odd_counters() + [dice.randrange(1, 1 << dice.randrange(4, 32)) for _ in range(300)]
    print(f"seed {SEED}: {len(counters)} counters")
    for counter in counters:
        valid = counter
        while not dukpt.is_counter(valid):
            valid += 1
        taken, keys = working(inside, counter, DATA_ENC, 0x2002)
        assert taken == valid
        ksn = IKID + valid.to_bytes(4, "big")
        assert keys == [dukpt.working_key(BDK, ksn, usage).hex() for usage in (DATA_ENC, 0x2002)], hex(counter)


@pytest.mark.parametrize("start", [1, 0x7F0, 0xFFF8, 0x1FFF0, 0x0FFFF000, 0x7FFF7FF0])
def test_consecutive_keys_agree_with_the_host(inside: Inside, start: int) -> None:
    """Takes keys one after the other, as the terminal does, so that registers are filled and emptied."""
    run = inside("crypto", "run", INITIAL, DEVICE, start, 150)
    expected = [counter for counter in range(start, start + 70000) if dukpt.is_counter(counter)][:150]
    assert [counter for counter, _, _ in run] == expected
    for counter, data, seal in run:
        ksn = IKID + counter.to_bytes(4, "big")
        assert (data, seal) == (dukpt.working_key(BDK, ksn, DATA_ENC).hex(), dukpt.working_key(BDK, ksn, 0x2002).hex())


def test_counters_with_too_many_one_bits_are_skipped_and_the_last_is_ffff0000(inside: Inside) -> None:
    """Fifteen, sixteen and seventeen one bits in the low, middle and high bits. No counter follows FFFF0000."""
    assert inside("crypto", "counters", 0x7FFE, 3) == [0x7FFF, 0x8000, 0x8001]
    assert inside("crypto", "counters", 0xFFFE, 3) == [0xFFFF, 0x10000, 0x10001]
    assert inside("crypto", "counters", 0x1FFFC, 4) == [0x1FFFD, 0x1FFFE, 0x20000, 0x20001]
    assert inside("crypto", "counters", 0x3FFF9, 3) == [0x3FFFA, 0x3FFFC, 0x40000]
    assert inside("crypto", "counters", 0xFFFE8000, 2) == [0xFFFF0000, "KeyringError"]
    assert inside("crypto", "counters", 0xFFFEFFFF, 2) == [0xFFFF0000, "KeyringError"]
    assert inside("crypto", "counters", 0xFFFF0000, 1) == ["KeyringError"]


def test_the_update_key_is_the_published_one(inside: Inside) -> None:
    """ANSI X9.24-3, supplement. The host derives the same key."""
    key = inside("crypto", "update_key", INITIAL, DEVICE)
    assert key.upper() == "9A9770AEE1ACD1B13473D0463A1883B9"
    assert key == dukpt.working_key(BDK, IKID + b"\xff" * 4, 0x0002).hex()


def test_2_to_the_16_keys_at_random_counters_agree_with_the_host(inside: Inside) -> None:
    """Both keys at each counter, with runs across skipped counters. With both interpreters present, each tests half."""
    which, of = share(inside)
    plans = many.plans(1 << 16, SEED)
    takes, mismatches = many.check(inside, plans[which::of])
    print(f"seed {SEED}: {takes} of at least {1 << 16} takes here, {mismatches} mismatches")
    assert not mismatches and takes * of >= 1 << 16


def test_the_comparison_detects_a_wrong_initial_key(inside: Inside) -> None:
    """Control test: with another initial key, every key differs from the host's."""
    takes, mismatches = many.check(inside, many.plans(64, SEED)[:1], initial="00" + INITIAL[2:])
    assert takes == mismatches > 0


@pytest.mark.parametrize("counter", [1, 2, 6, 0x800, 0x1FFFE, 0x10001])
def test_a_used_key_cannot_be_derived_again(inside: Inside, counter: int) -> None:
    """No register or buffer holds the transaction key or its ancestors. What is left derives only later keys."""
    store, work = (bytes.fromhex(part) for part in inside("crypto", "residue", INITIAL, DEVICE, counter))
    forbidden = {dukpt.initial_key(BDK, IKID)}
    ancestor = counter
    while ancestor:
        forbidden.add(dukpt.transaction_key(BDK, IKID, ancestor))
        ancestor &= ancestor - 1
    left = {store[at : at + 16] for at in range(0, 512, 16)}
    assert not forbidden & (left | {work[at : at + 16] for at in (0, 16)})
    following = counter + 1
    while not dukpt.is_counter(following):
        following += 1
    lineage = set()
    while following:
        lineage.add(dukpt.transaction_key(BDK, IKID, following))
        following &= following - 1
    assert lineage & left, "the next key can still be derived"
