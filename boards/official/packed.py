# SPDX-License-Identifier: MIT
"""The firmware's modules as one file: a filesystem of blocks needs 4 KiB for each of hundreds of small files.

The file: "KPAK", the length of the index (u32), the index, the modules. The index has one line a module: newline, path,
NUL, position and length in the file (u32 each). All numbers are little-endian. tools/image/packing.py writes it.
"""

import io
import struct
import sys

import vfs

FILE = "/kassa.pack"
_MOUNTED = "/pack"
_NO_FILE = 2  # ENOENT
_FOLDER, _FILE = 0x4000, 0x8000
_CLOSE, _BUFFER_SIZE = 4, 11  # requests of MicroPython's streams: py/stream.h
_BUFFER = 255  # bytes that the loader reads at once, the most it can


def mount() -> None:
    """Make the packed modules importable, before all others. Raises OSError, or ValueError if the file is no pack."""
    vfs.mount(Pack(FILE), _MOUNTED, readonly=True)
    sys.path.insert(0, _MOUNTED)


class Pack:
    """The file as a filesystem that can only be read. A file that it lacks, such as a font, is looked for beside it."""

    def __init__(self, path: str) -> None:
        self._file = open(path, "rb")
        head = self._file.read(8)
        if head[:4] != b"KPAK":
            raise ValueError("not a pack of modules")
        self._index = self._file.read(struct.unpack_from("<I", head, 4)[0])

    def mount(self, readonly: bool, mkfs: bool) -> None:
        """Nothing is to be done."""

    def umount(self) -> None:
        """Nothing is to be done."""

    def stat(self, path: str) -> tuple:
        """The ten numbers of os.stat; only mode and size say anything. Raises OSError."""
        place = self._place(path)
        if place:
            return (_FILE, 0, 0, 0, 0, 0, place[1], 0, 0, 0)
        if self._index.find(b"\n" + path.encode() + b"/") < 0:
            raise OSError(_NO_FILE)
        return (_FOLDER, 0, 0, 0, 0, 0, 0, 0, 0, 0)

    def open(self, path: str, mode: str) -> "io.IOBase":
        """A module to be read, or another file of the same path at the root. Raises OSError."""
        place = self._place(path)
        if place:
            return _Module(self._file, place[0], place[1])
        return open(path, mode)

    def _place(self, path: str) -> "tuple[int, int] | None":
        line = b"\n" + path.encode() + b"\0"
        at = self._index.find(line)
        return None if at < 0 else struct.unpack_from("<II", self._index, at + len(line))


class _Module(io.IOBase):
    """A part of the pack, read from its beginning to its end."""

    def __init__(self, file: "io.IOBase", at: int, size: int) -> None:
        self._pack = file
        self._at = at
        self._left = size

    def readinto(self, buffer: bytearray) -> int:
        """Fill `buffer`. Returns how many bytes, 0 at the end."""
        count = min(len(buffer), self._left)
        if count:
            self._pack.seek(self._at)
            count = self._pack.readinto(memoryview(buffer)[:count])
            self._at += count
            self._left -= count
        return count

    def ioctl(self, request: int, argument: int) -> int:
        """Answers what MicroPython asks of a stream: -1 for what it cannot do."""
        if request == _BUFFER_SIZE:
            return _BUFFER
        return 0 if request == _CLOSE else -1
