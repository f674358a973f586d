# SPDX-License-Identifier: MIT
"""Time from power-on to the home page, modelled: the chip's flash, the display's bus, waits, and the processor.

The terminal was switched on before and has no payment in its journal; there is no Wi-Fi. Its heap is about the smallest
that `make heap` allows. Its ticks stand still while it works, as valgrind would make them run fast. The board's shims are
Python here and C on a device: a run that makes the same calls to the chips, and nothing else, is subtracted
(inside/chip_calls.py).
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bench import instructions, micropython32, model, romfs
from tools.bench.callgrind import Callgrind
from tools.bench.inside import HERE
from tools.cashier import HOME
from tools.check import SIZES
from tools.demo.day import TERMINAL
from tools.whole_system import WholeSystem
from tools.world.power import FIRMWARE
from tools.world.world import World

_HEAP = "120k"
_PATIENCE_S = 200
_NO_PAYMENT = "No payment yet"  # the last line of the home page
# The ticks are ahead of the port's own, which the event loop's queue (in C) compares with these. Valgrind is too slow for
# a watchdog.
STILL = """
import machine, time
start = time.ticks_ms() + 600_000
time.ticks_ms = lambda: start + time._ahead
machine.WDT.feed = lambda self: None
"""
_WATCH = "import chip_calls\nchip_calls.watch()\n"
# Ends the program as it begins its N-th wait.
UNTIL = """
import sys
waits = 0
def sleep_ms(ms):
    global waits
    waits += 1
    if waits == N:
        print("WAIT", ms)
        TELL
        sys.exit()
time.sleep_ms = sleep_ms
"""
_RESET, _WAKE = 1, 2  # the first waits, of the display's driver: its reset pulse, and until the chip may be woken
_SETTLED_MS = 5000  # after the first start: keys and blank sectors are prepared


def boot() -> dict[str, float]:
    """All figures of the boot, or none if instructions cannot be counted here."""
    if not instructions.available():
        return {}
    with tempfile.TemporaryDirectory(prefix="kassa-boot-") as folder:
        calls, read = _calls(Path(folder) / "calls")
        counted = _counted(Path(folder) / "whole")
        shims = _shims(Path(folder) / "shims", calls)
        start, _ = _alone(Path(folder) / "start", "")
        overlap = _overlap_ms(Path(folder) / "overlap")
    work = counted - shims - start
    flash, bus = model.flash_read_ms(read), model.display_ms(calls["write"][1])
    waits = calls["waited"][1] - overlap
    cpu = model.processor_ms(work)
    return {
        "boot_flash_ms": round(flash, 1),
        "boot_display_ms": round(bus, 1),
        "boot_wait_ms": round(waits, 1),
        "boot_instructions": work,
        "boot_cpu_ms": round(cpu, 1),
        "boot_ready_ms": round(flash + bus + waits + cpu, 1),
    }


def ready(world: World) -> None:
    """Switch on, and wait for the whole home page."""
    world.power_on()
    world.wait_screen(HOME, _PATIENCE_S)
    world.wait_screen(_NO_PAYMENT, _PATIENCE_S)


def first_start(home: Path) -> None:
    """Provision a system in `home`, and start its terminal for the first time, without valgrind."""
    with WholeSystem(home, terminal=TERMINAL) as system:
        system.world.radio.state = "off"
        ready(system.world)
        system.world.run_for(_SETTLED_MS)


def _calls(folder: Path) -> tuple[dict[str, list[int]], int]:
    """The calls to the chips during the second start, and the bytes it reads from flash: at most all of the bytecode."""
    first_start(folder / "home")
    image = _image(folder, STILL + _WATCH + (FIRMWARE / "main.py").read_text())
    with second_start(folder / "home", micropython32.path(), image, "400k") as system:
        calls = _told(system.world.console)
    return calls, calls["readblocks"][1] + sum(json.loads(SIZES.read_text()).values())


def _counted(folder: Path) -> int:
    """Instructions of the second start, with those of the interpreter and the board."""
    first_start(folder / "home")
    image = _image(folder, STILL + (FIRMWARE / "main.py").read_text())
    callgrind = Callgrind(folder)
    with second_start(folder / "home", callgrind.command, image, _HEAP) as system:
        return callgrind.read(system.world.pid)


def _told(console: str) -> dict[str, list[int]]:
    """The calls to the chips that chip_calls told last."""
    return json.loads([line for line in console.splitlines() if line.startswith("CALLS ")][-1].removeprefix("CALLS "))


def _overlap_ms(folder: Path) -> float:
    """How much of the display's wait after its reset passes while the processor works, modelled.

    The ticks stand still, so the driver waits for all of it. The work is what is done between the two waits.
    """
    firmware, wait = (FIRMWARE / "main.py").read_text(), 0
    counted, calls = [], []
    for number in (_RESET, _WAKE):
        until = UNTIL.replace("N:", f"{number}:")
        count, console = _alone(folder / f"{number}", STILL + until.replace("TELL", "") + firmware)
        wait = int(console.split("WAIT ", 1)[1].split()[0])
        _, console = _alone(
            folder / f"calls{number}", STILL + _WATCH + until.replace("TELL", "chip_calls.tell()") + firmware
        )
        counted.append(count)
        calls.append(_told(console))
    between = {name: [calls[1][name][0] - count, 0] for name, (count, _) in calls[0].items()}
    return min(wait, model.processor_ms(counted[1] - counted[0] - _shims(folder, between)))


def _shims(folder: Path, calls: dict[str, list[int]]) -> int:
    """Instructions of the board's shims for these calls to the chips."""
    main = "import chip_calls\nchip_calls.repeat({})\n"
    return _alone(folder / "repeated", main.format(calls))[0] - _alone(folder / "none", main.format("{}"))[0]


def _alone(folder: Path, main: str) -> tuple[int, str]:
    """Instructions of a main.py that ends by itself, and what it printed."""
    image = _image(folder, main)
    callgrind = Callgrind(folder)
    with World(folder / "home", micropython=str(callgrind.command), heap=_HEAP, source=image) as world:
        world.power_on()
        world.wait_off(_PATIENCE_S)
        return callgrind.read(), world.console


def _image(folder: Path, main: str) -> Path:
    tree = folder / "tree"
    tree.mkdir(parents=True)
    (tree / "chip_calls.py").write_text((HERE / "chip_calls.py").read_text())
    (tree / "main.py").write_text(main)
    return romfs.build(folder / "image.romfs", tree)


@contextmanager
def second_start(home: Path, micropython: Path, image: Path, heap: str) -> Iterator[WholeSystem]:
    """The system of `first_start`, its terminal on the home page again, without Wi-Fi."""
    with WholeSystem(home, micropython=str(micropython), terminal=TERMINAL, heap=heap, source=image) as system:
        system.world.radio.state = "off"
        ready(system.world)
        yield system


if __name__ == "__main__":
    from tools.bench.figures import show

    show(boot())
