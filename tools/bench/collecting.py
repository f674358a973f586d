# SPDX-License-Identifier: MIT
"""`python -m tools.bench.collecting`: what garbage collections cost at several thresholds (gc.threshold in main.py).

For each it prints the instructions of a boot, of an offline sale by card, and of sending a queue of three payments, the
simulator's shims included: they are the same at each threshold, so that the differences are collections.
"""

import sys
import tempfile
from pathlib import Path

from tools.bench import boot, instructions, romfs
from tools.bench.callgrind import Callgrind
from tools.cashier import CashierActions
from tools.world.power import FIRMWARE
from tools.world.world import World

THRESHOLDS = (2048, 4096, 8192, 16384, 32768, -1)
_NOW = "gc.threshold(4096)"
_HEAP = "144k"
_QUEUE = 3
_SETTLED_MS = 5000
_PATIENCE_S = 300


def at(threshold: int, folder: Path) -> tuple[int, int, int]:
    """Instructions of boot, sale and drain at a threshold; -1 = a collection only when the heap is full."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    main = (FIRMWARE / "main.py").read_text()
    if _NOW not in main:
        raise RuntimeError(f"main.py has no {_NOW}")
    (tree / "main.py").write_text(boot.STILL + main.replace(_NOW, f"gc.threshold({threshold})"))
    image = romfs.build(folder / "image.romfs", tree)
    grind = Callgrind(folder)
    home = folder / "home"
    boot.first_start(home)
    with boot.second_start(home, grind.command, image, _HEAP) as system:
        world = _slow(system.world)
        hands = CashierActions(world)
        counts = [grind.read(world.pid)]
        world.run_for(_SETTLED_MS, 120)
        for sale in range(_QUEUE):
            grind.read(world.pid)
            hands.present(1000 + sale, hands.card("amber"))
            hands.page("Accepted")
            world.remove()
            hands.home()
            if not sale:
                counts.append(grind.read(world.pid))
            world.run_for(_SETTLED_MS, 120)
        grind.read(world.pid)
        hands.drain()
        counts.append(grind.read(world.pid))
        return counts[0], counts[1], counts[2]


def _slow(world: World) -> World:
    """The same world, whose waits last at least as long as valgrind needs."""
    wait = world.wait
    world.wait = lambda ready, what, timeout=10.0: wait(ready, what, max(timeout, _PATIENCE_S))
    return world


def main() -> int:
    if not instructions.available():
        return 1
    print("threshold boot sale drain, millions of instructions")
    for threshold in THRESHOLDS:
        with tempfile.TemporaryDirectory(prefix="kassa-collect-") as folder:
            print(threshold, *[round(count / 1e6) for count in at(threshold, Path(folder))], flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
