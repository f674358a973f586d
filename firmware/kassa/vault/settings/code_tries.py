# SPDX-License-Identifier: MIT
"""Counts wrong tries of codes in flash, so that no power cut gives new ones. A new code, with its new salt, begins at 0.

Sectors 3 and 4 of the settings partition in turn. Layout: docs/keys.md. Loaded only while a code is asked for.
"""

from micropython import const

from kassa.errors import FlashFault
from kassa.vault.settings import cells

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.settings.settings import Settings

_FIRST = const(3)  # sector
_COUNT = const(2)  # a kind of cell
_KEY = const(5)  # bytes: number of the operator, beginning of the code's salt


class Tries:
    """Of one code. `key`: number of the operator, then 4 bytes of the code's salt."""

    def __init__(self, values: "Settings", key: bytes) -> None:
        self._settings = values
        self._key = key
        self._sector, self._place = -1, cells.CELLS
        self._generation = 0
        self.count = 0  # wrong tries since the last right one
        self._find()

    def _find(self) -> None:
        """Find the sector in use, its next place, and the newest count of this code. Damaged cells are passed over."""
        cell, values = bytearray(cells.SIZE), self._settings
        self._sector = cells.newest(values, _FIRST, 2, cell)
        if self._sector < 0:
            return
        self._generation = int.from_bytes(cell[4:8], "big")
        for place in range(1, cells.CELLS):
            kind = cells.read(values, self._sector, place, cell)
            if kind == cells.BLANK:
                self._place = place
                return
            if kind == _COUNT and cell[4 : 4 + _KEY] == self._key:
                self.count = cell[1]

    def begin(self) -> None:
        """Count one more wrong try, durably, before the code is checked. Raises FlashFault."""
        self._set(min(254, self.count + 1))

    def right(self) -> None:
        """The code was right: the count is 0 again. Raises FlashFault."""
        self._set(0)

    def _set(self, count: int) -> None:
        cell = bytearray(cells.SIZE)
        cell[0], cell[1] = _COUNT, count
        cell[4 : 4 + _KEY] = self._key
        for _ in range(2):
            place = cells.append(self._settings, self._sector, self._place, cell)
            if place:
                self._place, self.count = place, count
                return
            self._turn()
        raise FlashFault("tries not counted")

    def _turn(self) -> None:
        """Begin the other sector with the counts that are not 0. Its head is written last, and makes it the newest."""
        values, old = self._settings, self._sector
        new = _FIRST + 1 if old == _FIRST else _FIRST
        cells.clear(values, new)
        cell, seen, to = bytearray(cells.SIZE), [], 1
        for place in range(cells.CELLS - 1 if old >= 0 else 0, 0, -1):  # the newest count of a code comes first
            if cells.read(values, old, place, cell) == _COUNT and bytes(cell[4 : 4 + _KEY]) not in seen:
                seen.append(bytes(cell[4 : 4 + _KEY]))
                if cell[1] and to < cells.CELLS // 2:
                    to = cells.append(values, new, to, cell)
        head = bytearray(cells.SIZE)
        head[0] = cells.HEAD
        head[4:8] = (self._generation + 1).to_bytes(4, "big")
        if not cells.write(values, new, 0, head):
            raise FlashFault("tries not counted")
        self._sector, self._place, self._generation = new, to, self._generation + 1
