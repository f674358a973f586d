# SPDX-License-Identifier: MIT
"""The terminal's partitions are the same on the Unix board, on the ESP32 and in the tools."""

from __future__ import annotations

import ast
import csv
from pathlib import Path

from host_tests.house.source import ROOT
from tools.bench import romfs
from tools.fonts import asset, gbk
from tools.world.flash import CHIP_SIZE, PARTITIONS

DATA = 1  # esp32.Partition.TYPE_DATA


def constants() -> dict[str, object]:
    """_TABLE and _CHIP_SIZE of the Unix board's esp32.py, parsed because importing it opens a flash chip."""
    tree = ast.parse((ROOT / "boards/unix/esp32.py").read_text(encoding="utf-8"))
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.startswith("_")
    }


def on_unix() -> list[tuple[int, int, int, int, str, bool]]:
    return list(constants()["_TABLE"])  # type: ignore[call-overload]


def on_silicon() -> dict[str, tuple[str, int, int, int]]:
    """label -> (type, subtype, address, size), for rows with a numeric subtype."""
    text = (ROOT / "boards/kassa_s3/partitions.csv").read_text(encoding="utf-8")
    rows = csv.reader(line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    cells = [[cell.strip() for cell in row] for row in rows]
    return {
        row[0]: (row[1], int(row[2], 0), int(row[3], 0), int(row[4], 0)) for row in cells if row[2].startswith("0x")
    }


def test_the_tools_and_the_unix_board_have_the_same_partitions() -> None:
    assert PARTITIONS == {label: (address, size) for _, _, address, size, label, _ in on_unix()}
    assert constants()["_CHIP_SIZE"] == CHIP_SIZE == sum(size for _, size in PARTITIONS.values())


def test_the_unix_board_and_the_device_have_the_same_partitions() -> None:
    """Labels, types, subtypes and sizes agree, in the same order. All addresses differ by the same offset."""
    unix = on_unix()
    silicon = {label: row for label, row in on_silicon().items() if label in PARTITIONS}
    assert [(label, subtype, size) for _, subtype, _, size, label, _ in unix] == [
        (label, subtype, size) for label, (_, subtype, _, size) in silicon.items()
    ]
    assert {kind for kind, *_ in unix} == {DATA} and {kind for kind, *_ in silicon.values()} == {"data"}
    shift = {silicon[label][2] - address for _, _, address, _, label, _ in unix}
    assert len(unix) == 4 and len(shift) == 1


def test_the_firmware_with_its_fonts_fits_its_partition(tmp_path: Path) -> None:
    """The image includes board.py and the shims of the Unix board, which are larger than those of the device."""
    image = romfs.build(tmp_path / "image.romfs").read_bytes()
    assert len(image) <= on_silicon()["romfs"][3]
    for carried in (asset.PATH, gbk.PATH):
        assert carried.read_bytes() in image, carried.name
