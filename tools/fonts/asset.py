# SPDX-License-Identifier: MIT
"""Reads font.bin on the host. The byte layout is described in build.py."""

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.fonts.icons import NAMES

WIDE = 1  # the face with the hanzi, whose index is in pages
PATH = Path(__file__).resolve().parents[2] / "firmware" / "kassa" / "screens" / "font.bin"


@dataclass(frozen=True)
class Glyph:
    """One character of one face. `rows` holds one byte per pixel (0 = paper ... 1 or 3 = ink)."""

    code: int
    value: int  # advance in pixels
    rows: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """The character, or {name} for an icon."""
        return "{%s}" % NAMES[self.code] if self.code in NAMES else chr(self.code)


@dataclass(frozen=True)
class Face:
    """The glyphs of one cell size."""

    width: int
    height: int
    bits: int
    glyphs: dict[int, Glyph]


def load(path: Path = PATH) -> list[Face]:
    """The faces of the asset, in order. Raises ValueError if the file is not a font asset."""
    data = path.read_bytes()
    return [_face(data, face, entry) for face, entry in enumerate(_entries(data))]


@cache
def characters() -> frozenset[str]:
    """The characters that the text faces can show."""
    data = PATH.read_bytes()
    return frozenset(chr(code) for face, entry in enumerate(_entries(data)[:2]) for code in _codes(data, face, entry))


def _entries(data: bytes) -> list[tuple[int, ...]]:
    magic, version, count, _ = struct.unpack_from("<4sBBH", data)
    if magic != b"KFNT" or version != 3:
        raise ValueError("not a font asset")
    return [struct.unpack_from("<BBBBHHII", data, 8 + 16 * i) for i in range(count)]


def _codes(data: bytes, face: int, entry: tuple[int, ...]) -> tuple[int, ...]:
    count, index = entry[4], entry[6]
    if face != WIDE:
        return struct.unpack_from(f"<{count}H", data, index)
    firsts = struct.unpack_from("<257H", data, index)
    low = data[index + 514 : index + 514 + count]
    return tuple(high << 8 | byte for high in range(256) for byte in low[firsts[high] : firsts[high + 1]])


def _face(data: bytes, face: int, entry: tuple[int, ...]) -> Face:
    width, height, bits, _, count, size, index, at = entry
    codes = _codes(data, face, entry)
    values: tuple[int, ...] = (width,) * count
    if bits == 2:
        values = tuple(data[index + 2 * count : index + 3 * count])
    parts = [_pixels(byte, bits) for byte in range(256)]
    glyphs = {}
    for place, (code, value) in enumerate(zip(codes, values, strict=True)):
        cell = data[at + place * size : at + (place + 1) * size]
        pixels = b"".join(map(parts.__getitem__, cell))
        rows = tuple(pixels[y * width : (y + 1) * width] for y in range(height))
        glyphs[code] = Glyph(code, value, rows)
    return Face(width, height, bits, glyphs)


def _pixels(byte: int, bits: int) -> bytes:
    return bytes((byte >> (7 - i if bits == 1 else 2 * i)) & (2**bits - 1) for i in range(8 // bits))
