# SPDX-License-Identifier: MIT
"""What the receipt printer has printed: receipts of lines, as text and as a picture of the paper, one pixel a dot."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import qrcodegen
from PIL import Image, ImageDraw, ImageFont

from tools.fonts import asset

COLUMNS = 32  # of 12 dots on 58 mm paper (384 dots); 48 on 80 mm (576 dots)
CELL, HEIGHT = 12, 24  # dots of a character in ASCII at size 1; a Chinese one is as wide as high
SPACING = 6  # dots between two lines
_MARGIN = 24  # dots around the print, in the picture
_LATIN = Path("/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf")
_CHINESE = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
_SIMPLIFIED = 2  # face of that collection


@dataclass(frozen=True)
class Line:
    """One printed line. `size` is 1 or 2; `align` is 0 left, 1 centre, 2 right. `columns`: the paper's width.

    `picture`: what is printed instead of text, one bit a dot, 0 = black. `code`: the text of a QR Code.
    """

    text: str
    align: int
    bold: bool
    size: int
    columns: int = COLUMNS
    picture: Image.Image | None = field(default=None, compare=False)
    code: str = ""

    def laid_out(self) -> str:
        """The text, aligned on the paper; a QR Code as [its text]."""
        if self.code:
            return f"[{self.code}]"
        room = max(0, self.columns - sum(map(columns, self.text)) * self.size)
        return " " * (0, room // 2, room)[self.align] + self.text

    def draw(self) -> Image.Image:
        """The line as it is on the paper, one bit a dot."""
        width = self.columns * CELL
        if self.picture is not None:
            strip = Image.new("1", (width, self.picture.height), 1)
            room = width - self.picture.width
            strip.paste(self.picture, ((0, room // 2, room)[self.align], 0))
            return strip
        room = width - sum(map(columns, self.text)) * CELL * self.size
        x = (0, room // 2, room)[self.align]
        strip = Image.new("1", (width, HEIGHT * self.size + SPACING), 1)
        for char in self.text:
            cell = _cell(char, self.bold).resize((columns(char) * CELL * self.size, HEIGHT * self.size))
            strip.paste(cell, (x, 0))
            x += cell.width
        return strip


@dataclass
class Receipt:
    """The lines printed between two cuts."""

    lines: list[Line] = field(default_factory=list)

    def text(self) -> str:
        """The receipt as plain text."""
        return "\n".join(line.laid_out().rstrip() for line in self.lines).strip("\n") + "\n"

    def picture(self) -> Image.Image:
        """The paper, one bit a dot."""
        strips = [line.draw() for line in self.lines]
        width = max((strip.width for strip in strips), default=COLUMNS * CELL)
        paper = Image.new("1", (width + 2 * _MARGIN, sum(strip.height for strip in strips) + 2 * _MARGIN), 1)
        y = _MARGIN
        for strip in strips:
            paper.paste(strip, (_MARGIN, y))
            y += strip.height
        return paper

    def png(self) -> bytes:
        """The picture of the paper as PNG."""
        file = io.BytesIO()
        self.picture().save(file, "PNG")
        return file.getvalue()


def columns(char: str) -> int:
    """Columns of one character at size 1: two above ASCII, which is two bytes of GBK."""
    return 2 if char > "\x7f" else 1


def wrapped(text: str, room: int) -> Iterator[str]:
    """The text in pieces of at most `room` columns, as the printer wraps it."""
    piece, used = "", 0
    for char in text:
        if used + columns(char) > room:
            yield piece
            piece, used = "", 0
        piece += char
        used += columns(char)
    yield piece


def qr_code(data: str, level: str, module: int) -> Image.Image:
    """A QR Code of `module` dots a module, without a quiet zone; `level`: L, M, Q or H."""
    ecc = getattr(qrcodegen.QrCode.Ecc, {"L": "LOW", "M": "MEDIUM", "Q": "QUARTILE", "H": "HIGH"}[level])
    code = qrcodegen.QrCode.encode_segments(qrcodegen.QrSegment.make_segments(data), ecc, boostecl=False)
    size = code.get_size()
    image = Image.new("1", (size, size), 1)
    for y in range(size):
        for x in range(size):
            image.putpixel((x, y), 0 if code.get_module(x, y) else 1)
    return image.resize((size * module, size * module))


@cache
def _cell(char: str, bold: bool) -> Image.Image:
    """A character in its cell, in the best font of this machine."""
    image = Image.new("L", (columns(char) * CELL, HEIGHT), 255)
    chinese = char > "\x7f"
    path, size, face = (_CHINESE, 22, _SIMPLIFIED) if chinese else (_LATIN, 19, 0)
    if chinese and not path.exists():
        return _pixels(char)
    font = ImageFont.truetype(path, size, index=face) if path.exists() else ImageFont.load_default(size)
    ImageDraw.Draw(image).text((image.width / 2, 19), char, 0, font=font, anchor="ms", stroke_width=0.5 if bold else 0)
    return image.point([0] * 141 + [255] * 115).convert("1")


def _pixels(char: str) -> Image.Image:
    """A Chinese character from the terminal's own font."""
    glyph = _wide().get(ord(char))
    image = Image.new("1", (16, 16), 1)
    for y, row in enumerate(glyph.rows if glyph else ()):
        for x, ink in enumerate(row):
            image.putpixel((x, y), 0 if ink else 1)
    return image.resize((2 * CELL, HEIGHT))


@cache
def _wide() -> dict[int, asset.Glyph]:
    return asset.load()[asset.WIDE].glyphs
