# SPDX-License-Identifier: MIT
"""`make emulate`: plays the day in a shop on an emulated ESP32 with an official MicroPython image.

The chip runs the firmware that `make flash` writes, with the board file of kassa_esp32. Its Wi-Fi, TLS, flash, heap and clock
are the chip's own; reader, display, keypad, scanner and printer are the world's, reached over a second UART.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from tools.demo.agreement import Journals
from tools.demo.day import TERMINAL, Day
from tools.emulator.power import EmulatorError, EmulatorPower
from tools.flash.official import OfficialError
from tools.whole_system import WholeSystem


class ChipJournals(Journals):
    """The journal as it is on the emulated chip."""

    def __init__(self, home: Path, power: EmulatorPower) -> None:
        super().__init__(home)
        self._power = power

    def read(self) -> None:
        self._power.read_out()
        super().read()


@click.command()
@click.argument("qemu", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--scenes", default=0, help="Play only so many scenes of the day; 0 = all of them.")
def main(qemu: Path, image: Path, scenes: int) -> None:
    """Play the day on QEMU's ESP32 with IMAGE. Exit with 0 only if till, chip, receipts, slips and ledger agree."""
    try:
        agreed = play(lambda home, port: EmulatorPower(home, qemu, image, port), scenes)
    except (EmulatorError, OfficialError) as error:
        raise click.ClickException(str(error)) from None
    sys.exit(0 if agreed else 1)


def play(power: Callable[[Path, int], EmulatorPower], scenes: int = 0) -> bool:
    """Play the day, and print the live heap and the time that each scene took. Returns whether all sources agree."""
    with tempfile.TemporaryDirectory(prefix="kassa-chip-") as folder:
        made: list[EmulatorPower] = []

        def supply(home: Path, port: int) -> EmulatorPower:
            made.append(power(home, port))
            return made[0]

        with WholeSystem(Path(folder), terminal=TERMINAL, micropython="", power=supply) as system:
            day = Day(system)
            day.journals = ChipJournals(system.world.home, made[0])
            for number, scene in enumerate(day.scenes()[: scenes or None], 1):
                began = time.monotonic()
                scene()
                took = time.monotonic() - began
                title = (scene.__doc__ or "").splitlines()[0]
                click.echo(f"{number:2}. {title} ({took:.0f} s, heap {system.world.heap().live} bytes)")
            found = day.agree()
    whole = not scenes or scenes >= len(day.scenes())
    click.echo("\n".join(["", *found.table(), ""]))
    if whole:
        click.echo("all agree to the cent" if found.agrees else "they differ")
    return found.agrees or not whole


if __name__ == "__main__":
    main()
