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
_SETTLED_MS = 5000  # after the first start: keys and blank sectors are prepared


def boot() -> dict[str, float]:
    """All figures of the boot, or none if instructions cannot be counted here."""
    if not instructions.available():
        return {}
    with tempfile.TemporaryDirectory(prefix="kassa-boot-") as folder:
        calls, read = _calls(Path(folder) / "calls")
        counted = _counted(Path(folder) / "whole")
        shims = _alone(Path(folder) / "shims", calls) - _alone(Path(folder) / "none", {})
        start = _alone(Path(folder) / "start", None)
    work = counted - shims - start
    flash, bus = model.flash_read_ms(read), model.display_ms(calls["write"][1])
    waits = calls["waited"][1]
    cpu = model.processor_ms(work)
    return {
        "boot_flash_ms": round(flash, 1),
        "boot_display_ms": round(bus, 1),
        "boot_wait_ms": waits,
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
    image = _image(folder, STILL + "import chip_calls\nchip_calls.watch()\n" + (FIRMWARE / "main.py").read_text())
    with second_start(folder / "home", micropython32.path(), image, "400k") as system:
        lines = [line for line in system.world.console.splitlines() if line.startswith("CALLS ")]
    calls = json.loads(lines[-1].removeprefix("CALLS "))
    return calls, calls["readblocks"][1] + sum(json.loads(SIZES.read_text()).values())


def _counted(folder: Path) -> int:
    """Instructions of the second start, with those of the interpreter and the board."""
    first_start(folder / "home")
    image = _image(folder, STILL + (FIRMWARE / "main.py").read_text())
    callgrind = Callgrind(folder)
    with second_start(folder / "home", callgrind.command, image, _HEAP) as system:
        return callgrind.read(system.world.pid)


def _alone(folder: Path, calls: dict[str, list[int]] | None) -> int:
    """Instructions of a main.py that makes these calls to the chips; with None of one that does nothing."""
    image = _image(folder, "" if calls is None else f"import chip_calls\nchip_calls.repeat({calls})\n")
    callgrind = Callgrind(folder)
    with World(folder / "home", micropython=str(callgrind.command), heap=_HEAP, source=image) as world:
        world.power_on()
        world.wait_off(_PATIENCE_S)
        return callgrind.read()


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
