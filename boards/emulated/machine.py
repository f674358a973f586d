# SPDX-License-Identifier: MIT
"""`machine` of the emulated chip: its own clock; pins, SPI, UART and watchdog go over the bus to the world's chips.

The rest is the Unix board's `machine`, which lies beside this file as `board_machine`. The pins of boards/kassa_esp32 are
translated to those of wiring.py.
"""

import board_machine
import umachine
from board_machine import *  # noqa: F403

import wiring

_PINS = {
    15: wiring.DISPLAY_CS,
    2: wiring.DISPLAY_DC,
    18: wiring.DISPLAY_RST,
    5: wiring.READER_CS,
    4: wiring.READER_IRQ,
    27: wiring.READER_RST,
}
for _at in range(4):
    _PINS[(25, 26, 32, 33)[_at]] = wiring.KEY_ROWS[_at]
    _PINS[(34, 35, 36, 39)[_at]] = wiring.KEY_COLS[_at]
_NOWHERE = 55  # the pins of buses: the bus itself is carried


class Pin(board_machine.Pin):
    """A pin of the board, by the chip's number."""

    def __init__(self, id: int, mode: int = -1, pull: int | None = -1, *, value: int | None = None) -> None:
        super().__init__(_PINS.get(id, _NOWHERE), mode, pull, value=value)


class RTC:
    """The chip's own clock. Its memory is kept in a file, since a reset starts the emulator anew."""

    def datetime(self, date: tuple | None = None) -> tuple | None:
        clock = umachine.RTC()
        return clock.datetime() if date is None else clock.datetime(date)

    def memory(self, data: bytes | None = None) -> bytes | None:
        memory = board_machine.RTC()
        return memory.memory() if data is None else memory.memory(data)
