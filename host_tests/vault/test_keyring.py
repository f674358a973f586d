# SPDX-License-Identifier: MIT
"""The keyring: no key or STAN is used twice, keys never run out, and old states are erased before a new key is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import Inside, share
from host_tests.harness.vault import dump
from host_tests.harness.vault.keyrings import BLOCK, COPY, IKID, SECRET, SECTORS, SIZE, Ring, staged
from host_tests.harness.vault.lives import TEARS
from tools.host.keys import dukpt
from tools.host.keys.host_keys import TEST_BDK
from tools.provision.device import initial_key_block


@pytest.fixture
def ring(inside: Inside, tmp_path: Path) -> Ring:
    return Ring(inside, tmp_path / "keyring.bin").set(staged())


def test_the_first_load_leaves_one_state_and_no_initial_key(ring: Ring) -> None:
    result = ring.live([])
    assert (result["error"], result["id"], result["opened"]) == ("", IKID.hex(), [1])
    everything = [dukpt.initial_key(TEST_BDK, IKID)]
    assert not any(key in ring.path.read_bytes() for key in everything)
    assert dump.search(ring.path.read_bytes(), SECRET, TEST_BDK, IKID, []) == []
    assert b"D0" not in ring.path.read_bytes()[:4096]


def test_a_block_is_reserved_and_the_old_state_erased_before_its_first_key(ring: Ring) -> None:
    """The next state is the only one in flash when the first key of a block is issued."""
    ring.live([])
    for life in range(1, 12):
        result = ring.live(["take", "stan", "take"])
        alone = [life % (SECTORS - 1) + 1]
        assert [sectors for _, _, sectors, _ in result["keys"]] == [alone, alone]
        ring.secret_kept()
    assert ring.counters[::2] == [max(1, BLOCK * life) for life in range(11)]
    ring.nothing_twice()


def test_a_stan_can_also_cause_a_reservation(ring: Ring) -> None:
    ring.live(["stan", "take"])
    ring.live(["stan", "stan", "take", "stan"])
    assert ring.stans == [1, 1 + BLOCK, 2 + BLOCK, 3 + BLOCK]
    ring.nothing_twice()


def test_a_boot_loop_uses_no_keys_and_writes_nothing(ring: Ring) -> None:
    ring.live([])
    before = ring.path.read_bytes()
    for _ in range(20):
        assert ring.live([])["operations"] == 0
    assert ring.path.read_bytes() == before
    assert [key[0] for key in ring.live(["take", "take"])["keys"]] == [1, 2]


def test_keys_and_stans_run_on_across_blocks_at_small_flash_cost(ring: Ring) -> None:
    """Only the counters that X9.24-3 skips are skipped, across two reservations."""
    counters, stans, erases, programmed = ring.inside("keys", "many", str(ring.path), SECRET.hex(), 5000)
    assert counters == [counter for counter in range(1, 5100) if dukpt.is_counter(counter)][:5000]
    assert stans == list(range(1, 5001))
    print(f"5000 keys: {erases} erases, {programmed} bytes programmed, first load included")
    assert erases <= 5 and programmed / 5000 <= 4
    ring.keys = [(IKID.hex(), counter) for counter in counters]
    ring.secret_kept()


WORK = {
    "first load": (None, ["take", "stan", "take"]),
    "reservation": ([], ["take", "stan", "take"]),
    "reservation by another life": (["take", "stan"], ["take", "stan", "take"]),
    "re-reservation": (["take", "stan"], ["take", ["skip", 2], "take", "take", "take", "stan", "take"]),
    "boot in the same power": (["take"], ["take", "close", "take"]),
}


@pytest.mark.parametrize("work", WORK)
def test_a_power_cut_at_any_operation_reuses_no_key(ring: Ring, work: str) -> None:
    earlier, steps = WORK[work]
    if earlier is not None:
        ring.live(earlier)
    start, keys, stans = ring.data, list(ring.keys), list(ring.stans)
    total = ring.live(steps, seed=2)["operations"]
    cuts = 0
    for operation in range(1, total + 1):
        for tear in (*TEARS, "prefix:300", "prefix:2048"):
            ring.set(start, keys, stans)
            result = ring.live(steps, operation, tear, seed=2)
            assert result["cut"] and not result["error"], result
            ring.secret_kept()
            assert len(ring.live([])["opened"]) == 1, "boot finishes an interrupted erase first"
            for _ in range(2):
                again = ring.live(["take", "stan", "take"], seed=3)
                assert not again["error"] and len(again["keys"]) == 2, (operation, tear, again)
                assert all(len(sectors) == 1 for _, _, sectors, _ in again["keys"])
                ring.secret_kept()
            ring.nothing_twice()
            cuts += 1
    print(f"{work}: {cuts} cuts")
    assert cuts >= 13 * 4


def test_a_power_cut_in_the_boot_after_a_cut_reuses_no_key(ring: Ring) -> None:
    """The second cut interrupts the completion of the interrupted erase."""
    ring.live(["take", "stan"])
    start, keys, stans = ring.data, list(ring.keys), list(ring.stans)
    cuts = 0
    for operation in range(1, 10):
        for tear in ("none", "half", "all", "random:7"):
            ring.set(start)
            if not ring.live(["take"], operation, tear)["cut"]:
                continue
            left = ring.path.read_bytes()
            for second in range(1, 20):
                ring.set(left, keys, stans)
                if not ring.live(["take"], second, tear)["cut"]:
                    break
                assert len(ring.live(["take", "stan"])["keys"]) == 1
                ring.nothing_twice()
                ring.secret_kept()
                cuts += 1
    print(f"{cuts} second cuts")
    assert cuts > 100


def test_a_partition_without_keys_is_refused_and_not_changed(ring: Ring) -> None:
    """Blank, zeros, or a key block for another device: none is mistaken for a keyring, and none is erased."""
    foreign = initial_key_block(bytes(16), IKID, TEST_BDK).ljust(SIZE, b"\xff")
    for data, error in ((b"\xff" * SIZE, "KeyringError"), (bytes(SIZE), "KeyringError"), (foreign, "CryptoError")):
        assert ring.set(data).live(["take"])["error"] == error
        assert ring.path.read_bytes() == data


def test_one_copy_is_enough(ring: Ring) -> None:
    """A state is stored twice. With one copy rotten the other is used; with both there are no keys, and no erase."""
    ring.live(["take"])
    good, sector = ring.data, 4096 * ring.state_sector()
    for broken, error in (((), ""), ((0,), ""), ((2048,), ""), ((0, 2048), "KeyringError")):
        data = bytearray(good)
        for copy in broken:
            data[sector + copy + 300] ^= 1
        result = ring.set(bytes(data)).live(["take"])
        assert (result["error"], result["damaged"]) == (error, len(broken) % 2)
        assert not error or (ring.data == bytes(data) and result["reason"] == "key state unreadable")


def test_a_normal_boot_reads_less_than_6_kb(ring: Ring) -> None:
    """On a new terminal and on a used one."""
    ring.live([])
    fresh = ring.live([])["read"]
    ring.live(["take"])
    later = ring.live([])["read"]
    print(f"boot reads {fresh} bytes, after a reservation {later}")
    assert max(fresh, later) <= 6000


def test_a_flipped_bit_in_either_copy_is_reported_and_changes_nothing(ring: Ring) -> None:
    """For every bit of both copies, boot opens the other copy and reports it; counter and STAN continue.

    With two interpreters, one tests the even bytes, the other the odd ones.
    """
    ring.live(["take", "stan"])
    ring.live(["take", "stan"])
    base = 4096 * ring.state_sector()
    everything = [base + copy + at for copy in (0, 2048) for at in range(COPY)]
    assert all(byte == 0xFF for at, byte in enumerate(ring.data) if at not in set(everything)), "nothing else is there"
    which, of = share(ring.inside)
    mine = everything[which::of]
    ran = 0
    for at in range(0, len(mine), 64):
        found = ring.inside("keys", "flips", str(ring.path), SECRET.hex(), mine[at : at + 64])
        assert found == [[2 * BLOCK, 2 * BLOCK + 1, 1]] * len(found)
        ran += len(found)
    print(f"{8 * len(everything)} flips, {ran} of them here")
    assert ran == 8 * len(everything) // of
