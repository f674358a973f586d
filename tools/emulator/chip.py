# SPDX-License-Identifier: MIT
"""The flash of an emulated ESP32: what `make flash` writes to a chip, and what provisioning leaves on it."""

import io
from pathlib import Path

from esp_idf_nvs_partition_gen import nvs_partition_gen as nvs

from tools.flash import official
from tools.hardware import partitions
from tools.hardware.catalogue import OFFICIAL, ROOT, board
from tools.hardware.chips import CHIPS
from tools.image import filesystem
from tools.image.__main__ import VFS
from tools.world.flash import PARTITIONS

SIZE = 0x400000
_UNIX, _EMULATED = ROOT / "boards" / "unix", ROOT / "boards" / "emulated"
_SHARED = {"bus": "bus", "select": "select", "time": "time", "wiring": "wiring", "world_requests": "world_requests"}
_RENAMED = {"board_machine": "machine", "board_network": "network"}
_PAGE = 4096  # of NVS; one stays free
_NVS_VERSION = 2


def build(image: Path, home: Path) -> bytes:
    """The whole flash of a terminal whose own partitions are in `home`'s flash.bin and whose secret is in efuse.bin.

    `image`: an official MicroPython image for the classic ESP32. Raises OfficialError, FilesystemError.
    """
    target = board("kassa_esp32")
    rows = {row.label: row for row in partitions.read_csv(target.folder / OFFICIAL)}
    chip = CHIPS["esp32"]
    parts = official.read(image.read_bytes(), chip)
    files, _ = filesystem.build(target.folder, rows[VFS].size, modules())
    contents = {
        chip.bootloader: parts.bootloader,
        partitions.TABLE_AT: partitions.pack(list(rows.values())),
        rows["nvs"].address: _secret(home, rows["nvs"].size),
        rows["factory"].address: parts.program,
        rows[VFS].address: files,
    }
    own = (home / "flash.bin").read_bytes()
    for label, (at, size) in PARTITIONS.items():
        contents[rows[label].address] = own[at : at + size]
    flash = bytearray(b"\xff" * SIZE)
    for address, content in contents.items():
        flash[address : address + len(content)] = content
    return bytes(flash)


def own_partitions(flash: bytes) -> bytes:
    """The terminal's own partitions, laid out as flash.bin is."""
    rows = {row.label: row for row in partitions.read_csv(board("kassa_esp32").folder / OFFICIAL)}
    return b"".join(flash[rows[label].address : rows[label].end] for label in PARTITIONS)


def modules() -> dict[str, Path]:
    """What the emulated chip has beside the firmware: the way to the world's chips."""
    found = {path.stem: path for path in sorted(_EMULATED.glob("*.py"))}
    return {**found, **{name: _UNIX / f"{file}.py" for name, file in {**_SHARED, **_RENAMED}.items()}}


def _secret(home: Path, size: int) -> bytes:
    """An NVS partition with the device secret, as `esp32.NVS("kassa")` reads it."""
    out = io.BytesIO()
    store = nvs.nvs_open(out, size - _PAGE, nvs.Page.VERSION2)
    with store:
        nvs.write_entry(store, "kassa", "namespace", "", "")
        nvs.write_entry(store, "secret", "data", "hex2bin", (home / "efuse.bin").read_bytes().hex())
    return out.getvalue().ljust(size, b"\xff")
