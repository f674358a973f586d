# SPDX-License-Identifier: MIT
"""Compares many DUKPT keys of the device with the host's. `python -m host_tests.harness.crypto.many` checks 2**21."""

from __future__ import annotations

import random
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from host_tests.harness.in_micropython.runner import Inside
from tools.host.keys import dukpt
from tools.world import interpreter

BDK = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")
IKID = bytes.fromhex("1234567890123456")
INITIAL = "1273671ea26ac29afa4d1084127652a1"
DEVICE = IKID[4:].hex()
LONG = 1 << 21
_LAST = 0xFFFF0000
_BATCH = 512
_RUN = 128
_TASK = 32  # batches in one worker task


@dataclass(frozen=True)
class Plan:
    """One call to the device: take `each` consecutive keys from each of the ascending counters `targets`."""

    targets: list[int]
    each: int


def plans(takes: int, seed: int) -> list[Plan]:
    """Plan `takes` random counters, 512 a plan; then runs across the places where counters skip, and the last counters.

    Half of the random counters are uniform. The others have a chosen number of one-bits, usually ten to sixteen.
    """
    dice = random.Random(seed)
    found = {_LAST: _LAST}  # valid counter -> the counter to skip to
    while len(found) < takes:
        ones = dice.choice((1, 2, 4, 8, 10, 12, 14, 15, 15, 16, 16, 16, 17))
        for target in (sum(1 << bit for bit in dice.sample(range(32), ones)), dice.randrange(1, _LAST)):
            if target <= _LAST:
                found[_valid(target)] = target
    targets = [target for _, target in sorted(found.items())]
    batches = [Plan(targets[at : at + _BATCH], 1) for at in range(0, len(targets), _BATCH)]
    skips = [0x7FF0, 0xFFF0, 0x1FFF0, 0x3FFF0, 0x7FFE0000, 0x7FFF7FF0, 0xFFFDFFF0, 0xFFFE0000]
    skips += [sum(1 << bit for bit in dice.sample(range(8, 31), 14)) for _ in range(8)]
    return batches + [Plan([start], _RUN) for start in skips]


def _valid(counter: int) -> int:
    """The first valid counter at or after `counter`."""
    while not dukpt.is_counter(counter):
        counter += counter & -counter
    return counter


def check(inside: Inside, work: list[Plan], initial: str = INITIAL) -> tuple[int, int]:
    """(keys taken, mismatches). Compares the counter and both working keys of every take with the host's."""
    takes = mismatches = 0
    for plan in work:
        got = bytes.fromhex(inside("crypto", "many_keys", initial, DEVICE, plan.targets, plan.each))
        rows = [got[at : at + 36] for at in range(0, len(got), 36)]
        expected = [counter for target in plan.targets for counter in _run(target, plan.each)]
        mismatches += abs(len(expected) - len(rows))
        for counter, row in zip(expected, rows, strict=False):
            ksn = IKID + counter.to_bytes(4, "big")
            keys = dukpt.working_key(BDK, ksn, dukpt.DATA_ENCRYPT) + dukpt.working_key(BDK, ksn, dukpt.MAC_BOTH_WAYS)
            mismatches += row != ksn[8:] + keys
        takes += len(rows)
    return takes, mismatches


def _run(start: int, count: int) -> list[int]:
    """The next `count` valid counters from `start`; fewer at the end of the counter range."""
    found: list[int] = []
    while len(found) < count and start <= _LAST:
        found.append(_valid(start))
        start = found[-1] + 1
    return found


def _task(job: tuple[str, list[Plan]]) -> tuple[int, int]:
    with Inside(job[0]) as inside:
        return check(inside, job[1])


def main(count: int, seed: int) -> int:
    """Check `count` keys on all cores, alternating interpreters. Prints the totals. Returns 1 on a mismatch, else 0."""
    interpreter.require()
    found = [interpreter.micropython()]
    other = interpreter.micropython32()
    if other and Path(other).exists():
        found.append(other)
    work = plans(count, seed)
    parts = [work[at : at + _TASK] for at in range(0, len(work), _TASK)]
    jobs = [(found[index % len(found)], part) for index, part in enumerate(parts)]
    takes = mismatches = 0
    with ProcessPoolExecutor() as pool:
        for done, (taken, wrong) in enumerate(pool.map(_task, jobs), 1):
            takes, mismatches = takes + taken, mismatches + wrong
            if done % 16 == 0:
                print(f"{takes} takes, {mismatches} mismatches", flush=True)
    print(
        f"dukpt-long: {takes} takes, {2 * takes} keys, {mismatches} mismatches, seed {seed}, {len(found)} interpreters"
    )
    return int(mismatches > 0 or takes < count)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else LONG, given[1] if len(given) > 1 else random.randrange(1 << 32)))
