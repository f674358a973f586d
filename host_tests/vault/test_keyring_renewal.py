# SPDX-License-Identifier: MIT
"""The end of one set of keys and the start of the next: exhaustion, the update key, renewal, and states of format 1."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest

from host_tests.harness.inside.inside import Inside
from host_tests.harness.vault.keyrings import BLOCK, IKID, NEXT, Ring, all_secrets, renewal, staged
from tools.host import dukpt

THIRD = bytes.fromhex("1234567890123458")
GOLDEN = Path(__file__).parent / "golden" / "keyring_format_1.b64"
TEARS = ("none", "half", "all", "random:5", "prefix:16", "prefix:300")
# the last counters: fifteen ones with each of the sixteen low bits, then the very last
LAST = [0xFFFE0000, *(0xFFFE0000 | 1 << bit for bit in range(16)), 0xFFFF0000]


@pytest.fixture
def ring(inside: Inside, tmp_path: Path) -> Ring:
    return Ring(inside, tmp_path / "keyring.bin").set(staged())


@pytest.fixture
def old(inside: Inside, tmp_path: Path) -> Ring:
    """A partition written by the firmware before format 2: two lives, three keys, two STANs."""
    image = zlib.decompress(base64.b64decode(GOLDEN.read_text()))
    return Ring(inside, tmp_path / "old.bin").set(image, [(IKID.hex(), at) for at in (1, 2, BLOCK)], [1, BLOCK + 1])


def test_the_last_keys_and_then_none(ring: Ring) -> None:
    """Every counter up to FFFF0000 is used, none after it, none twice, and a used-up keyring writes nothing."""
    result = ring.live([["jump", 0xFFFE0000], "stan", *["take"] * 20])
    assert (ring.counters, result["error"]) == (LAST, "KeyringError")
    assert result["reason"] == "transaction counter exhausted"
    ring.secret_kept()
    for _ in range(3):
        result = ring.live(["take"])
        assert (result["error"], result["keys"], result["operations"]) == ("KeyringError", [], 0)
        assert ring.live(["stan"])["error"] == "KeyringError"


def test_no_key_comes_back_after_a_cut_at_the_end(ring: Ring) -> None:
    """The last block is reserved like any other: restarts give keys up, never out again."""
    ring.live([["jump", 0xFFFEFF00], "take"])
    while not ring.live(["take"])["error"]:
        ring.nothing_twice()
    assert ring.counters[-1] <= 0xFFFF0000 and all(map(dukpt.is_counter, ring.counters))
    ring.nothing_twice()


@pytest.mark.parametrize("steps", [[], ["take", "stan"], [["jump", 0xFFFE0000], "stan", *["take"] * 18]])
def test_renewal_replaces_everything(ring: Ring, steps: list[object]) -> None:
    """Before the first key, in the middle and at the very end. STANs run on; nothing of the old keys or the block is left."""
    assert not ring.live(steps)["error"]
    result = ring.live([renewal(), "take", "stan", "take"])
    assert (result["error"], result["id"], result["block_left"]) == ("", NEXT.hex(), False)
    assert ring.keys[-2:] == [(NEXT.hex(), 1), (NEXT.hex(), 2)]
    assert all(len(sectors) == 1 for _, _, sectors, _ in result["keys"])
    ring.nothing_twice()
    ring.secret_kept()
    assert all_secrets(ring, IKID) == []
    again = ring.live(["take", renewal(NEXT, THIRD), "take"])
    assert (again["error"], ring.keys[-1]) == ("", (THIRD.hex(), 1))
    assert all_secrets(ring, IKID, NEXT) == []


def test_the_control_an_update_key_is_found(ring: Ring) -> None:
    """The search above sees the update key while it is in use, and the keys to come."""
    ring.live([])
    assert "update key" in all_secrets(ring, IKID) and len(all_secrets(ring, IKID)) > 2


def test_renewal_is_refused_and_nothing_changes(ring: Ring, old: Ring) -> None:
    """Another wrapping key, the same keys again, the last renewal again, keys that came without an update key."""
    ring.live(["take", "stan"])
    damaged = renewal()[1]
    cases = {
        "CryptoError": (renewal(kbpk=bytes(16)), ["renew", damaged[:-1] + ("0" if damaged[-1] != "0" else "1")]),
        "KeyringError": (renewal(new=IKID),),
    }
    for error, steps in cases.items():
        for step in steps:
            before = ring.data
            result = ring.live([step])
            assert (result["error"], result["operations"], result["block_left"]) == (error, 0, False)
            assert ring.data == before
    assert not ring.live([renewal(), "take"])["error"]
    assert ring.live([renewal()])["error"] == "CryptoError", "its wrapping key is gone"
    before = old.data
    result = old.live([renewal()])
    assert (result["error"], result["operations"]) == ("KeyringError", 0) and "update key" in result["reason"]
    assert old.data == before and not old.live(["take"])["error"]
    assert old.live([renewal()])["error"] == "KeyringError", "format 2 now, and still none"


def cut_everywhere(ring: Ring, steps: list[object], allowed: set[str]) -> int:
    """Each flash operation of a life, each way of tearing it; then boot, which must find keys of one of the allowed ids."""
    start, keys, stans = ring.data, list(ring.keys), list(ring.stans)
    total = ring.live(steps, seed=2)["operations"]
    seen, cuts = set(), 0
    for operation in range(1, total + 1):
        for tear in TEARS:
            ring.set(start, keys, stans)
            assert ring.live(steps, operation, tear, seed=2)["cut"]
            ring.secret_kept()
            result = ring.live([])
            assert len(result["opened"]) == 1 and not result["error"], (operation, tear, result)
            seen.add(result["id"])
            if result["id"] != IKID.hex():
                assert all_secrets(ring, IKID, thorough=False) == []
            for _ in range(2):
                again = ring.live(["take", "stan", "take"], seed=3)
                assert not again["error"] and len(again["keys"]) == 2
                ring.secret_kept()
            ring.nothing_twice()
            cuts += 1
    assert seen == allowed
    return cuts


def test_power_cut_at_every_operation_of_a_renewal(ring: Ring) -> None:
    """The old keys or the new ones, never none, and never both in flash after boot."""
    ring.live(["take", "stan"])
    cuts = cut_everywhere(ring, ["take", renewal(), "take"], {IKID.hex(), NEXT.hex()})
    print(f"renewal: {cuts} cuts")
    assert cuts >= 21 * len(TEARS)


def test_a_state_of_format_1_goes_on(old: Ring) -> None:
    """It is opened as it is, nothing is written until a key is taken, and its counters and STANs run on in format 2."""
    before = old.data
    assert before[4096 * old.state_sector() + 2] == 1
    for _ in range(3):
        result = old.live([])
        assert (result["error"], result["operations"], result["damaged"]) == ("", 0, 0)
    assert old.data == before
    result = old.live(["take", "stan", "take"])
    assert old.counters[-2:] == [2 * BLOCK, 2 * BLOCK + 1] and old.stans[-1] == 2 * BLOCK + 1
    assert old.data[4096 * old.state_sector() + 2] == 2 and not result["error"]
    old.nothing_twice()
    old.secret_kept()


def test_power_cut_at_every_operation_of_a_migration(old: Ring) -> None:
    cuts = cut_everywhere(old, ["take", "stan", "take"], {IKID.hex()})
    print(f"migration: {cuts} cuts")
    assert cuts >= 7 * len(TEARS)


def test_one_copy_of_format_1_is_enough(old: Ring) -> None:
    image = old.data
    base = 4096 * old.state_sector()
    for broken in (0, 2048):
        data = bytearray(image)
        data[base + broken + 100] ^= 4
        result = old.set(bytes(data)).live(["take", "stan"])
        assert (result["error"], result["damaged"], old.counters, old.stans) == ("", 1, [2 * BLOCK], [2 * BLOCK + 1])


def test_a_later_format_is_left_alone(ring: Ring) -> None:
    """What a later firmware wrote is not for this one to read, nor to erase."""
    ring.live(["take"])
    data = bytearray(ring.data)
    base = 4096 * ring.state_sector()
    data[base + 2] = data[base + 2048 + 2] = 3
    assert ring.set(bytes(data)).live(["take"])["error"] == "KeyringError"
    assert ring.data == bytes(data)
