# SPDX-License-Identifier: MIT
"""The filesystem with the firmware: littlefs 2.0 as MicroPython's ESP32 port mounts it (modules/flashbdev.py).

The image fills its partition. It is the same byte for byte for the same sources: littlefs keeps no dates.
"""

import shutil
import tempfile
from pathlib import Path, PurePosixPath

from littlefs import LittleFS, LittleFSError

from tools.image import bytecode

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCK = 4096
_UNIT = 32  # read, program and lookahead size of MicroPython's VfsLfs2
_VERSION = 0x00020000
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "pyrightconfig.json")


class FilesystemError(Exception):
    """Not a filesystem image for its partition."""


def stage(folder: Path, board: Path) -> list[PurePosixPath]:
    """Put firmware and board.py of a board folder into `folder`, compiled; main.py stays text, as the port runs it.

    Returns the files, sorted. Raises CalledProcessError if one does not compile.
    """
    shutil.copytree(ROOT / "firmware", folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
    shutil.copyfile(board / "board.py", folder / "board.py")
    for source in sorted(folder.rglob("*.py")):
        if source != folder / "main.py":
            bytecode.replace(source, *bytecode.CHIP)
    return sorted(PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file())


def build(board: Path, size: int) -> tuple[bytes, int]:
    """The image of a board's firmware for a partition of `size` bytes, and how many bytes of it are in use.

    Raises FilesystemError if it does not fit, CalledProcessError if a file does not compile.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = stage(folder, board)
        filesystem = LittleFS(
            block_size=BLOCK,
            block_count=size // BLOCK,
            read_size=_UNIT,
            prog_size=_UNIT,
            lookahead_size=_UNIT,
            cache_size=4 * _UNIT,
            disk_version=_VERSION,
        )
        try:
            for file in files:
                if file.parent.parts:
                    filesystem.makedirs(str(file.parent), exist_ok=True)
                with filesystem.open(str(file), "wb") as out:
                    out.write((folder / file).read_bytes())
        except LittleFSError as error:
            raise FilesystemError(f"the firmware does not fit {size} bytes of filesystem ({error})") from None
        return bytes(filesystem.context.buffer), filesystem.used_block_count * BLOCK


def check(image: bytes, size: int) -> None:
    """Raise FilesystemError unless `image` is a whole littlefs for a partition of `size` bytes.

    littlefs SPEC.md, superblock: the name "littlefs" follows the first tag; the inline struct holds version, block size and
    block count, u32 little-endian.
    """
    if len(image) != size:
        raise FilesystemError(f"the filesystem image has {len(image)} bytes, its partition {size}: it was cut short")
    if image[8:16] != b"littlefs":
        raise FilesystemError("the filesystem image is no littlefs")
    version, block, count = (int.from_bytes(image[at : at + 4], "little") for at in (20, 24, 28))
    if (version, block, count) != (_VERSION, BLOCK, size // BLOCK):
        raise FilesystemError(f"the filesystem image was made for {count} blocks of {block}, littlefs {version:#x}")
