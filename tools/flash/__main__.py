# SPDX-License-Identifier: MIT
"""`python -m tools.flash BOARD PORT IMAGE [esptool options]`: writes MicroPython, partition table and firmware to a chip.

`make image BOARD=` comes first. What a terminal must not lose is neither written nor moved; see survey.py.
"""

import sys
from pathlib import Path

from tools.flash import official, survey
from tools.flash.esptool import Device, EsptoolError
from tools.hardware import partitions
from tools.hardware.catalogue import BoardFolder, board
from tools.hardware.partitions import TABLE_AT, TABLE_SIZE, TableError
from tools.image import filesystem
from tools.image.__main__ import FILESYSTEM, TABLE, VFS, folder_of


def parts(target: BoardFolder, image: bytes, folder: Path) -> dict[int, bytes]:
    """What is to be written, by address. Raises Refused, with the reason, if one part does not fit the others."""
    for name in (TABLE, FILESYSTEM):
        if not (folder / name).exists():
            raise survey.Refused(f"there is no {folder / name}: run make image BOARD={target.name} first")
    try:
        found = official.read(image, target.chip)
        table = (folder / TABLE).read_bytes()
        rows = partitions.unpack(table)
        vfs = next(row for row in rows if row.label == VFS)
        app = next(row for row in rows if row.kind == partitions.APP)
        content = (folder / FILESYSTEM).read_bytes()
        filesystem.check(content, vfs.size)
    except (official.OfficialError, filesystem.FilesystemError, TableError) as error:
        raise survey.Refused(str(error)) from None
    bad = partitions.problems(rows, target.flash_size, len(found.program))
    if bad:
        raise survey.Refused("; ".join(bad))
    return {target.chip.bootloader: found.bootloader, TABLE_AT: table, app.address: found.program, vfs.address: content}


def flash(target: BoardFolder, device: Device, written: dict[int, bytes]) -> None:
    """Look at the chip, then write. Raises Refused before anything changed, or EsptoolError."""
    rows = partitions.unpack(written[TABLE_AT])
    size = device.flash_size()
    if size < target.flash_size:
        raise survey.Refused(f"the chip's flash has {size:#x} bytes, {target.name} needs {target.flash_size:#x}")
    for row in survey.to_erase(device.read(TABLE_AT, TABLE_SIZE), rows, size, device.read):
        device.erase(row)
    device.write(written, target.flash_size)


def main(arguments: list[str]) -> int:
    """Returns 0, 1 if esptool failed, 2 if it was refused."""
    if len(arguments) < 3 or not all(arguments[:3]):
        print(
            "flash: board, port and image are needed: make flash BOARD=kassa_s3 PORT=/dev/ttyACM0 MICROPYTHON_IMAGE=file.bin"
        )
        return 2
    name, port, image, *options = arguments
    try:
        target = board(name)
        try:
            content = Path(image).read_bytes()
        except OSError as error:
            raise survey.Refused(f"{image} cannot be read: {error.strerror}") from None
        written = parts(target, content, folder_of(name))
        flash(target, Device(port, target.chip.name, options), written)
    except (survey.Refused, KeyError) as error:
        print(f"flash: refused: {error.args[0]}")
        return 2
    except (EsptoolError, OSError) as error:
        print(f"flash: failed: {error}")
        return 1
    print("flash: written; journal, keyring, settings and cards are as they were")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
