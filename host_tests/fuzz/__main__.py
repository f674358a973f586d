# SPDX-License-Identifier: MIT
"""`python -m host_tests.fuzz [SECONDS] [SEED]`: one process per core, alternating between the interpreters."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from host_tests.cuts.__main__ import interpreters
from host_tests.fuzz.campaign import run
from tools.world import interpreter


def main(seconds: int, seed: int) -> int:
    interpreter.require()
    every, cores = interpreters(), os.cpu_count() or 1
    print(f"fuzz: {seconds} s on {cores} cores, seed {seed}")
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(cores) as pool:
        parts = [pool.submit(run, every[core % len(every)], seconds, seed + 1_000_000 * core) for core in range(cores)]
        for part in parts:
            total += part.result()
    print(", ".join(f"{name} {count}" for name, count in total.items()))
    return 0


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else 60, given[1] if len(given) > 1 else int(time.time())))
