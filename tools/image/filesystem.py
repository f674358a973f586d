# SPDX-License-Identifier: MIT
"""The filesystem with the firmware: littlefs 2.0 as MicroPython's ESP32 port mounts it (modules/flashbdev.py).

The image fills its partition. It is the same byte for byte for the same sources: littlefs keeps no dates.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from littlefs import LittleFS, LittleFSError

from tools.image import bytecode, packing

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCK = 4096
_OFFICIAL = ROOT / "boards" / "official"  # what an official image needs to find the modules
_UNIT = 32  # read, program and lookahead size of MicroPython's VfsLfs2
_VERSION = 0x00020000
_AS_TEXT = ("boot", "main")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "pyrightconfig.json")


class FilesystemError(Exception):
    """Not a filesystem image for its partition."""


def stage(folder: Path, board: Path, beside: Mapping[str, Path] | None = None) -> None:
    """Put firmware and board.py of a board folder into `folder`, compiled; what the port itself runs stays text.

    `beside`: more modules, by name. Raises CalledProcessError if one does not compile.
    """
    shutil.copytree(ROOT / "firmware", folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
    official = {path.stem: path for path in _OFFICIAL.glob("*.py")}
    for name, path in {"board": board / "board.py", **official, **(beside or {})}.items():
        shutil.copyfile(path, folder / f"{name}.py")
    sources = [path for path in sorted(folder.rglob("*.py")) if path.parent != folder or path.stem not in _AS_TEXT]
    bytecode.replace_all(sources, *bytecode.CHIP)


def _packed(folder: Path) -> list[PurePosixPath]:
    """Pack the firmware's modules into one file in place of them. Returns the files, sorted."""
    modules = [folder / "board.mpy", *folder.glob("kassa/**/*.mpy")]
    (folder / packing.NAME).write_bytes(packing.pack(folder, modules))
    for path in modules:
        path.unlink()
    return sorted(PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*") if path.is_file())


def build(board: Path, size: int, beside: Mapping[str, Path] | None = None) -> tuple[bytes, int]:
    """The image of a board's firmware for a partition of `size` bytes, and how many bytes of it are in use.

    `beside`: more modules, by name, for a chip whose surroundings are not its own. A product has none.
    Raises FilesystemError if it does not fit, CalledProcessError if a file does not compile.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stage(folder, board, beside)
        files = _packed(folder)
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
