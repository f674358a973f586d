# SPDX-License-Identifier: MIT
"""The log of what staff did: who, when, and at which place of the journal. Kept until the host has it.

Sectors 5 to 7 of the settings partition in turn; the oldest is overwritten once all of it was sent. Layout: docs/keys.md.
Loaded only to add an act or to send some.
"""

from struct import pack_into

from micropython import const

from kassa.errors import FlashFault, JournalFull
from kassa.vault.settings import cells

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.settings.settings import Settings

_FIRST, _SECTORS = const(5), const(3)
_ACT, _SENT = const(2), const(3)  # kinds of cells
LOG = const(4)  # bytes of the log's id
_MARKS = const(16)  # the last cells, kept for marks of what the host has: 11 make room, with 12 acts in each message
WIDTH = const(
    17
)  # bytes of an act as it is sent, bytes 1..17 of its cell: act, who, by, serial 4, sequence 4, time 4, about 2


class Acts:
    """The log as it is now. Make it anew after every await: another task may have added an act."""

    def __init__(self, values: "Settings") -> None:
        self._settings = values
        self.serial = self.sent = self._generation = 0  # newest act; newest one that the host has
        self.log = b""  # drawn when the log began, so that the host can tell it from a log before it
        self._sector, self._place = -1, cells.CELLS
        cell = bytearray(cells.SIZE)
        self._sector = cells.newest(values, _FIRST, _SECTORS, cell)
        if self._sector < 0:
            return
        self._generation, self.serial, self.sent = _number(cell, 4), _number(cell, 8), _number(cell, 12)
        self.log = bytes(cell[16 : 16 + LOG])
        for place in range(1, cells.CELLS):
            kind = cells.read(values, self._sector, place, cell)
            if kind == cells.BLANK:
                self._place = place
                return
            if kind == _ACT:
                self.serial = max(self.serial, _number(cell, 4))
            elif kind == _SENT:
                self.sent = max(self.sent, _number(cell, 4))

    def add(self, act: int, who: int, by: int, about: int, sequence: int, time: int) -> None:
        """Store an act. `act`: its id, see desk/roles.py. `who`: the operator logged in; `by`: who allowed it.

        `about`: another number, such as that of an operator. `sequence`: newest payment in the journal. `time`: seconds since
        2000. Raises JournalFull if an act that was not sent would be overwritten, or nothing could be marked as sent any
        more; FlashFault.
        """
        if self._place >= cells.CELLS - _MARKS:
            self._oldest()
        cell = bytearray(cells.SIZE)
        pack_into(">BBBBIIIHH", cell, 0, _ACT, act, who, by, self.serial + 1, sequence, time, about, 0)
        self._put(cell)
        self.serial += 1

    def mark_sent(self, serial: int) -> None:
        """The host has every act up to this one. Raises JournalFull, FlashFault; the acts are then sent again."""
        cell = bytearray(cells.SIZE)
        cell[0] = _SENT
        cell[4:8] = serial.to_bytes(4, "big")
        self.sent = max(self.sent, serial)  # first: with it, there may be room
        self._put(cell)

    def unsent(self, most: int) -> "list[bytes]":
        """The oldest acts that the host does not have, at most so many, WIDTH bytes each."""
        found, cell = [], bytearray(cells.SIZE)
        for step in range(_SECTORS if self.serial > self.sent else 0):
            sector = _FIRST + (self._sector - _FIRST + 1 + step) % _SECTORS  # the oldest first
            for place in range(1, cells.CELLS):
                kind = cells.read(self._settings, sector, place, cell)
                if kind == cells.BLANK or len(found) == most:
                    break
                if kind == _ACT and _number(cell, 4) > self.sent:
                    found.append(bytes(cell[1 : 1 + WIDTH]))
        return found

    def _put(self, cell: bytearray) -> None:
        for _ in range(2):
            place = cells.append(self._settings, self._sector, self._place, cell)
            if place:
                self._place = place
                return
            self._turn()
        raise FlashFault("staff log")

    def _oldest(self) -> int:
        """The sector with the oldest acts. Raises JournalFull if the host does not have them all."""
        cell = bytearray(cells.SIZE)
        sector = _FIRST + (self._sector - _FIRST + 1) % _SECTORS if self._sector >= 0 else _FIRST
        for place in range(1, cells.CELLS):
            if cells.read(self._settings, sector, place, cell) == _ACT and _number(cell, 4) > self.sent:
                raise JournalFull("staff log")
        return sector

    def _turn(self) -> None:
        """Begin the sector with the oldest acts anew. Raises JournalFull if the host does not have them all."""
        values, sector = self._settings, self._oldest()
        cells.clear(values, sector)
        self.log = self.log or values.entropy(LOG)
        cell = bytearray(cells.SIZE)
        pack_into(">BBHIII", cell, 0, cells.HEAD, 0, 0, self._generation + 1, self.serial, self.sent)
        cell[16 : 16 + LOG] = self.log
        if not cells.write(values, sector, 0, cell):
            raise FlashFault("staff log")
        self._sector, self._place, self._generation = sector, 1, self._generation + 1


def _number(cell: bytearray, at: int) -> int:
    return int.from_bytes(cell[at : at + 4], "big")
