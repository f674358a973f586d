# SPDX-License-Identifier: MIT
"""`python -m tools.bench.heap`: finds the smallest GC heap in which demo and day run without a failed allocation.

Then it prints the live heap of each phase, and writes it into docs/performance.md (phases.py). It uses 32-bit MicroPython.
The firmware runs compiled, from a romfs image mapped outside the heap. MemoryError derives
from BaseException there (inside/strict.py), so that a handler for Exception cannot hide one. The heap that the board's
shims and the bus need with an empty main is measured in the same way and subtracted.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.bench import micropython32, phases, romfs, tls
from tools.bench.figures import show
from tools.demo.day import TERMINAL, Day
from tools.demo.script import Script
from tools.whole_system import WholeSystem
from tools.world import interpreter
from tools.world.power import FIRMWARE
from tools.world.world import World, WorldError

BUDGET_KIB = 96
_STRICT = Path(__file__).parent / "inside" / "strict.py"
_LOWEST, _HIGHEST = 4, 512  # KiB
_TIMES = 3  # a size must suffice this often in a row: stray stack words keep different garbage alive in each run
_DAY_MORE = 16  # KiB that the day may need beyond the demo
_CUT, _TEAR = 1, "prefix:112"
# The board's shims and their objects for chips and pins, without the firmware. On a device these are written in C.
EMPTY = """
import esp32, machine, network, select, socket, time, wiring
from machine import Pin
outputs = wiring.DISPLAY_CS, wiring.DISPLAY_DC, wiring.DISPLAY_RST, wiring.DISPLAY_LIGHT, wiring.READER_CS, wiring.READER_RST
pins = tuple([Pin(pin, Pin.OUT, value=1) for pin in outputs + wiring.KEY_ROWS + (wiring.BUZZER, wiring.LED)])
inputs = tuple([Pin(pin, Pin.IN, Pin.PULL_UP) for pin in (wiring.READER_IRQ,) + wiring.KEY_COLS])
chips = machine.SPI(1), machine.SPI(2), machine.UART(1), machine.WDT(timeout=20000), network.WLAN()
flash = tuple([esp32.Partition(label) for label in ("journal", "keyring", "settings", "cards")])
"""
_LIVE = "\nimport gc\ngc.collect()\nprint('LIVE', gc.mem_alloc())\n"
_PATIENCE_S = 20


class Unsteady(Exception):
    """The terminal failed for a reason other than its heap."""


class _ScreenReader:
    """Reads the screen at each step of the story and records nothing."""

    def __init__(self, world: World) -> None:
        self._world = world

    def step(self, title: str) -> list[str]:
        return self._world.screen_text()


def demo(system: WholeSystem) -> None:
    """The demo from sign-on to settlement, including the power cut."""
    story = Script(system, _ScreenReader(system.world))
    story.sign_on()
    story.online_sale()
    story.deferred_sales()
    story.fourth_sale(_CUT, _TEAR)
    story.reported_outcome()
    story.drain()
    story.settle()


def day(system: WholeSystem) -> None:
    """The day: every transaction, an offline approval, a batch upload."""
    for scene in Day(system).scenes():
        scene()


def play(micropython: str, image: Path, kib: int, story: Callable[[WholeSystem], None] = demo) -> bool:
    """Play a story in `kib` KiB of heap. Returns whether the heap sufficed. Raises Unsteady for any other failure."""
    with tempfile.TemporaryDirectory(prefix="kassa-heap-") as home:
        system = WholeSystem(Path(home), micropython=micropython, terminal=TERMINAL, heap=f"{kib}k", source=image)
        try:
            with system:
                story(system)
        except WorldError as error:
            if "MemoryError" in system.world.console:
                return False
            raise Unsteady(f"with {kib} KiB: {error}") from error
        return "MemoryError" not in system.world.console


def runs_empty_main(micropython: str, image: Path, kib: int) -> bool:
    """Run the board with an empty main in `kib` KiB of heap. Returns whether the heap sufficed."""
    with tempfile.TemporaryDirectory(prefix="kassa-heap-") as home:
        world = World(Path(home), micropython=micropython, heap=f"{kib}k", source=image)
        try:
            with world:
                world.power_on()
                world.wait_off(_PATIENCE_S)
        except WorldError:
            return False
        return "Error" not in world.console


def board_kib(micropython: str, folder: Path) -> int:
    """The smallest heap in KiB of the board with an empty main, whose image is made in `folder`."""
    empty = image(folder / "empty", EMPTY)
    return smallest(lambda kib: runs_empty_main(micropython, empty, kib), high=64)


def board_bytes(micropython: str) -> int:
    """The live heap of the board with an empty main."""
    with tempfile.TemporaryDirectory(prefix="kassa-heap-") as folder:
        empty = image(Path(folder) / "empty", EMPTY + _LIVE)
        with World(Path(folder) / "home", micropython=micropython, source=empty) as world:
            world.power_on()
            world.wait_off(_PATIENCE_S)
            return int(world.console.split("LIVE")[1].split()[0])


def smallest(suffices: Callable[[int], bool], low: int = _LOWEST, high: int = _HIGHEST) -> int:
    """The smallest heap in KiB that suffices repeatedly. `low` must not suffice, `high` must."""
    while high - low > 1:
        middle = (low + high) // 2
        if suffices(middle):
            high = middle
        else:
            low = middle
    while not all(suffices(high) for _ in range(_TIMES)):
        high += 1
    return high


def image(folder: Path, main: str) -> Path:
    """Build a romfs image of board and firmware with `main` as main.py; failed allocations end the program."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    (tree / "strict.py").write_text(_STRICT.read_text())
    (tree / "main.py").write_text("import strict\n" + main)
    return romfs.build(folder / "image.romfs", tree)


def measure() -> dict[str, float] | None:
    """heap_demo_kib and the figures it is made of, or None if the 32-bit interpreter is not available."""
    micropython = micropython32.find()
    if micropython is None:
        return None
    with tempfile.TemporaryDirectory(prefix="kassa-image-") as folder:
        whole = image(Path(folder) / "whole", (FIRMWARE / "main.py").read_text())
        board = board_kib(str(micropython), Path(folder))
        demo_kib = smallest(lambda kib: play(str(micropython), whole, kib), low=board)
        day_kib = smallest(lambda kib: play(str(micropython), whole, kib, day), demo_kib - 1, demo_kib + _DAY_MORE)
    return {
        "heap_demo_kib": demo_kib - board,
        "heap_day_kib": day_kib - board,
        "heap_whole_kib": max(demo_kib, day_kib),
        "heap_board_kib": board,
    }


def main() -> int:
    interpreter.require()
    figures = measure()
    if figures is None:
        print("heap: skipped, no 32-bit MicroPython here")
        return 0
    peak = tls.measure()
    if peak is not None:
        figures["tls_malloc_peak_kib"] = peak
    show(figures)
    micropython = micropython32.path()
    seen = phases.measure(micropython, round(figures["heap_board_kib"]), BUDGET_KIB)
    lines = phases.table(seen, board_bytes(str(micropython)))
    print("\n".join(lines))
    phases.write(lines)
    if max(figures["heap_demo_kib"], figures["heap_day_kib"]) <= BUDGET_KIB:
        return 0
    print(f"heap: more than {BUDGET_KIB} KiB")
    return 1


if __name__ == "__main__":
    sys.exit(main())
