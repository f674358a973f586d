# SPDX-License-Identifier: MIT
"""Bad sectors under the keyring: the state goes to another one, and an old state that cannot be erased is overwritten."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.keyrings import IKID, NEXT, SECTORS, SIZE, Ring, all_secrets, renewal, staged

Fault = tuple[int, str]
# faults of a sector that should take the next state
WEAK = (
    "program error",
    "half program",
    "no program",
    "stuck:40:1:0",
    "stuck:40:255:1",
    "stuck:2600:255:1",
    "stuck:2600:4:0",
)
UNERASABLE = ("erase error", "no erase")
STUCK_BOTH = ("stuck:300:2:0", "stuck:330:32:1")


@pytest.fixture
def ring(inside: Inside, tmp_path: Path) -> Ring:
    return Ring(inside, tmp_path / "keyring.bin").set(staged())


def trade(ring: Ring, faults: list[Fault], lives: int = 3) -> None:
    """Lives that each reserve once, with a boot after each."""
    for _ in range(lives):
        result = ring.live(["take", "stan", "take"], faults=faults)
        assert not result["error"] and len(result["keys"]) == 2, (faults, result)
        ring.nothing_twice()
        ring.secret_kept()
        assert not ring.live([], faults=faults)["error"]


@pytest.mark.parametrize("kind", WEAK)
def test_a_sector_that_does_not_keep_the_state_is_skipped(ring: Ring, kind: str) -> None:
    """Each of the seven in turn, from the first load, over more than one lap."""
    for bad in range(1, SECTORS):
        ring.set(staged())
        trade(ring, [(bad, kind)], lives=9)
        assert ring.state_sector() != bad
    assert len(ring.keys) == 18


@pytest.mark.parametrize("kinds", list(product(UNERASABLE, (None, "stuck:300:16:1", "stuck:2100:1:0"))))
def test_an_old_state_that_cannot_be_erased_is_overwritten(ring: Ring, kinds: tuple[str, str | None]) -> None:
    """Before the next key is issued. A bit stuck at 1 reveals nothing."""
    for bad in range(1, SECTORS):
        ring.set(staged())
        while ring.live(["take"])["keys"][-1][2] != [bad]:
            pass
        written = ring.data[4096 * bad : 4096 * bad + 592]
        faults = [(bad, kind) for kind in kinds if kind]
        result = ring.live(["take", "stan"], faults=faults)
        assert not result["error"] and len(result["keys"]) == 1
        ring.secret_kept()
        left = ring.data[4096 * bad : 4096 * bad + 592]
        assert sum(byte != 0 for byte in left) <= 1 < sum(byte != 0 for byte in written)
        trade(ring, faults, lives=8)
        assert ring.state_sector() != bad or kinds[0] == "no erase"


@pytest.mark.parametrize("erase, program", list(product(UNERASABLE, ("program error", "no program", "half program"))))
def test_no_key_is_issued_while_an_old_state_can_be_read(ring: Ring, erase: str, program: str) -> None:
    """If it can be neither erased nor overwritten, that is a fault at every boot, until the sector recovers."""
    ring.live(["take", "stan"])
    bad = ring.state_sector()
    faults = [(bad, erase), (bad, program)]
    for _ in range(3):
        result = ring.live(["take"], faults=faults)
        assert (result["error"], result["keys"]) == ("FlashFault", [])
    assert len(ring.keys) == 1
    trade(ring, [])


@pytest.mark.parametrize("kinds", [("erase error",), ("no erase",), ("erase error", "program error")])
def test_renewal_issues_no_key_while_the_old_state_can_be_read(ring: Ring, kinds: tuple[str, ...]) -> None:
    """The old state is overwritten; if that fails, neither old nor new keys are issued."""
    ring.live(["take", "stan"])
    bad = ring.state_sector()
    faults = [(bad, kind) for kind in kinds]
    result = ring.live([renewal(), "take"], faults=faults)
    if "program error" in kinds:
        assert (result["error"], result["keys"], result["id"]) == ("FlashFault", [], NEXT.hex())
        assert ring.live(["take"], faults=faults)["error"] == "FlashFault"
        assert not ring.live(["take"])["error"]
    assert ring.keys[1:] == [(NEXT.hex(), 1)]
    assert all_secrets(ring, IKID) == []


def test_a_permanent_fault_causes_no_further_writes(ring: Ring) -> None:
    """Later lives write no further state while the old one cannot be removed."""
    ring.live(["take"])
    bad = ring.state_sector()
    faults = [(bad, "erase error"), (bad, "program error")]
    assert ring.live(["take"], faults=faults)["operations"] == 7
    assert ring.live(["take"], faults=faults)["operations"] == 0


def test_a_spare_sector_with_bits_stuck_at_0_and_1_is_tolerated(ring: Ring) -> None:
    """It can never read as blank or as all zeros, but it contains nothing."""
    for bad in range(1, SECTORS):
        ring.set(staged())
        trade(ring, [(bad, kind) for kind in STUCK_BOTH], lives=9)


@pytest.mark.parametrize("good", [(1, 2), (3, 7), (2, 6)])
def test_two_good_sectors_are_enough(ring: Ring, good: tuple[int, int]) -> None:
    faults = [(bad, "program error") for bad in range(1, SECTORS) if bad not in good]
    trade(ring, faults, lives=5)
    assert ring.state_sector() in good


def test_one_good_sector_is_not_enough(ring: Ring) -> None:
    """The current state is never erased to make room for the next one."""
    ring.live(["take", "stan"])
    left = ring.state_sector()
    before = ring.data
    result = ring.live(["take"], faults=[(bad, "program error") for bad in range(1, SECTORS) if bad != left])
    assert (result["error"], result["keys"]) == ("FlashFault", []) and ring.data == before
    trade(ring, [])


@pytest.mark.parametrize("faults", [[(0, "erase error")], [(0, "no erase")], [(1, "half program"), (2, "no program")]])
def test_the_first_load_on_a_bad_chip_removes_the_staged_block_or_fails(ring: Ring, faults: list[Fault]) -> None:
    """A staged block that cannot be erased is overwritten. The state goes to a good sector."""
    trade(ring, faults)
    assert not ring.data[:2048].strip(b"\0\xff")
    ring.set(staged())
    worse = [(0, "erase error"), (0, "program error")]
    assert ring.live(["take"], faults=worse)["error"] == "FlashFault" and not ring.keys
    trade(ring, [])


def test_power_cuts_on_a_bad_chip_reuse_no_key(ring: Ring) -> None:
    """The next sector does not keep the state and the old one cannot be erased; cuts then and in the next boot."""
    ring.live(["take", "stan"])
    old = ring.state_sector()
    start, keys, stans = ring.data, list(ring.keys), list(ring.stans)
    cuts = 0
    for kind in ("half program", "stuck:2600:255:1"):
        faults = [(old, "erase error"), (old % 7 + 1, kind)]
        ring.set(start, keys, stans)
        total = ring.live(["take"], faults=faults)["operations"]
        assert total > 12
        for operation, tear in product(range(1, total + 1), ("none", "half", "all", "random:3")):
            ring.set(start, keys, stans)
            assert ring.live(["take"], operation, tear, faults=faults)["cut"]
            ring.secret_kept()
            left = ring.data
            for second in range(0, 8, 3):
                ring.set(left, keys, stans)
                ring.live(["take"], second, tear, faults=faults)
                trade(ring, faults, lives=1)
                cuts += 1
    print(f"{cuts} cuts")
    assert len(ring.data) == SIZE and cuts > 200
