# SPDX-License-Identifier: MIT
"""The glyphs: finds a character in font.bin and copies its cell into one fixed buffer.

On a ROM file system the file is memory-mapped and read in place; on any other it is read by seek. It is never copied to
the heap. tools/fonts/build.py documents the byte layout.
"""

import struct

from micropython import const

TEXT = const(0)  # 16 rows. Face 0 for ASCII and Latin 1, face 1 for the rest
TITLE = const(2)  # 24 rows
AMOUNT = const(3)  # 40 rows
ICON = const(4)  # 48 rows

_WIDE = const(1)
_FACES = const(5)
_ENTRY = const(16)
_PAGES = const(514)  # bytes
_REPLACEMENT = const(0x3F)  # "?", shown for a character that the font lacks


class Font:
    """`cell` (576 bytes) holds the glyph that `load` copied last."""

    def __init__(self, path: str | None = None) -> None:
        """Open the font file, by default the one beside this module. Raises OSError, or ValueError if it is not a font file."""
        self._file = open(path or __file__.rsplit("/", 1)[0] + "/font.bin", "rb")
        try:
            self._map = memoryview(self._file)
        except TypeError:  # not memory-mapped
            self._map = None
        self.cell = bytearray(576)
        self._view = memoryview(self.cell)
        self._pair = bytearray(2)
        head = self._file.read(8 + _FACES * _ENTRY)
        if head[:6] != b"KFNT\x03\x05":
            raise ValueError("not a font asset")
        # for each face: rows, count, bytes per cell, offset of the index, offset of the cells
        self._faces = tuple([struct.unpack_from("<xBxxHHII", head, 8 + _ENTRY * face) for face in range(_FACES)])

    def _u16(self, at: int) -> int:
        if self._map is not None:
            return self._map[at] | self._map[at + 1] << 8
        self._file.seek(at)
        self._file.readinto(self._pair)
        return self._pair[0] | self._pair[1] << 8

    def _place(self, face: int, code: int) -> int:
        """The position of `code` in the index of a face, -1 if it is not there."""
        _, high, _, index, _ = self._faces[face]
        low, size, mask = 0, 2, 0xFFFF
        if face == _WIDE:  # low bytes, in pages by the high byte
            if code > 0xFFFF:
                return -1
            low, high = self._u16(index + (code >> 8) * 2), self._u16(index + (code >> 8) * 2 + 2)
            index, size, mask = index + _PAGES, 1, 0xFF
            code &= 0xFF
        while low < high:
            middle = (low + high) >> 1
            found = self._u16(index + size * middle) & mask
            if found == code:
                return middle
            if found < code:
                low = middle + 1
            else:
                high = middle
        return -1

    def height(self, face: int) -> int:
        """The height of a cell in pixels."""
        return self._faces[face][0]

    def find(self, face: int, code: int) -> int:
        """The glyph of `code`, as one number: face << 24 | advance in pixels << 16 | position in the face.

        A glyph that a large face lacks is taken from the text face. A character that no face has becomes "?".
        """
        if face == TEXT and code >= 0x100:
            face = _WIDE
        place = self._place(face, code)
        if place < 0:
            face = TEXT if code < 0x100 else _WIDE
            place = self._place(face, code)
            if place < 0:
                face = TEXT
                place = self._place(face, _REPLACEMENT)
        if face == _WIDE:
            return 0x1100000 | place  # 16 px
        _, count, _, index, _ = self._faces[face]
        return face << 24 | (self._u16(index + 2 * count + place) & 255) << 16 | place

    def load(self, found: int) -> None:
        """Copy the glyph `found` (a result of `find`) into `cell`."""
        _, _, size, _, glyphs = self._faces[found >> 24]
        at = glyphs + (found & 0xFFFF) * size
        if self._map is not None:
            self._view[:size] = self._map[at : at + size]
        else:
            self._file.seek(at)
            self._file.readinto(self._view[:size])
