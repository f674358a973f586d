# SPDX-License-Identifier: MIT
"""The world's view of the flash chip: its files in `home` and counts of its operations."""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

CHIP_SIZE = 0x118000
PARTITIONS = {
    "journal": (0x000000, 0x100000),
    "keyring": (0x100000, 0x8000),
    "settings": (0x108000, 0x8000),
    "cards": (0x110000, 0x8000),
}


@dataclass
class FlashOps:
    """Completed operations since the world was created. `by_partition` holds the same counts per partition label."""

    programs: int = 0
    erases: int = 0
    bytes: int = 0  # programmed
    by_partition: dict[str, "FlashOps"] = field(default_factory=dict)

    def count(self, is_erase: bool, address: int, size: int) -> None:
        """Count one operation."""
        self._add(is_erase, size)
        for label, (base, length) in PARTITIONS.items():
            if base <= address < base + length:
                self.by_partition.setdefault(label, FlashOps())._add(is_erase, size)

    def _add(self, is_erase: bool, size: int) -> None:
        if is_erase:
            self.erases += 1
        else:
            self.programs += 1
            self.bytes += size


def fill_in(home: Path) -> bytes:
    """Create the files of a new board in `home`: a blank flash.bin, and efuse.bin with 32 secret bytes, written once.

    Returns the board's MAC address (6 bytes), derived from a hash of the secret, which it does not reveal.
    """
    home.mkdir(parents=True, exist_ok=True)
    flash, efuse = home / "flash.bin", home / "efuse.bin"
    if not flash.exists():
        flash.write_bytes(b"\xff" * CHIP_SIZE)
    elif flash.stat().st_size < CHIP_SIZE:  # made by a version with fewer partitions: new ones are at the end
        flash.write_bytes(flash.read_bytes().ljust(CHIP_SIZE, b"\xff"))
    if not efuse.exists():
        efuse.write_bytes(os.urandom(32))
        efuse.chmod(0o400)
    return b"\x02" + sha256(b"MAC address" + efuse.read_bytes()).digest()[:5]
