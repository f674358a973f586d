# SPDX-License-Identifier: MIT
"""Fills the log of what staff did, as a long time without the host does. Layout: docs/keys.md, Cells of staff."""

import struct
from pathlib import Path

from tools.device_key import device_key
from tools.host.keys import mac
from tools.world.flash import PARTITIONS

_SECTOR, _CELLS, _BODY = 4096, 128, 24
_FIRST, _SECTORS = 5, 3
_MARKS = 16  # the last cells are for marks of what the host has
_LOG_IN = 1  # an act


def fill(home: Path, operator: int) -> None:
    """Log as many log-ins of an operator as there is room for; the host has none of them. The power must be off."""
    key = device_key((home / "efuse.bin").read_bytes(), b"settings")
    serial, log = 0, b""
    for generation in range(1, _SECTORS + 1):
        cells = [struct.pack(">BBHIII4s4x", 1, 0, 0, generation, serial, 0, b"full")]
        for _ in range(_CELLS - 1 - (_MARKS if generation == _SECTORS else 0)):
            serial += 1
            cells.append(struct.pack(">BBBBIIIHH4x", 2, _LOG_IN, operator, operator, serial, 0, 0, 0, 0))
        sector = b"".join(cell + mac.cmac(key, cell)[: 32 - _BODY] for cell in cells)
        log += sector.ljust(_SECTOR, b"\xff")
    with (home / "flash.bin").open("r+b") as flash:
        flash.seek(PARTITIONS["settings"][0] + _FIRST * _SECTOR)
        flash.write(log)
