# SPDX-License-Identifier: MIT
"""The board's flash partitions: MicroPython's `esp32.Partition` on the chip in flash.bin."""

import flashchip

_CHIP_SIZE = 0x118000
# type, subtype, address, size, label, encrypted
_TABLE = (
    (1, 0x40, 0x000000, 0x100000, "journal", False),
    (1, 0x41, 0x100000, 0x008000, "keyring", False),
    (1, 0x42, 0x108000, 0x008000, "settings", False),
    (1, 0x43, 0x110000, 0x008000, "cards", False),
)

chip = flashchip.FlashChip(flashchip.open_store("flash.bin", _CHIP_SIZE), _CHIP_SIZE)


class Partition(flashchip.Region):
    """The data partition with this label. Raises OSError if there is none."""

    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, label: str) -> None:
        for entry in _TABLE:
            if entry[4] == label:
                super().__init__(chip, entry[2], entry[3])
                self._entry = entry
                return
        raise OSError(2)

    @staticmethod
    def find(type: int = 0, subtype: int = 0xFF, label: str | None = None, block_size: int = 4096) -> list["Partition"]:
        """The partitions of this type, subtype (0xFF = any) and label (None = any)."""
        return [
            Partition(entry[4])
            for entry in _TABLE
            if entry[0] == type and subtype in (0xFF, entry[1]) and label in (None, entry[4])
        ]

    def info(self) -> tuple:
        """(type, subtype, address, size, label, encrypted)."""
        return self._entry
