# SPDX-License-Identifier: MIT
"""`python -m host_tests.monkey [LIVES] [SEED]`: lives of 2,000 steps, one process per core, in the heap that a chip may use."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from host_tests.monkey.campaign import LARGE_KIB, MonkeyFound, chip_kib, play, strict_image
from tools.bench import micropython32
from tools.world import interpreter

_STEPS = 2000


def main(lives: int, seed: int) -> int:
    interpreter.require()
    found, pages = 0, Counter[str]()
    with (
        tempfile.TemporaryDirectory(prefix="kassa-monkey-image-") as folder,
        ProcessPoolExecutor(os.cpu_count()) as pool,
    ):
        image, kib = None, LARGE_KIB
        if chip := micropython32.find():
            image = strict_image(Path(folder) / "strict")
            kib = chip_kib(str(chip), Path(folder))
        print(f"monkey: {lives} lives of {_STEPS} steps, seed {seed}, heap of {kib} KiB", flush=True)
        for life in as_completed([pool.submit(play, image, seed + n, _STEPS, kib) for n in range(lives)]):
            try:
                pages += life.result()
            except MonkeyFound as what:
                found += 1
                print(what, flush=True)
    print(f"{len(pages)} pages seen, {found} of {lives} lives broke something")
    return 1 if found else 0


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(given[0] if given else 4, given[1] if len(given) > 1 else int(time.time())))
