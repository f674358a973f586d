# SPDX-License-Identifier: MIT
"""Draws on the display without a frame buffer: all text and fills pass through one strip of 1.9 KB.

Other tasks run between strips, so keys are scanned while a page is drawn. Text starts at multiples of 4 px vertically.
"""

import asyncio

import framebuf
from micropython import const

from kassa.screens import font as faces
from kassa.screens import theme

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    class Display(Protocol):
        def window(self, x: int, y: int, width: int, height: int) -> None: ...
        def write(self, pixels: bytearray | memoryview) -> None: ...
        def restore(self) -> None: ...


WIDTH = const(320)
HEIGHT = const(240)
LEFT = const(0)
CENTRE = const(1)
RIGHT = const(2)

_STRIP = const(1280)  # bytes: 2 rows of full width


class Canvas:
    """One display, one strip, one font. Only one task draws at a time."""

    def __init__(self, display: "Display", font: faces.Font) -> None:
        self.display = display
        self.font = font
        self._strip = bytearray(_STRIP)
        self._view = memoryview(self._strip)
        cell = font.cell
        self.cells = (
            framebuf.FrameBuffer(cell, 16, 16, framebuf.GS2_HMSB),
            framebuf.FrameBuffer(cell, 16, 16, framebuf.MONO_HLSB),
            framebuf.FrameBuffer(cell, 24, 24, framebuf.GS2_HMSB),
            framebuf.FrameBuffer(cell, 24, 40, framebuf.GS2_HMSB),
            framebuf.FrameBuffer(cell, 48, 48, framebuf.GS2_HMSB),
        )
        self._mono = framebuf.FrameBuffer(bytearray(4), 2, 1, framebuf.RGB565)
        self._grey = framebuf.FrameBuffer(bytearray(8), 4, 1, framebuf.RGB565)
        self._ink = -1  # the colours now in both palettes
        self._paper = -1

    def _dye(self, ink: int, paper: int) -> None:
        """Set the palettes: paper, one third, two thirds, ink."""
        if ink == self._ink and paper == self._paper:
            return
        self._ink = ink
        self._paper = paper
        self._mono.pixel(0, 0, paper)
        self._mono.pixel(1, 0, ink)
        for step in range(4):
            self._grey.pixel(step, 0, _blend(ink, paper, step))

    async def fill(self, x: int, y: int, width: int, height: int, colour: int) -> None:
        """Fill a rectangle (pixels)."""
        rows = min(height, _STRIP // (2 * width))
        frame = framebuf.FrameBuffer(self._strip, width, rows, framebuf.RGB565)
        frame.fill(colour)
        self.display.window(x, y, width, height)
        turn = 0
        while height > 0:
            rows = min(rows, height)
            self.display.write(self._view[: 2 * width * rows])
            height -= rows
            turn += 1
            if not turn & 3:
                await asyncio.sleep_ms(0)

    async def box(self, x: int, y: int, width: int, height: int, colour: int, paper: int) -> None:
        """Fill a rectangle with rounded corners (pixels). `paper`: the colour of the corners."""
        rows = _STRIP // (2 * width)
        frame = framebuf.FrameBuffer(self._strip, width, min(height, rows), framebuf.RGB565)
        self.display.window(x, y, width, height)
        top = 0
        while top < height:
            span = min(rows, height - top)
            frame.fill(colour)
            for row, inset in ((0, 2), (1, 1), (height - 2, 1), (height - 1, 2)):
                if top <= row < top + span:
                    frame.hline(0, row - top, inset, paper)
                    frame.hline(width - inset, row - top, inset, paper)
            self.display.write(self._view[: 2 * width * span])
            top += span
            await asyncio.sleep_ms(0)

    def measure(self, face: int, text: str) -> int:
        """The width of `text` in pixels."""
        width = 0
        for char in text:
            width += self.font.find(face, ord(char)) >> 16 & 255
        return width

    def wrap(self, text: str, width: int, face: int) -> list[str]:
        """Break `text` into rows of at most `width` px: between words, or beside a Chinese character.

        No row begins with closing punctuation or ends with opening punctuation, and a number keeps its measure word. Only a
        word wider than a row is torn.
        """
        rows = []
        row = ""
        used = 0
        safe = 0  # where the row may be broken, 0 = nowhere
        before = ""
        for char in text:
            code = ord(char)
            advance = self.font.find(face, code) >> 16 & 255
            if before == " " or (code > 0x2FFF and not before.isdigit()) or before > "\u2fff":
                if before not in "（《「“‘" and char not in "，。、；：？！）》」”’…,.;:?!)%":
                    safe = len(row)
            before = char
            while used + advance > width and row:
                if char == " " or not safe:
                    safe = len(row)
                rows.append(row[:safe].rstrip())
                row = row[safe:]
                used = self.measure(face, row)
                safe = 0
            if char == " " and rows and not row:
                continue
            row += char
            used += advance
        rows.append(row)
        return rows

    async def text(
        self,
        x: int,
        y: int,
        width: int,
        text: str,
        ink: int = theme.INK,
        paper: int = theme.PAPER,
        align: int = LEFT,
        face: int = faces.TEXT,
    ) -> None:
        """Draw `text` in a field `width` px wide at (x, y). The rest of the field is filled; text that is too long is cut."""
        font = self.font
        height = font.height(face)
        glyphs = [font.find(face, ord(char)) for char in text]
        pen = 0
        if align != LEFT:
            pen = width
            for found in glyphs:
                pen -= found >> 16 & 255
            pen = max(0, pen if align == RIGHT else pen >> 1)
        self._dye(ink, paper)
        step = _STRIP // (2 * height)
        first = 0  # the glyph at `pen`
        left = 0
        while left < width:
            span = min(step, width - left)
            frame = framebuf.FrameBuffer(self._strip, span, height, framebuf.RGB565)
            frame.fill(paper)
            while first < len(glyphs) and pen < left + span:
                found = glyphs[first]
                actual = found >> 24
                font.load(found)
                palette = self._mono if actual == 1 else self._grey
                drop = 6 if actual < 2 and face else 0  # align a small glyph with the baseline of large ones
                frame.blit(self.cells[actual], pen - left, drop, paper, palette)
                after = pen + (found >> 16 & 255)
                if after > left + span:
                    break  # the rest of it is on the next strip
                pen = after
                first += 1
            self.display.window(x + left, y, span, height)
            self.display.write(self._view[: 2 * span * height])
            left += span
            await asyncio.sleep_ms(0)


def _blend(ink: int, paper: int, step: int) -> int:
    """The colour `step` thirds of the way from paper to ink, all RGB565 with swapped bytes."""
    ink = (ink & 255) << 8 | ink >> 8
    paper = (paper & 255) << 8 | paper >> 8
    mixed = 0
    for shift, mask in ((11, 31), (5, 63), (0, 31)):
        low = paper >> shift & mask
        mixed |= (low + ((ink >> shift & mask) - low) * step // 3) << shift
    return (mixed & 255) << 8 | mixed >> 8
