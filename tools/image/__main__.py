# SPDX-License-Identifier: MIT
"""`python -m tools.image BOARD [FOLDER]`: makes partition table and filesystem, and prints their sizes and SHA-256."""

import hashlib
import sys
from pathlib import Path

from tools.hardware import partitions
from tools.hardware.__main__ import problems
from tools.hardware.catalogue import OFFICIAL, ROOT, BoardFolder, board, boards
from tools.image import filesystem

TABLE, FILESYSTEM = "partition-table.bin", "vfs.bin"
VFS = "vfs"  # the label that the port mounts at /


class ImageError(Exception):
    """The board's own files are wrong."""


def folder_of(name: str) -> Path:
    """Where the image of a board lies."""
    return ROOT / "build" / "image" / name


def build(target: BoardFolder, out: Path) -> tuple[Path, Path, int]:
    """Write table and filesystem into `out`. Returns both, and the bytes of the filesystem that are in use."""
    bad = problems(target)
    if bad:
        raise ImageError("; ".join(bad))
    rows = partitions.read_csv(target.folder / OFFICIAL)
    size = next(row.size for row in rows if row.label == VFS)
    try:
        image, used = filesystem.build(target.folder, size)
        filesystem.check(image, size)
    except filesystem.FilesystemError as error:
        raise ImageError(str(error)) from None
    out.mkdir(parents=True, exist_ok=True)
    table_path, image_path = out / TABLE, out / FILESYSTEM
    table_path.write_bytes(partitions.pack(rows))
    image_path.write_bytes(image)
    return table_path, image_path, used


def main(arguments: list[str]) -> int:
    try:
        if not arguments or not arguments[0]:
            raise ImageError(f"say for which board: {', '.join(each.name for each in boards())}")
        target = board(arguments[0])
        out = Path(arguments[1]) if len(arguments) > 1 else folder_of(target.name)
        table, image, used = build(target, out)
    except (KeyError, ImageError) as error:
        print(f"image: {error.args[0]}")
        return 2
    for path, note in ((table, ""), (image, f", {used} in use")):
        whole = path.read_bytes()
        print(f"{path.name}: {len(whole)} bytes{note}, SHA-256 {hashlib.sha256(whole).hexdigest()}")
    print(f"in {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
