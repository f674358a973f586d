# SPDX-License-Identifier: MIT
"""Reads font.bin on the host: the byte layout is in build.py."""

import struct
from dataclasses import dataclass
from pathlib import Path

from tools.fonts.marks import NAMES

PATH = Path(__file__).resolve().parents[2] / "firmware" / "kassa" / "screens" / "font.bin"


@dataclass(frozen=True)
class Glyph:
    """One character of one face; `rows` holds one byte a pixel (0 = paper ... 1 or 3 = ink)."""

    code: int
    value: int  # GBK code in the one-bit faces, advance in the others
    rows: tuple[bytes, ...]

    @property
    def name(self) -> str:
        """The character, or {what the picture is}."""
        return "{%s}" % NAMES[self.code] if self.code in NAMES else chr(self.code)


@dataclass(frozen=True)
class Face:
    """Cells of one size."""

    width: int
    height: int
    bits: int
    glyphs: dict[int, Glyph]


def load(path: Path = PATH) -> list[Face]:
    """The faces of the asset, in their order. Raises ValueError when the file is not one."""
    data = path.read_bytes()
    magic, version, count, _ = struct.unpack_from("<4sBBH", data)
    if magic != b"KFNT" or version != 1:
        raise ValueError("not a font asset")
    return [_face(data, struct.unpack_from("<BBBBHHII", data, 8 + 16 * i)) for i in range(count)]


def _face(data: bytes, entry: tuple[int, ...]) -> Face:
    width, height, bits, _, count, size, index, at = entry
    codes = struct.unpack_from(f"<{count}H", data, index)
    values = struct.unpack_from(f"<{count}H", data, index + 2 * count)
    glyphs = {}
    for place, (code, value) in enumerate(zip(codes, values, strict=True)):
        cell = data[at + place * size : at + (place + 1) * size]
        pixels = bytes(
            (byte >> (7 - i if bits == 1 else 2 * i)) & (2**bits - 1) for byte in cell for i in range(8 // bits)
        )
        rows = tuple(pixels[y * width : (y + 1) * width] for y in range(height))
        glyphs[code] = Glyph(code, value, rows)
    return Face(width, height, bits, glyphs)
