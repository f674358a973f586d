# SPDX-License-Identifier: MIT
"""Bad and worn sectors under the journal: nothing is lost or doubled, and the till refuses rather than overwrites.

A run tries a third of the cases, each fault others; `make long` tries all.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from host_tests.cuts.flows import IDLE, RING, pay
from host_tests.cuts.judge import KEY, journal_of, words
from host_tests.cuts.worn import REFUSALS, Worn, day
from host_tests.harness.in_micropython.runner import Inside, share
from host_tests.harness.long_runs import LONG
from tools.journal import image

DAYS = 24  # more than three laps
FAULTS = ("program", "erase", "silent", "stuck", "stuck:7:8:1", "stuck:50:8:0", "stuck:300:8:0", "stuck:600:32:1")
FROM = (0, 9, 17)  # the day a sector fails: at the start, in the second lap, in the third
DEAD = ("program", "erase", "silent", "stuck")
ENDURANCE = 10
SETTLE = [["drain", [1, 2, 1]], ["drain", [1]], ["closing"], ["close"], IDLE]


@pytest.fixture
def chip(tmp_path: Path) -> Path:
    return tmp_path / "chip.bin"


def trade(worn: Worn, faults: dict[int, str], since: int) -> None:
    """Three laps, a restart after each day; checked when the sector fails, on each lap, and at the end."""
    for number in range(DAYS):
        if number == since:
            worn.faults = faults
        worn.life(day(number))
        if number in (since, since + 1, 8, 16):
            worn.look()
    worn.look()
    assert worn.last_report["booted"]["serial"] > 2 * RING and worn.last_report["booted"]["count"] == 0
    assert len(worn.observed.paid) == DAYS * 13


def tried(index: int, fault: int = 0) -> bool:
    """Whether a run tries this case of a fault."""
    return LONG or (index + fault) % 3 == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_sector_loses_nothing(inside: Inside, chip: Path, fault: str) -> None:
    """Each of the eight sectors, failing at the start or in a later lap."""
    which, shares = share(inside)
    for index, (sector, since) in enumerate((sector, since) for sector in range(RING) for since in FROM):
        if index % shares == which and tried(index // shares, FAULTS.index(fault)):
            trade(Worn(inside, chip), {sector: fault}, since)


def test_two_bad_sectors_lose_nothing(inside: Inside, chip: Path) -> None:
    """Adjacent and separate sectors, with the same fault and with different faults."""
    which, shares = share(inside)
    for index, (one, other) in enumerate(combinations(range(RING), 2)):
        if index % shares == which and tried(index // shares):
            faults = {one: DEAD[index % 4], other: DEAD[index // 4 % 4]}
            trade(Worn(inside, chip), faults, FROM[index % 3])


def test_a_stuck_byte_in_a_header_of_a_new_chip_is_damage(inside: Inside, chip: Path) -> None:
    """Such a partition is neither blank nor a journal. The till does not start, and erases nothing."""
    worn = Worn(inside, chip)
    worn.faults = {3: "stuck:5:255:0"}
    before = worn.chip
    with pytest.raises(AssertionError, match="JournalDamaged"):
        worn.life([])
    assert journal_of(worn.chip) == journal_of(before)


def assert_in_flash(worn: Worn) -> None:
    """Every open payment can be read from the chip unchanged."""
    journal = image.read(journal_of(worn.chip), KEY)
    found = words(journal)
    for sequence, (uid, amount) in worn.observed.paid.items():
        if sequence > journal.closed:
            assert (journal.records[sequence].uid.hex(), journal.records[sequence].amount) == (uid, amount)
            assert found[sequence] in worn.observed.states[sequence]


def test_a_journal_with_few_good_sectors_refuses_payments_and_keeps_those_taken(inside: Inside, chip: Path) -> None:
    """All sectors but `good` are bad. It sells until it refuses with a named error. Pending payments are settled at once
    if the till starts, else when the sectors are good again.
    """
    which, shares = share(inside)
    settled = waiting = 0
    for index, (kind, good) in enumerate((kind, good) for kind in DEAD for good in range(1, RING)):
        if index % shares != which:
            continue
        worn = Worn(inside, chip)
        stay = {number * RING // good for number in range(good)}
        worn.faults = {sector: kind for sector in range(RING) if sector not in stay}
        for number in range(40):
            if not worn.life([IDLE, *[pay(100 + 10 * number + one) for one in range(5)]], True):
                break
        assert worn.last_report["error"] in REFUSALS
        assert_in_flash(worn)
        taken = len(worn.observed.paid)
        if worn.look(True) is None:
            waiting += 1
            assert_in_flash(worn)
            worn.faults = {}
            worn.look()
        else:
            settled += 1
        if taken:
            worn.life(SETTLE)
            assert worn.look() is not None and worn.last_report["booted"]["count"] == 0
            assert len(worn.observed.sent) == taken
    print(f"settled at once {settled}, when the sectors were good again {waiting}")
    assert settled


def test_sectors_that_wear_out_are_used_to_the_end(inside: Inside, chip: Path) -> None:
    """Ten erases each: wear stays even; at the end payments are refused, and pending ones are settled.

    Erase counts may differ by two, not one: a boot that finds a full sector erases the next ones again.
    """
    worn = Worn(inside, chip, ENDURANCE)
    apart = number = 0
    while worn.life([*(SETTLE if min(worn.erases()) < ENDURANCE else []), *day(number)[1:15]], True):
        apart = max(apart, max(worn.erases()) - min(worn.erases()))
        number += 1
    assert_in_flash(worn)
    pending = [sequence for sequence, states in worn.observed.states.items() if states == {"accepted"}]
    taken, most = len(worn.observed.paid), RING * (ENDURANCE + 1) * 15
    print(f"{taken} payments, {taken / most:.0%} of {most} pages; erases {worn.erases()}, {apart} apart at most")
    assert apart <= 2 and min(worn.erases()) >= ENDURANCE - 1
    assert taken > most // 2
    worn.look()
    assert worn.last_report["booted"]["count"] == len(pending) > 0
    worn.life(SETTLE)
    assert_in_flash(worn)
    assert all(worn.observed.states[sequence] > {"accepted"} for sequence in pending)
