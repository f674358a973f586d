# SPDX-License-Identifier: MIT
"""Packs the compiled modules of a folder into the one file that boards/official/packed.py reads."""

import struct
from collections.abc import Iterable
from pathlib import Path

NAME = "kassa.pack"
_MAGIC = b"KPAK"


def pack(folder: Path, modules: Iterable[Path]) -> bytes:
    """The pack of these files, named by their paths below `folder`. It is the same for the same modules."""
    contents = {f"/{path.relative_to(folder).as_posix()}".encode(): path.read_bytes() for path in modules}
    names = sorted(contents)
    at = 8 + sum(len(name) + 10 for name in names)
    index = b""
    for name in names:
        index += b"\n" + name + b"\0" + struct.pack("<II", at, len(contents[name]))
        at += len(contents[name])
    return b"".join([_MAGIC, struct.pack("<I", len(index)), index, *(contents[name] for name in names)])


def unpack(packed: bytes) -> dict[str, bytes]:
    """The modules of a pack, by path. Raises ValueError."""
    if packed[:4] != _MAGIC:
        raise ValueError("not a pack of modules")
    (size,) = struct.unpack_from("<I", packed, 4)
    found, at = {}, 8
    while at < 8 + size:
        end = packed.index(b"\0", at)
        start, length = struct.unpack_from("<II", packed, end + 1)
        found[packed[at + 2 : end].decode()] = packed[start : start + length]
        at = end + 9
    return found
