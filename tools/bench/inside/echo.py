# SPDX-License-Identifier: MIT
"""Types N digits and clears each again on the page of a card sale: `echo.py WORK N`.

WORK is `typed`, for counting instructions: bus and pins of the display are built-in functions, as cheap as a chip's own;
or `bytes`, which prints the bytes sent to the display. Keypad and display have their drivers. Each key is pressed and
released as long as the driver wants it, so nothing waits.
"""

import sys

sys.path.pop()  # the board's modules: they want a world

import asyncio
import json

from kassa import status
from kassa.drivers.ili9341 import ILI9341
from kassa.drivers.keypad import KEYS, Keypad
from kassa.screens import amount
from kassa.screens import font as faces
from kassa.screens.ui import Ui

_SAMPLES = 3
_BEGUN = b"12345"  # so that the amount is a long one
_TURN = b"6B"


class Line:
    """A pin. `down`: the matrix and the place of this column, for one that is read."""

    def __init__(self) -> None:
        self.level = 1

    def __call__(self, level: int | None = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class Column:
    """A column of the matrix: low while the row of the key that is down is driven."""

    def __init__(self, rows: list, place: int) -> None:
        self._rows = rows
        self._place = place
        self.key = -1

    def __call__(self) -> int:
        return self._rows[self.key >> 2].level if self.key >= 0 and self.key & 3 == self._place else 1


class Bus:
    """Takes what is sent to the display."""

    bytes = 0

    def write(self, data: object) -> None:
        self.bytes += len(data)


class Typed(Keypad):
    """A keypad on which the next key is pressed as soon as the page waits for one."""

    def __init__(self, rows: tuple, columns: tuple, keys: bytes) -> None:
        super().__init__(rows, columns)
        self._columns = columns
        self._keys = iter(keys)

    async def get_within(self, timeout_ms: int) -> int:
        place = KEYS.find(bytes((next(self._keys),)))
        for down in (place, -1):
            self._columns[place & 3].key = down
            for _ in range(_SAMPLES):
                self.scan()
        return self.take()


async def main(work: str, turns: int) -> None:
    """Type, and leave the page."""
    rows, bus = tuple([Line() for _ in range(4)]), Bus()
    if work == "typed":
        bus.write = len
    columns = tuple([Column(rows, place) for place in range(4)])
    display = ILI9341(bus, abs, abs, abs)
    font = faces.Font()
    path = faces.__file__.rsplit("/", 1)[0] + "/font.bin"
    with open(path, "rb") as file:
        font._map = memoryview(file.read())  # as on a ROM file system
    keypad = Typed(rows, columns, _BEGUN + turns * _TURN + b"C")
    ui = Ui(display, keypad, status.Status(), font, "en")
    await amount.sale(ui, "Sale: amount", 5_000_000, 0)
    print(json.dumps({"bytes": bus.bytes}))


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
