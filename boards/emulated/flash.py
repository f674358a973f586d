# SPDX-License-Identifier: MIT
"""`esp32` of the emulated chip: its own partitions and NVS. Each program and erase is reported to the world, which may
have the power cut inside one, as on the Unix board's flashchip.py.
"""

import struct

from micropython import const

import bus
import esp32
import wiring

NVS = esp32.NVS
PAGE = const(256)
SECTOR = const(4096)
_BASES = {"journal": 0, "keyring": 0x100000, "settings": 0x108000, "cards": 0x110000}  # in the world's flash.bin
_ERASE = const(6)

_operation = bytearray(6)


class _Cut:
    """When the power fails."""

    left = 0  # operations until then; 0 = never
    tear = "none"

    def cut_at(self, operation: int, tear: str = "none", seed: int = 1) -> None:
        """Cut the power inside the `operation`-th operation from now; `tear`: "none", "half", "all" or "prefix:N"."""
        if tear not in ("none", "half", "all") and not tear.startswith("prefix:"):
            raise ValueError(tear)
        self.left, self.tear = operation, tear

    def bytes_done(self, size: int) -> int:
        """Count one operation of `size` bytes. Returns how much of it is done: less than `size` + 1, or -1 for no cut."""
        if not self.left:
            return -1
        self.left -= 1
        if self.left:
            return -1
        if self.tear.startswith("prefix:"):
            return min(size, int(self.tear[7:]))
        return {"none": 0, "half": size // 2, "all": size}[self.tear]


chip = _Cut()


def _lose_power() -> None:
    bus.post(wiring.POWER_LOST, 0)
    bus.answer(bytearray(1))  # never comes: the world ends the emulator


class Partition:
    """A partition of the chip."""

    TYPE_APP = esp32.Partition.TYPE_APP
    TYPE_DATA = esp32.Partition.TYPE_DATA

    def __init__(self, own: esp32.Partition) -> None:
        self._own = own
        self._base = _BASES.get(own.info()[4], 0)
        self.info = own.info
        self.readblocks = own.readblocks

    @staticmethod
    def find(type: int = 0, subtype: int = 0xFF, label: str | None = None) -> list["Partition"]:
        return [Partition(own) for own in esp32.Partition.find(type, subtype=subtype, label=label)]

    def writeblocks(self, block: int, data, offset: int = -1) -> None:
        """Program `data`, page by page. Without `offset`, erase the blocks it covers first."""
        view = memoryview(data)
        if offset < 0:
            for sector in range(len(view) // SECTOR):
                self.ioctl(_ERASE, block + sector)
            offset = 0
        done = 0
        while done < len(view):
            at = offset + done
            size = min(PAGE - at % PAGE, len(view) - done)
            self._program(block + at // SECTOR, at % SECTOR, view[done : done + size])
            done += size

    def _program(self, block: int, offset: int, page) -> None:
        whole = chip.bytes_done(len(page))
        if whole >= 0:
            if whole:
                self._own.writeblocks(block, page[:whole], offset)
            _lose_power()
        self._own.writeblocks(block, page, offset)
        self._report(0, block * SECTOR + offset, len(page))

    def ioctl(self, command: int, block: int = 0) -> int | None:
        if command == _ERASE:
            if chip.bytes_done(SECTOR) >= 0:
                _lose_power()
            self._own.ioctl(command, block)
            self._report(1, block * SECTOR, SECTOR)
            return 0
        return self._own.ioctl(command, block)

    def _report(self, erase: int, address: int, size: int) -> None:
        struct.pack_into("<IH", _operation, 0, self._base + address, size)
        bus.post(wiring.FLASH, erase, _operation)
