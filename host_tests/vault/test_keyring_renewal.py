# SPDX-License-Identifier: MIT
"""The end of one key set and the start of the next: exhaustion, the update key, renewal, and format 1 states."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.keyrings import BLOCK, IKID, NEXT, Ring, all_secrets, renewal, staged
from tools.host.keys import dukpt

THIRD = bytes.fromhex("1234567890123458")
GOLDEN = Path(__file__).parent / "golden" / "keyring_format_1.b64"
TEARS = ("none", "half", "all", "random:5", "prefix:16", "prefix:300")
# the last counters: fifteen one-bits plus each of the sixteen low bits, then the very last
LAST = [0xFFFE0000, *(0xFFFE0000 | 1 << bit for bit in range(16)), 0xFFFF0000]


@pytest.fixture
def ring(inside: Inside, tmp_path: Path) -> Ring:
    return Ring(inside, tmp_path / "keyring.bin").set(staged())


@pytest.fixture
def old(inside: Inside, tmp_path: Path) -> Ring:
    """A partition written by the firmware before format 2: two lives, three keys, two STANs."""
    image = zlib.decompress(base64.b64decode(GOLDEN.read_text()))
    return Ring(inside, tmp_path / "old.bin").set(image, [(IKID.hex(), at) for at in (1, 2, BLOCK)], [1, BLOCK + 1])


def test_the_last_keys_are_used_once_and_then_there_are_none(ring: Ring) -> None:
    """Every counter up to FFFF0000 is used once, none after it. An exhausted keyring writes nothing."""
    result = ring.live([["jump", 0xFFFE0000], "stan", *["take"] * 20])
    assert (ring.counters, result["error"]) == (LAST, "KeyringError")
    assert result["reason"] == "transaction counter exhausted"
    ring.secret_kept()
    for _ in range(3):
        result = ring.live(["take"])
        assert (result["error"], result["keys"], result["operations"]) == ("KeyringError", [], 0)
        assert ring.live(["stan"])["error"] == "KeyringError"


def test_restarts_at_the_end_reuse_no_key(ring: Ring) -> None:
    """The last block is reserved like any other: a restart discards keys and never reissues them."""
    ring.live([["jump", 0xFFFEFF00], "take"])
    while not ring.live(["take"])["error"]:
        ring.nothing_twice()
    assert ring.counters[-1] <= 0xFFFF0000 and all(map(dukpt.is_counter, ring.counters))
    ring.nothing_twice()


@pytest.mark.parametrize("steps", [[], ["take", "stan"], [["jump", 0xFFFE0000], "stan", *["take"] * 18]])
def test_renewal_replaces_everything(ring: Ring, steps: list[object]) -> None:
    """Before the first key, in the middle and at the end. STANs continue; no trace of old keys or key block is left."""
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


def test_the_control_finds_an_update_key_in_use(ring: Ring) -> None:
    """The search also finds the current update key and future keys."""
    ring.live([])
    assert "update key" in all_secrets(ring, IKID) and len(all_secrets(ring, IKID)) > 2


def test_a_refused_renewal_changes_nothing(ring: Ring, old: Ring) -> None:
    """Wrong wrapping key, the same keys again, a repeated renewal, or a keyring without an update key."""
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
    assert old.live([renewal()])["error"] == "KeyringError", "format 2 now, still no update key"


def cut_everywhere(ring: Ring, steps: list[object], allowed: set[str]) -> int:
    """Cut a life at each flash operation with each tear; then boot must find keys with an allowed id. Returns the count."""
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


def test_a_power_cut_at_any_operation_of_a_renewal_leaves_old_or_new_keys(ring: Ring) -> None:
    """Never none, and never both in flash after boot."""
    ring.live(["take", "stan"])
    cuts = cut_everywhere(ring, ["take", renewal(), "take"], {IKID.hex(), NEXT.hex()})
    print(f"renewal: {cuts} cuts")
    assert cuts >= 21 * len(TEARS)


def test_a_state_of_format_1_is_continued_in_format_2(old: Ring) -> None:
    """Nothing is written until a key is taken; then counters and STANs continue."""
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


def test_a_power_cut_at_any_operation_of_a_migration_keeps_the_keys(old: Ring) -> None:
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


def test_a_later_format_is_refused_and_not_changed(ring: Ring) -> None:
    """This firmware neither reads nor erases what a later firmware wrote."""
    ring.live(["take"])
    data = bytearray(ring.data)
    base = 4096 * ring.state_sector()
    data[base + 2] = data[base + 2048 + 2] = 3
    assert ring.set(bytes(data)).live(["take"])["error"] == "KeyringError"
    assert ring.data == bytes(data)
