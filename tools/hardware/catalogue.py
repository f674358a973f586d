# SPDX-License-Identifier: MIT
"""The boards with an ESP32: their folders, chips and flash."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from tools.hardware.chips import CHIPS, Chip

ROOT = Path(__file__).resolve().parent.parent.parent
OFFICIAL = "partitions-official.csv"  # beside an official MicroPython image
OWN = "partitions.csv"  # in an image built for this board
_FLASH_SIZE = re.compile(r"^CONFIG_ESPTOOLPY_FLASHSIZE_(\d+)MB=y$", re.M)


@dataclass(frozen=True)
class BoardFolder:
    """One folder below boards/ that has a board.json."""

    folder: Path
    chip: Chip
    flash_size: int  # bytes, as in sdkconfig.board
    psram: bool  # whether the module has PSRAM ("External RAM" in board.json)

    @property
    def name(self) -> str:
        """The name of the folder, as in BOARD=."""
        return self.folder.name


def load(folder: Path) -> BoardFolder:
    """Read board.json and sdkconfig.board. Raises KeyError for an unknown chip, ValueError without a flash size."""
    facts = json.loads((folder / "board.json").read_text(encoding="utf-8"))
    size = _FLASH_SIZE.search((folder / "sdkconfig.board").read_text(encoding="utf-8"))
    if size is None:
        raise ValueError(f"{folder.name}: sdkconfig.board names no flash size")
    return BoardFolder(
        folder, CHIPS[facts["mcu"]], int(size.group(1)) * 1024 * 1024, "External RAM" in facts["features"]
    )


def boards() -> list[BoardFolder]:
    """Every board with an ESP32, by name."""
    return [load(path.parent) for path in sorted((ROOT / "boards").glob("*/board.json"))]


def board(name: str) -> BoardFolder:
    """The board of this name. Raises KeyError, which lists the names, if there is none."""
    known = {found.name: found for found in boards()}
    if name not in known:
        raise KeyError(f"no board {name!r}; there are: {', '.join(known)}")
    return known[name]
