# SPDX-License-Identifier: MIT
"""`python -m host_tests.cuts N [SEED]`, or `... --replay "FLOW | GROUND | CUTS"`: the long campaign, N cases, on one interpreter.

Single cuts first, in an order that the seed shuffles; then pairs. Prints a line for each broken promise, which --replay takes.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
from pathlib import Path

from host_tests.cuts.campaign import Campaign, Case
from host_tests.cuts.judge import Violation
from host_tests.inside.inside import Inside
from tools.world import interpreter


def main(arguments: list[str]) -> int:
    with Inside(interpreter.micropython()) as inside, tempfile.TemporaryDirectory(prefix="kassa-cuts-") as folder:
        campaign = Campaign(inside, Path(folder))
        if arguments[:1] == ["--replay"]:
            campaign.play(Case.parse(arguments[1]))
            return 0
        count, seed = int(arguments[0]), int(arguments[1]) if len(arguments) > 1 else random.randrange(1 << 31)
        dice = random.Random(seed)
        singles = list(campaign.singles())
        dice.shuffle(singles)
        violations = 0
        for case in itertools.islice(itertools.chain(singles, campaign.pairs(dice)), count):
            try:
                campaign.play(case)
            except Violation as broken:
                violations += 1
                print(f"{case} => {str(broken)[:300]}", flush=True)
        print(f"single cuts enumerated {len(singles)}, run {min(count, len(singles))}")
        print(f"cuts {count} violations {violations} seed {seed}")
        return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
