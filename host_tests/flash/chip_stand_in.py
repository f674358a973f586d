# SPDX-License-Identifier: MIT
"""What stands in for esptool and a chip: keeps the flash in memory and records every command."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from tools.hardware import partitions
from tools.hardware.chips import Chip
from tools.hardware.partitions import Partition


def program(size: int, chip_id: int) -> bytes:
    """An app image with one segment, its checksum byte left 0, and its SHA-256. `size`: bytes of the segment."""
    head = bytearray(24)
    head[0], head[1], head[23] = 0xE9, 1, 1
    head[12:14] = chip_id.to_bytes(2, "little")
    image = bytes(head) + bytes(4) + size.to_bytes(4, "little") + bytes(size)
    image += bytes(16 - len(image) % 16)
    return image + hashlib.sha256(image).digest()


def official(chip: Chip, size: int = 50_000) -> bytes:
    """A whole image for a chip, laid out as MicroPython's: bootloader, stock table, filler, program."""
    rows = [Partition("nvs", 1, 2, 0x9000, 0x6000), Partition("vfs", 1, 0x81, 0x200000, 0x200000)]
    image = program(9000, chip.image_id).ljust(0x8000 - chip.bootloader, b"\xff") + partitions.pack(rows)
    return image.ljust(0x10000 - chip.bootloader, b"\xff") + program(size, chip.image_id)


class ChipStandIn:
    """A runner for tools.flash.esptool.Device. `flash`: the chip's content."""

    def __init__(self, size: int, told: str | None = None) -> None:
        self.flash = bytearray(b"\xff" * size)
        self.commands: list[list[str]] = []
        self._told = told or f"{size // 1024 // 1024}MB"

    def put(self, address: int, content: bytes) -> None:
        self.flash[address : address + len(content)] = content

    def changes(self) -> list[str]:
        """The commands that change the chip."""
        return [command[6] for command in self.commands if command[6] in ("write-flash", "erase-region", "erase-flash")]

    def __call__(self, arguments: Sequence[str]) -> str:
        self.commands.append(list(arguments))
        assert (arguments[0], arguments[2], arguments[4]) == ("--chip", "--port", "--baud")
        command, *rest = arguments[6:]
        if command == "flash-id":
            return f"Detected flash size: {self._told}\n"
        if command == "read-flash":
            address, size = int(rest[0], 0), int(rest[1], 0)
            Path(rest[2]).write_bytes(self.flash[address : address + size])
        elif command == "erase-region":
            address, size = int(rest[0], 0), int(rest[1], 0)
            assert address % 4096 == size % 4096 == 0
            self.flash[address : address + size] = b"\xff" * size
        elif command == "write-flash":
            assert rest[0] == "--flash-size"
            for address, path in zip(rest[2::2], rest[3::2], strict=True):
                content = Path(path).read_bytes()
                end = -(-(int(address, 0) + len(content)) // 4096) * 4096
                self.put(int(address, 0), content.ljust(end - int(address, 0), b"\xff"))
        else:
            raise AssertionError(f"esptool knows no {command}")
        return ""
