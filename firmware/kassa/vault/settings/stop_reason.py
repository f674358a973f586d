# SPDX-License-Identifier: MIT
"""Stores the reason for the last stop across a restart, in sector 2 of the settings partition."""

from micropython import const

from kassa.vault.flash import erase, program

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Flash

_SECTOR = const(2)
_SIZE = const(48)


def note(flash: "Flash", reason: str) -> None:
    """Store a reason (ASCII, cut to 48 characters) for the next boot."""
    line = bytearray(_SIZE)
    for index in range(min(_SIZE, len(reason))):
        line[index] = ord(reason[index]) & 0x7F
    erase(flash, _SECTOR)
    program(flash, _SECTOR, line, 0)


def take(flash: "Flash") -> str:
    """Return the stored reason and erase it; empty when there is none."""
    reason = read(flash)
    if reason:
        erase(flash, _SECTOR)
    return reason


def read(flash: "Flash") -> str:
    """Return the stored reason; empty when there is none."""
    line = bytearray(_SIZE)
    flash.readblocks(_SECTOR, line, 0)
    if line[0] == 0xFF:
        return ""
    return "".join([chr(byte) for byte in line if 32 <= byte < 127])
