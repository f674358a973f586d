# SPDX-License-Identifier: MIT
"""`python -m host_tests.uncertainty`: plays every cell and writes the tables of docs/settlement.md."""

import sys
import tempfile
from pathlib import Path

from host_tests.harness.in_micropython.runner import Inside
from host_tests.uncertainty import judge, page
from host_tests.uncertainty.cells import CELLS
from tools.world import interpreter


def main() -> int:
    """The exit code is 0 if every cell could be played; otherwise it is 1 and the page is not changed."""
    interpreter.require()
    outcomes: dict[judge.Cell, judge.Outcome] = {}
    with Inside(interpreter.micropython()) as inside:
        for cell in CELLS:
            with tempfile.TemporaryDirectory(prefix="kassa-uncertainty-") as folder:
                try:
                    outcomes[cell] = judge.play(inside, cell, Path(folder))
                except AssertionError as broken:
                    print(f"{cell}: {str(broken)[:300]}")
                    continue
    print(f"cells {len(CELLS)} ran {len(outcomes)}")
    if len(outcomes) < len(CELLS):
        return 1
    page.write(outcomes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
