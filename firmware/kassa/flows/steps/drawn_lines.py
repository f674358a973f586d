# SPDX-License-Identifier: MIT
"""Prints lines as pictures from the screen's own font: for a printer that has no Chinese characters.

Text is 16 dots high, so that more fits on a line than of the printer's own characters.
"""

import framebuf
from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kassa.drivers.escpos import Line, Printer
    from kassa.screens.canvas import Canvas

_COLUMN = const(12)  # dots of a column
_ROWS = const(16)
_HEAD = const(8)
_GAP = const(8)  # least dots between the text on the left and the value on the right
_RIGHT = const(2)  # align
_FEED = const(b"\x1bJ\x06")  # ESC J: six dots between two lines


async def print_all(printer: "Printer", lines: "Iterable[Line]", canvas: "Canvas") -> None:
    """Print the lines and cut the paper. Raises PrinterFault, see Printer.print."""
    band = Band(canvas, printer.columns * _COLUMN)
    await printer.begin()
    for text, align, bold, size in lines:
        if align == 3:
            await printer.code(text.encode())
        else:
            for part in band.rows(text, align, bold, size):
                await printer.put(part)
                await printer.put(_FEED)
    await printer.end()


class Band:
    """One picture as wide as the paper (`width` dots) and one line high, drawn anew for each line."""

    def __init__(self, canvas: "Canvas", width: int) -> None:
        self._canvas = canvas
        self._width = width
        self._data = bytearray(_HEAD + width // 8 * _ROWS)
        self._dots = memoryview(self._data)[_HEAD:]
        self._frame = framebuf.FrameBuffer(self._dots, width, _ROWS, framebuf.MONO_HLSB)
        # Palettes: which of two and of four shades are ink.
        self._mono = framebuf.FrameBuffer(bytearray(b"\x40"), 2, 1, framebuf.MONO_HLSB)
        self._grey = framebuf.FrameBuffer(bytearray(b"\x30"), 4, 1, framebuf.MONO_HLSB)

    def rows(self, text: str, align: int, bold: bool, size: int) -> "Iterator[memoryview]":
        """The pictures of one line: more than one if it has to be broken. Each is valid until the next is taken."""
        canvas, width = self._canvas, self._width // size
        left, _, right = text.partition("\t")
        if right and canvas.measure(0, left) + canvas.measure(0, right) + _GAP <= width:
            self._clear(size)
            self._draw(left, 0, bold and size == 1)
            self._draw(right, width - canvas.measure(0, right), bold and size == 1)
            yield self._picture(size)
            return
        for part, where in ((left, align), (right, _RIGHT)):
            for row in canvas.wrap(part, width, 0) if part or part is left else ():
                self._clear(size)
                room = width - canvas.measure(0, row)
                if row == "-":
                    self._frame.hline(0, _ROWS // 2, width, 1)
                else:
                    self._draw(row, room if where == _RIGHT else room // 2 if where else 0, bold and size == 1)
                yield self._picture(size)

    def _clear(self, size: int) -> None:
        self._frame = framebuf.FrameBuffer(self._dots, self._width // size, _ROWS, framebuf.MONO_HLSB)
        self._frame.fill(0)

    def _draw(self, text: str, x: int, bold: bool) -> None:
        canvas = self._canvas
        for char in text:
            found = canvas.font.find(0, ord(char))
            face = found >> 24
            canvas.font.load(found)
            palette = self._mono if face == 1 else self._grey
            for shift in range(2 if bold else 1):
                self._frame.blit(canvas.cells[face], x + shift, 0, 0, palette)
            x += found >> 16 & 255

    def _picture(self, size: int) -> memoryview:
        """GS v 0: the dots, each printed once or, at size 2, twice as wide and high."""
        across = self._width // size // 8
        self._data[:_HEAD] = bytes((0x1D, 0x76, 0x30, 3 if size == 2 else 0, across, 0, _ROWS, 0))
        return memoryview(self._data)[: _HEAD + across * _ROWS]
