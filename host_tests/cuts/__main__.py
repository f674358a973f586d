# SPDX-License-Identifier: MIT
"""The long campaign of N cases: `python -m host_tests.cuts N [SEED]`, or `... --replay "FLOW | START | CUTS"`.

Single cuts come first, shuffled by the seed; pairs follow. There is one process per core. The processes alternate
between the 64-bit and the 32-bit interpreter if both are present. Each broken guarantee is printed as a line that
--replay accepts.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from host_tests.cuts.campaign import Campaign, Case, State, state
from host_tests.cuts.flows import FLOWS, starting_states_of
from host_tests.cuts.judge import Violation
from host_tests.harness.in_micropython.runner import Inside
from tools.bench import micropython32
from tools.world import interpreter


def interpreters() -> list[str]:
    """The 64-bit interpreter, and the 32-bit one if it is there."""
    other = micropython32.find()
    return [interpreter.micropython(), *([str(other)] if other else [])]


def share(index: int, shares: int, count: int, seed: int) -> tuple[Counter[State], Counter[State], int]:
    """Run one core's share. Returns the states of all single cuts, the states run here, and the violation count."""
    every = interpreters()
    with Inside(every[index % len(every)]) as inside, tempfile.TemporaryDirectory(prefix="kassa-cuts-") as folder:
        campaign = Campaign(inside, Path(folder))
        dice = random.Random(seed)
        singles = list(campaign.singles())
        dice.shuffle(singles)
        violations = 0
        for case in itertools.islice(itertools.chain(singles, campaign.pairs(dice)), index, count, shares):
            try:
                campaign.play(case)
            except Violation as broken:
                violations += 1
                campaign.run[state(case)] += 1
                print(f"{case} => {str(broken)[:300]}", flush=True)
        return Counter(map(state, singles)), campaign.run, violations


def table(wanted: Counter[State], run: Counter[State]) -> None:
    """Print a line for each flow and starting state: cases run and enumerated for each tear, and pairs run."""
    kinds = list(dict.fromkeys(kind for _, _, _, kind in wanted))
    for flow in FLOWS:
        for start in starting_states_of(flow):
            counts = [f"{one} {run[flow, start, 1, one]}/{wanted[flow, start, 1, one]}" for one in kinds]
            pairs = sum(number for (a, b, cuts, _), number in run.items() if (a, b, cuts) == (flow, start, 2))
            print(f"{flow:34}{start:20}{'  '.join(counts)}{f'  pairs {pairs}' if pairs else ''}")


def main(arguments: list[str]) -> int:
    interpreter.require()
    if arguments[:1] == ["--replay"]:
        for command in interpreters():
            with Inside(command) as inside, tempfile.TemporaryDirectory(prefix="kassa-cuts-") as folder:
                Campaign(inside, Path(folder)).play(Case.parse(arguments[1]))
        return 0
    count, seed = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else random.randrange(1 << 31)
    cores = os.cpu_count() or 1
    wanted: Counter[State] = Counter()
    run: Counter[State] = Counter()
    violations = 0
    with ProcessPoolExecutor(cores) as pool:
        for same, ran, broken in pool.map(share, range(cores), [cores] * cores, [count] * cores, [seed] * cores):
            wanted = same
            run += ran
            violations += broken
    table(wanted, run)
    singles = sum(number for (_, _, cuts, _), number in run.items() if cuts == 1)
    print(f"single cuts enumerated {wanted.total()}, run {singles}; pairs run {run.total() - singles}")
    print(f"cuts {count} violations {violations} seed {seed}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
