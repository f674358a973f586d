# SPDX-License-Identifier: MIT
"""Sealed cells of 32 bytes in the sectors of the settings partition behind the settings: written once, one after the other.

A sector of cells begins with its head. Layout: docs/keys.md. Loaded only for staff.
"""

from micropython import const

from kassa.crypto.cmac import equal
from kassa.errors import FlashFault
from kassa.vault.flash import erase, program

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.settings.settings import Settings

CELLS = const(128)  # in a sector; the first is its head
SIZE = const(32)
BODY = const(24)  # bytes before the tag; the first is the kind of the cell, never 0 or 255
BLANK, DAMAGED = const(0), const(255)  # instead of a kind
HEAD = const(1)


def read(values: "Settings", sector: int, place: int, cell: bytearray) -> int:
    """Read a cell into `cell` (SIZE bytes). Returns its kind, BLANK, or DAMAGED if its tag is wrong: it was torn."""
    values.flash.readblocks(sector, cell, place * SIZE)
    if cell == b"\xff" * SIZE:
        return BLANK
    return cell[0] if equal(values.tag(cell[:BODY])[: SIZE - BODY], cell[BODY:]) else DAMAGED


def write(values: "Settings", sector: int, place: int, cell: bytearray) -> bool:
    """Seal and program a cell, its tag included. Returns whether the chip holds it; a place that was torn may not."""
    cell[BODY:] = values.tag(cell[:BODY])[: SIZE - BODY]
    program(values.flash, sector, cell, place * SIZE)
    back = bytearray(SIZE)
    values.flash.readblocks(sector, back, place * SIZE)
    return back == cell


def clear(values: "Settings", sector: int) -> None:
    """Erase a sector. Raises FlashFault if it does not become blank."""
    erase(values.flash, sector)
    back = bytearray(SIZE)
    for place in range(CELLS):
        values.flash.readblocks(sector, back, place * SIZE)
        if back != b"\xff" * SIZE:
            raise FlashFault("staff cells not blank")


def append(values: "Settings", sector: int, place: int, cell: bytearray) -> int:
    """Write a cell at the first place from `place` on that holds it. Returns the next place, 0 if the sector is full."""
    while place < CELLS:
        place += 1
        if write(values, sector, place - 1, cell):
            return place
    return 0


def newest(values: "Settings", first: int, count: int, head: bytearray) -> int:
    """The sector with the newest head, of `count` from `first` on; its head is left in `head`. -1: there is none."""
    found, generation, cell = -1, 0, bytearray(SIZE)
    for sector in range(first, first + count):
        if read(values, sector, 0, cell) == HEAD:
            number = int.from_bytes(cell[4:8], "big")
            if number > generation:
                found, generation = sector, number
                head[:] = cell
    return found
