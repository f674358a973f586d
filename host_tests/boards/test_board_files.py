# SPDX-License-Identifier: MIT
"""Partition tables, sdkconfig and manifests of the boards, and that the checks notice what is wrong."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest

from tools.hardware import manifest, partitions, sdkconfig
from tools.hardware.__main__ import OFFICIAL_PROGRAM, problems
from tools.hardware.catalogue import OFFICIAL, OWN, BoardFolder, board, boards
from tools.world.flash import PARTITIONS

MB = 1024 * 1024
GOOD = (board("kassa_esp32").folder / OFFICIAL).read_text(encoding="utf-8")


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_a_board_folder_passes_all_checks(each: BoardFolder) -> None:
    assert problems(each) == []


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_what_a_terminal_must_not_lose_stays_where_it_is_in_both_tables(each: BoardFolder) -> None:
    tables = [
        {row.label: row for row in partitions.read_csv(each.folder / name) if row.label in ("nvs", *partitions.KEPT)}
        for name in (OWN, OFFICIAL)
    ]
    assert tables[0] == tables[1] and len(tables[0]) == 5
    assert {label: tables[0][label].size for label in partitions.KEPT} == {
        label: size for label, (_, size) in PARTITIONS.items()
    }


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("0x1A0000", "0x1B0000", "vfs: overlaps factory"),
        ("factory, 0x10000,  0x1A0000", "factory, 0x11000,  0x19F000", "factory: address 0x11000 is not a multiple"),
        ("0x1A0000", "0x190000", "factory: 1638400 bytes are too small for a program of 1672976"),
        ("0x3F8000, 0x8000", "0x3F8000, 0x9000", "cards: ends at 0x401000"),
        ("0x3F8000, 0x8000", "0x3F8000, 0x7800", "cards: size 0x7800 is not a multiple"),
        ("0x3F0000, 0x8000", "0x3F0800, 0x7000", "settings: address 0x3f0800 is not a multiple"),
        ("0x9000,   0x6000", "0x8000,   0x7000", "nvs: begins at 0x8000"),
        ("0x41,", "0x42,", "keyring: must be data, 0x41"),
        ("\nkeyring, ", "\njournal, ", "journal: named twice"),
        ("\nkeyring, ", "\nkeys,    ", "keyring: missing"),
        ("app,  factory", "data, 0x50   ", "no app partition"),
        ("app,  factory", "app,  ota_0  ", "app slots without an otadata partition"),
    ],
)
def test_a_wrong_table_is_noticed(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    rows = partitions.parse_csv(GOOD.replace(old, new, 1))
    assert any(line.startswith(expected) for line in partitions.problems(rows, 4 * MB, OFFICIAL_PROGRAM))


@pytest.mark.parametrize(
    "line", ["nvs, data, nvs, 0x9000", "nvs, date, nvs, 0x9000, 0x1000,", "nvs, data, nsv, 0x9000, 1"]
)
def test_a_row_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(partitions.TableError, match="line 1"):
        partitions.parse_csv(line)


def test_the_binary_table_is_what_the_bootloader_reads() -> None:
    rows = partitions.parse_csv(GOOD)
    table = partitions.pack(rows)
    assert len(table) == 0xC00 and partitions.unpack(table) == rows
    assert struct.unpack("<2sBBII16sI", table[:32]) == (b"\xaa\x50", 1, 2, 0x9000, 0x6000, b"nvs".ljust(16, b"\0"), 0)
    end = 32 * len(rows)
    assert table[end : end + 16] == b"\xeb\xeb" + b"\xff" * 14
    assert table[end + 16 : end + 32] == hashlib.md5(table[:end]).digest()
    assert set(table[end + 32 :]) == {0xFF}


@pytest.mark.parametrize("at", [4, 40, 8 * 32 + 20])
def test_a_damaged_binary_table_is_noticed(at: int) -> None:
    table = bytearray(partitions.pack(partitions.parse_csv(GOOD)))
    table[at] ^= 1
    with pytest.raises(partitions.TableError):
        partitions.unpack(bytes(table))
    with pytest.raises(partitions.TableError):
        partitions.unpack(b"\xff" * 0xC00)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CONFIG_LWIP_LOCAL_HOSTNAM=\"kassa\"", "is not a known key"),
        ("CONFIG_LWIP_LOCAL_HOSTNAME=kassa", "cannot be"),
        ("CONFIG_ESPTOOLPY_FLASHSIZE_8MB=n", "cannot be"),
        ("CONFIG_ESPTOOLPY_FLASHSIZE_4MB=\nCONFIG_ESPTOOLPY_FLASHSIZE_8MB=", "0 of them are on"),
        ("CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_ESPTOOLPY_FLASHSIZE_8MB=y", "2 of them are on"),
        ("CONFIG_ESPTOOLPY_FLASHSIZE_4MB=y\nCONFIG_ESPTOOLPY_FLASHSIZE_4MB=y", "set twice"),
        ("CONFIG_ESPTOOLPY_FLASHSIZE_4MB", "is not KEY=value"),
    ],
)  # fmt: skip
def test_a_wrong_sdkconfig_is_noticed(line: str, expected: str) -> None:
    assert any(expected in found for found in sdkconfig.problems(line))


def test_a_manifest_freezes_main_and_names_the_folders_of_micropython() -> None:
    found = manifest.run(board("kassa_esp32").folder / "manifest.py")
    assert [(name, path.name) for name, path in found.files.items()] == [("main.py", "main.py")]
    assert found.foreign == ["$(PORT_DIR)/modules", "$(MPY_DIR)/extmod/asyncio"]


@pytest.mark.parametrize(
    "text",
    ['module("nain.py", base_path="$(BOARD_DIR)")', 'module("main.py", base="x")', 'module("m.py", base_path="$(BOARDDIR)")',
     'modul("main.py")', 'module("manifest.py")\nmodule("manifest.py")', "import os", 'include("other.py")'],
)  # fmt: skip
def test_a_wrong_manifest_is_noticed(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.py").write_text(text)
    with pytest.raises(manifest.ManifestError):
        manifest.run(tmp_path / "manifest.py")
