# SPDX-License-Identifier: MIT
"""The glyphs: finds a character in font.bin and copies its cell into one fixed buffer. tools/fonts/build.py has the byte layout.

On a ROM file system the asset is mapped and read in place; on any other it is read by seek. It is never copied to the heap.
"""

import struct

from micropython import const

TEXT = const(0)  # face 0 for ASCII and U+00A5, face 1 for the rest
TITLE = const(2)
AMOUNT = const(3)
ICON = const(4)

_WIDE = const(1)
_FACES = const(5)
_ENTRY = const(16)
_REPLACEMENT = const(0x3F)  # "?" stands for a character the asset does not have


class Font:
    """`cell` (576 bytes) holds the glyph of the last `load`."""

    def __init__(self, path: str | None = None) -> None:
        """Open the asset at `path`, by default beside this module. Raises OSError, or ValueError when it is not ours."""
        self._file = open(path or __file__.rsplit("/", 1)[0] + "/font.bin", "rb")
        try:
            self._map = memoryview(self._file)
        except TypeError:  # not a mapped file
            self._map = None
        self.cell = bytearray(576)
        self._view = memoryview(self.cell)
        self._pair = bytearray(2)
        self._face = bytearray(_FACES * _ENTRY)
        self._file.seek(8)
        if self._file.readinto(self._face) != _FACES * _ENTRY or self._face[4 * _ENTRY] != 48:
            raise ValueError("not a font asset")

    def _u16(self, at: int) -> int:
        if self._map is not None:
            return self._map[at] | self._map[at + 1] << 8
        self._file.seek(at)
        self._file.readinto(self._pair)
        return self._pair[0] | self._pair[1] << 8

    def _place(self, face: int, code: int) -> int:
        """The position of `code` in the face's index, -1 when it is not there."""
        _, _, _, _, count, _, index, _ = struct.unpack_from("<BBBBHHII", self._face, face * _ENTRY)
        low, high = 0, count
        while low < high:
            middle = (low + high) >> 1
            found = self._u16(index + 2 * middle)
            if found == code:
                return middle
            if found < code:
                low = middle + 1
            else:
                high = middle
        return -1

    def height(self, face: int) -> int:
        """Rows of a cell, in pixels."""
        return self._face[face * _ENTRY + 1]

    def advance(self, face: int, code: int) -> int:
        """Pixels from this character to the next. A title character the face lacks is shown in the text face."""
        if face != TEXT:
            place = self._place(face, code)
            if place >= 0:
                count, index = struct.unpack_from("<HxxI", self._face, face * _ENTRY + 4)
                return self._u16(index + 2 * (count + place))
        return 8 if code < 0x100 else 16

    def load(self, face: int, code: int) -> int:
        """Copy the glyph of `code` into `cell`; returns the face it came from (0 to 4)."""
        actual = face
        if face == TEXT and code >= 0x100:
            actual = _WIDE
        place = self._place(actual, code)
        if place < 0:
            actual = _WIDE if code >= 0x100 else TEXT
            place = self._place(actual, code)
        if place < 0:
            actual = TEXT
            place = self._place(actual, _REPLACEMENT)
        size, _, glyphs = struct.unpack_from("<HII", self._face, actual * _ENTRY + 6)
        at = glyphs + place * size
        if self._map is not None:
            self._view[:size] = self._map[at : at + size]
        else:
            self._file.seek(at)
            self._file.readinto(self._view[:size])
        return actual

    def gbk(self, code: int) -> int:
        """The GBK code of a character above ASCII, first byte high; 0 when the printer has none."""
        face = TEXT if code < 0x100 else _WIDE
        place = self._place(face, code)
        if place < 0:
            return 0
        count, index = struct.unpack_from("<HxxI", self._face, face * _ENTRY + 4)
        return self._u16(index + 2 * (count + place))
