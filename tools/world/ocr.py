# SPDX-License-Identifier: MIT
"""Reads the text off the display's memory, glyph by glyph, so that a test sees what a person sees and nothing else.

Whatever its colours, a cell is compared by shape: its pixels are numbered in the order in which their colours first appear.
A run of text starts at a multiple of 8 px across and of 4 px down, as kassa.screens.canvas places it.
"""

from dataclasses import dataclass
from functools import cache

from tools.fonts import asset
from tools.world.ili9341 import HEIGHT, WIDTH

_PROBE = 5  # columns looked at first: no glyph is narrower
_SPACE = " "
_NO_START = "_-.,'`"  # no title begins so; the edge of another glyph may look so
_TITLE_HEIGHT = 28
_SAME_LINE = 6  # px between the middles of what a person reads as one line

Rows = list[list[int]]


@dataclass(frozen=True)
class Found:
    """One character on the screen."""

    x: int
    y: int
    width: int
    height: int
    text: str


class _Shapes:
    """The glyphs of one face by the shape of their first columns, then by that of their whole width."""

    def __init__(self, face: asset.Face) -> None:
        self.face = face
        self.space = face.width
        self.by_probe: dict[bytes, list[tuple[int, bytes, str]]] = {}
        for glyph in face.glyphs.values():
            width = face.width if face.bits == 1 else glyph.value
            if glyph.code == 0x20:
                self.space = width
                continue
            probe = _shape([row[:_PROBE] for row in glyph.rows])
            whole = _shape([row[:width] for row in glyph.rows])
            self.by_probe.setdefault(probe, []).append((width, whole, glyph.name))
        for candidates in self.by_probe.values():  # the wider first: "rn" is not "m"
            candidates.sort(reverse=True)

    def match(self, screen: Rows, x: int, y: int) -> tuple[int, str] | None:
        """(advance, character) of the glyph whose cell begins here."""
        height = self.face.height
        if x + _PROBE > WIDTH or y + height > HEIGHT:
            return None
        probe = _shape([row[x : x + _PROBE] for row in screen[y : y + height]])
        for width, whole, name in self.by_probe.get(probe, ()):
            if x + width <= WIDTH and _shape([row[x : x + width] for row in screen[y : y + height]]) == whole:
                return width, name
        return None

    def blank(self, screen: Rows, x: int, y: int) -> bool:
        """Is there only paper where a space would be?"""
        if x + self.space > WIDTH:
            return False
        first = screen[y][x]
        return all(pixel == first for row in screen[y : y + self.face.height] for pixel in row[x : x + self.space])


def _shape(rows: list) -> bytes:
    """The picture with its colours numbered by first appearance."""
    seen: dict[int, int] = {}
    return bytes(seen.setdefault(pixel, len(seen)) for row in rows for pixel in row)


@cache
def _faces() -> list[_Shapes]:
    """Largest first: what a large glyph covers is not read again as small ones."""
    return [_Shapes(face) for face in reversed(asset.load())]


def find(pixels: bytes) -> list[Found]:
    """Every character on the screen, in reading order of no particular kind."""
    screen = [
        [pixels[i] << 8 | pixels[i + 1] for i in range(2 * WIDTH * y, 2 * WIDTH * (y + 1), 2)] for y in range(HEIGHT)
    ]
    plain = [[len(set(row[x : x + 8])) == 1 for x in range(0, WIDTH, 8)] for row in screen]
    taken = [bytearray(WIDTH) for _ in range(HEIGHT)]
    found: list[Found] = []
    for shapes in _faces():
        height = shapes.face.height
        for y in range(0, HEIGHT - height + 1, 4):
            for x in range(0, WIDTH - 7, 8):
                if all(plain[y + row][x // 8] for row in range(height)):
                    continue
                if any(taken[row][at] for row in (y, y + height // 2, y + height - 1) for at in (x, x + 7)):
                    continue
                _run(shapes, screen, taken, x, y, found)
    return found


def _run(shapes: _Shapes, screen: Rows, taken: list[bytearray], x: int, y: int, found: list[Found]) -> None:
    """Follow a run of text to its end."""
    height = shapes.face.height
    match = shapes.match(screen, x, y)
    if match and height == _TITLE_HEIGHT and match[1] in _NO_START:
        return
    while match:
        width, name = match
        found.append(Found(x, y, width, height, name))
        for row in taken[y : y + height]:
            row[x : x + width] = b"\x01" * width
        x += width
        match = shapes.match(screen, x, y) if x < WIDTH else None
        if not match and x < WIDTH and shapes.face.bits == 2 and shapes.blank(screen, x, y):
            match = shapes.match(screen, x + shapes.space, y)
            x += shapes.space if match else 0


@dataclass
class _Line:
    """What stands side by side."""

    centre: float
    start: int
    end: int
    text: str


def read(pixels: bytes) -> list[str]:
    """The lines on the screen from the top, characters left to right, gaps as spaces, pictures as {name}.

    A title of two rows is one line. What stands at the same height in different sizes is one line too.
    """
    rows: dict[tuple[int, int], list[Found]] = {}
    for one in find(pixels):
        rows.setdefault((one.y, one.height), []).append(one)
    lines: list[_Line] = []
    last_title: tuple[int, _Line] | None = None
    for (y, height), found in sorted(rows.items()):
        line = _side_by_side(y, height, found)
        if height == _TITLE_HEIGHT:
            if last_title and last_title[0] == y - _TITLE_HEIGHT and last_title[1].start == line.start:
                above = last_title[1]
                above.text += (_SPACE if above.text[-1] < "\x7f" else "") + line.text
                above.centre, above.end = y, max(above.end, line.end)
                continue
            last_title = (y, line)
        lines.append(line)
    lines.sort(key=lambda line: line.centre)
    merged: list[list[_Line]] = []
    for line in lines:
        if merged and line.centre - merged[-1][0].centre <= _SAME_LINE:
            merged[-1].append(line)
        else:
            merged.append([line])
    return ["  ".join(part.text for part in sorted(parts, key=lambda part: part.start)) for parts in merged]


def _side_by_side(y: int, height: int, found: list[Found]) -> _Line:
    found.sort(key=lambda one: one.x)
    text, end = "", found[0].x
    for one in found:
        gap = one.x - end
        text += _SPACE * (2 if gap > 16 else 1 if gap > 2 else 0) + one.text
        end = one.x + one.width
    return _Line(y + height / 2, found[0].x, end, text)
