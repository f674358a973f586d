# SPDX-License-Identifier: MIT
"""The keyring's lives: no key and no STAN twice, never without keys, and older states gone before a new key is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from host_tests.inside.inside import Inside
from host_tests.vault import dump
from host_tests.vault.lives import TEARS
from tools.host import dukpt
from tools.host.keys import TEST_BDK
from tools.mac import device_key
from tools.provision.device import initial_key_block

SECRET = bytes(range(50, 82))
IKID = bytes.fromhex("1234567890123456")
SECTORS = 8
SIZE = SECTORS * 4096
BLOCK = 2048


class Ring:
    """A keyring partition in a file, and all the keys and STANs it has ever given out."""

    def __init__(self, inside: Inside, path: Path) -> None:
        self.inside, self.path = inside, path
        self.counters: list[int] = []
        self.stans: list[int] = []

    def set(self, data: bytes) -> Ring:
        self.path.write_bytes(data)
        self.counters, self.stans = [], []
        return self

    def live(self, steps: list[Any], cut: int = 0, tear: str = "none", seed: int = 1) -> dict[str, Any]:
        kind, _, number = tear.partition(":")
        tear, seed = (kind, int(number)) if kind == "random" else (tear, seed)
        result = self.inside("keys", "keyring", str(self.path), SECRET.hex(), steps, cut, tear, seed)
        for counter, data_key, _ in result["keys"]:
            assert data_key == dukpt.working_key(TEST_BDK, IKID + counter.to_bytes(4, "big"), 0x3000).hex()
        self.counters += [counter for counter, _, _ in result["keys"]]
        self.stans += [stan for stan, _ in result["stans"]]
        return result

    def nothing_twice(self) -> None:
        assert len(set(self.counters)) == len(self.counters) and len(set(self.stans)) == len(self.stans)

    def secret_kept(self) -> None:
        """Nothing in the chip is, or leads to, a key given out so far."""
        if self.counters:
            assert dump.search(self.path.read_bytes(), SECRET, TEST_BDK, IKID, self.counters, thorough=False) == []


def staged() -> bytes:
    """A partition as provisioning leaves it."""
    block = initial_key_block(device_key(SECRET, b"kbpk"), IKID, TEST_BDK)
    return block.ljust(SIZE, b"\xff")


@pytest.fixture
def ring(inside: Inside, tmp_path: Path) -> Ring:
    return Ring(inside, tmp_path / "keyring.bin").set(staged())


def test_first_load_leaves_one_state_and_no_initial_key(ring: Ring) -> None:
    result = ring.live([])
    assert (result["error"], result["id"], result["opened"]) == ("", IKID.hex(), [1])
    everything = [dukpt.initial_key(TEST_BDK, IKID)]
    assert not any(key in ring.path.read_bytes() for key in everything)
    assert dump.search(ring.path.read_bytes(), SECRET, TEST_BDK, IKID, []) == []
    assert b"D0" not in ring.path.read_bytes()[:4096]


def test_reserving_comes_before_the_first_key_and_erases_first(ring: Ring) -> None:
    """The state ahead is alone in flash when the first key of a block is given out."""
    ring.live([])
    for life in range(1, 12):
        result = ring.live(["take", "stan", "take"])
        alone = [life % (SECTORS - 1) + 1]
        assert [sectors for _, _, sectors in result["keys"]] == [alone, alone]
        ring.secret_kept()
    assert ring.counters[::2] == [max(1, BLOCK * life) for life in range(11)]
    ring.nothing_twice()


def test_a_stan_can_be_the_first_to_reserve(ring: Ring) -> None:
    ring.live(["stan", "take"])
    ring.live(["stan", "stan", "take", "stan"])
    assert ring.stans == [1, 1 + BLOCK, 2 + BLOCK, 3 + BLOCK]
    ring.nothing_twice()


def test_a_boot_loop_burns_nothing(ring: Ring) -> None:
    ring.live([])
    before = ring.path.read_bytes()
    for _ in range(20):
        assert ring.live([])["operations"] == 0
    assert ring.path.read_bytes() == before
    assert [key[0] for key in ring.live(["take", "take"])["keys"]] == [1, 2]


def test_a_long_day_crosses_blocks(ring: Ring) -> None:
    """Keys and STANs run on over two reservations, nothing skipped but what the standard skips; the flash cost is small."""
    counters, stans, erases, programmed = ring.inside("keys", "many", str(ring.path), SECRET.hex(), 5000)
    assert counters == [counter for counter in range(1, 5100) if dukpt.is_counter(counter)][:5000]
    assert stans == list(range(1, 5001))
    print(f"5000 keys: {erases} erases, {programmed} bytes programmed, first load included")
    assert erases <= 4 and programmed / 5000 <= 4
    ring.counters = counters
    ring.secret_kept()


WORK = {
    "first load": (None, ["take", "stan", "take"]),
    "reservation": ([], ["take", "stan", "take"]),
    "reservation by another life": (["take", "stan"], ["take", "stan", "take"]),
    "re-reservation": (["take", "stan"], ["take", ["skip", 2], "take", "take", "take", "stan", "take"]),
    "boot in the same power": (["take"], ["take", "close", "take"]),
}


@pytest.mark.parametrize("work", WORK)
def test_power_cut_at_every_operation(ring: Ring, work: str) -> None:
    earlier, steps = WORK[work]
    if earlier is not None:
        ring.live(earlier)
    start, counters, stans = ring.path.read_bytes(), list(ring.counters), list(ring.stans)
    total = ring.live(steps, seed=2)["operations"]
    cuts = 0
    for operation in range(1, total + 1):
        for tear in (*TEARS, "prefix:300", "prefix:2048"):
            ring.set(start)
            ring.counters, ring.stans = list(counters), list(stans)
            result = ring.live(steps, operation, tear, seed=2)
            assert result["cut"] and not result["error"], result
            ring.secret_kept()
            assert len(ring.live([])["opened"]) == 1, "boot finishes an interrupted erase first"
            for _ in range(2):
                again = ring.live(["take", "stan", "take"], seed=3)
                assert not again["error"] and len(again["keys"]) == 2, (operation, tear, again)
                assert all(len(sectors) == 1 for _, _, sectors in again["keys"])
                ring.secret_kept()
            ring.nothing_twice()
            cuts += 1
    print(f"{work}: {cuts} cuts")
    assert cuts >= 13 * 4


def test_power_cuts_in_the_boot_after_a_cut(ring: Ring) -> None:
    """The second cut falls into finishing the interrupted erase."""
    ring.live(["take", "stan"])
    start, counters, stans = ring.path.read_bytes(), list(ring.counters), list(ring.stans)
    cuts = 0
    for operation in range(1, 10):
        for tear in ("none", "half", "all", "random:7"):
            ring.set(start)
            if not ring.live(["take"], operation, tear)["cut"]:
                continue
            left = ring.path.read_bytes()
            for second in range(1, 20):
                ring.set(left)
                ring.counters, ring.stans = list(counters), list(stans)
                if not ring.live(["take"], second, tear)["cut"]:
                    break
                assert len(ring.live(["take", "stan"])["keys"]) == 1
                ring.nothing_twice()
                ring.secret_kept()
                cuts += 1
    print(f"{cuts} second cuts")
    assert cuts > 100


def test_no_keys_no_sale(ring: Ring) -> None:
    """Blank, noise and a block for another device are told apart from a keyring; none of it is erased."""
    foreign = initial_key_block(bytes(16), IKID, TEST_BDK).ljust(SIZE, b"\xff")
    for data, error in ((b"\xff" * SIZE, "KeyringError"), (bytes(SIZE), "KeyringError"), (foreign, "CryptoError")):
        assert ring.set(data).live(["take"])["error"] == error
        assert ring.path.read_bytes() == data


def test_one_copy_is_enough(ring: Ring) -> None:
    """A state is kept twice: with either copy rotten the other one serves; with both there are no keys."""
    ring.live(["take"])
    good = ring.path.read_bytes()
    (sector,) = (at for at in range(0, SIZE, 4096) if good[at : at + 2] == b"KR")
    for broken, error in (((0,), ""), ((2048,), ""), ((0, 2048), "KeyringError")):
        data = bytearray(good)
        for copy in broken:
            data[sector + copy + 300] ^= 1
        assert ring.set(bytes(data)).live(["take"])["error"] == error
