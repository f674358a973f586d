# SPDX-License-Identifier: MIT
"""Reads text from the display's pixels, glyph by glyph, so that a test sees exactly what a person sees.

Cells are compared by shape, regardless of colour: pixels are numbered in the order in which their colours first
appear. A run of text starts at a multiple of 4 px down, as kassa.screens.canvas places it, and right of an empty column.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from tools.fonts import asset
from tools.world.ili9341 import HEIGHT, WIDTH

_PROBE = 4  # columns compared first: no glyph is narrower
_STROKE = 2  # columns compared first where text may start: no ink is narrower
_REMEMBER = 20000  # bands
_REMEMBER_CELLS = 50_000
_SPACE = " "
_NO_START = "_-.,'`"  # no title starts with these, but the edge of another glyph may look like one
_TITLE_HEIGHT = 24
_TITLE_PITCH = 28  # of a title of two rows
_SAME_LINE = 6  # at most this many px between the centres of texts that read as one line

Rows = list[bytes]  # two bytes a pixel


@dataclass(frozen=True)
class Found:
    """One character on the screen."""

    x: int
    y: int
    width: int
    height: int
    text: str


class _Shapes:
    """The glyphs of faces of one height, indexed by the shape of their first columns, then compared over their full width."""

    def __init__(self, *faces: asset.Face) -> None:
        self.height = faces[0].height
        self.space = faces[0].width
        self._seen: dict[bytes, Sequence[tuple[int, bytes, str]]] = {}  # first columns of a cell -> what it may be
        self.by_probe: dict[bytes, list[tuple[int, bytes, str]]] = {}
        # first columns of ink -> (advance, empty columns before the ink) -> cell -> character
        self.starts: dict[bytes, dict[tuple[int, int], dict[bytes, str]]] = {}
        for glyph in [glyph for face in faces for glyph in face.glyphs.values()]:
            width = glyph.value
            if glyph.code == 0x20:
                self.space = width
                continue
            probe = _shape([pixel for row in glyph.rows for pixel in row[:_PROBE]])
            whole = _shape([pixel for row in glyph.rows for pixel in row[:width]])
            self.by_probe.setdefault(probe, []).append((width, whole, glyph.name))
            empty = next(x for x in range(width) if any(row[x] for row in glyph.rows))
            stroke = _shape([pixel for row in glyph.rows for pixel in row[empty : empty + _STROKE]])
            self.starts.setdefault(stroke, {}).setdefault((width, empty), {})[whole] = glyph.name
        for candidates in self.by_probe.values():  # wider glyphs first: "rn" is not "m"
            candidates.sort(reverse=True)

    def match(self, rows: Rows, x: int) -> tuple[int, str] | None:
        """(advance, character) of the glyph whose cell starts at `x`, or None."""
        if x + _PROBE > WIDTH:
            return None
        probe = _cell(rows, x, _PROBE)
        candidates = self._seen.get(probe)
        if candidates is None:
            if len(self._seen) > _REMEMBER_CELLS:
                self._seen.clear()
            candidates = self._seen[probe] = self.by_probe.get(_shape(memoryview(probe).cast("H")), ())
        for width, whole, name in candidates:
            if x + width <= WIDTH and _shape(memoryview(_cell(rows, x, width)).cast("H")) == whole:
                return width, name
        return None

    def start(self, rows: Rows, ink: int) -> tuple[int, int, str] | None:
        """(x, advance, character) of the glyph whose first column of ink is at `ink`, or None."""
        if ink + _STROKE > WIDTH:
            return None
        found = self.starts.get(_shape(memoryview(_cell(rows, ink, _STROKE)).cast("H")), {})
        for (width, empty), cells in sorted(found.items(), reverse=True):
            x = ink - empty
            if 0 <= x <= WIDTH - width:
                name = cells.get(_shape(memoryview(_cell(rows, x, width)).cast("H")))
                if name:
                    return x, width, name
        return None

    def blank(self, rows: Rows, x: int) -> bool:
        """Whether a space at `x` would hold only background."""
        if x + self.space > WIDTH:
            return False
        return _cell(rows, x, self.space) == rows[0][2 * x : 2 * x + 2] * (self.space * len(rows))


def _cell(rows: Rows, x: int, width: int) -> bytes:
    """The pixels of `width` columns from `x` on, row by row."""
    start, end = 2 * x, 2 * (x + width)
    return b"".join([row[start:end] for row in rows])


def _shape(pixels: Sequence[int]) -> bytes:
    """The pixels with their colours numbered by first appearance; empty if there are more colours than in a glyph."""
    colours = dict.fromkeys(pixels)
    if len(colours) > 4:
        return b""
    number = {pixel: place for place, pixel in enumerate(colours)}
    return bytes(map(number.__getitem__, pixels))


@cache
def _faces() -> list[_Shapes]:
    """The faces, largest first: the area of a large glyph is not read again as small ones. The two text faces are one."""
    latin, hanzi, *larger = asset.load()
    return [*map(_Shapes, reversed(larger)), _Shapes(latin, hanzi)]


_known: dict[
    tuple[int, int], list[list[tuple[int, int, str]]]
] = {}  # cache: (face, hash of a band of pixels) -> its runs


def find(pixels: bytes) -> list[Found]:
    """Every character on the screen."""
    lines = [_line(pixels[start : start + 2 * WIDTH]) for start in range(0, len(pixels), 2 * WIDTH)]
    taken = [bytearray(WIDTH) for _ in range(HEIGHT)]
    found: list[Found] = []
    for number, shapes in enumerate(_faces()):
        height = shapes.height
        for y in range(0, HEIGHT - height + 1, 4):
            band = lines[y : y + height]
            if not any(line[1] for line in band):
                continue
            key = (number, hash(tuple([line[2] for line in band])))
            runs = _known.get(key)
            if runs is None:
                if len(_known) > _REMEMBER:
                    _known.clear()
                runs = _known[key] = list(_runs(shapes, [line[0] for line in band]))
            for run in runs:
                _accept(run, y, height, taken, found)
    return found


@lru_cache(maxsize=2000)
def _line(row: bytes) -> tuple[bytes, bool, int]:
    """(pixels, whether they have more than one colour, hash) of one row of the screen."""
    return row, row != row[:2] * WIDTH, hash(row)


def _accept(run: list[tuple[int, int, str]], y: int, height: int, taken: list[bytearray], found: list[Found]) -> None:
    """Keep a run unless larger text occupies its place."""
    start, end = run[0][0], run[-1][0] + run[-1][1]
    if any(taken[row].find(1, start, end) >= 0 for row in (y, y + height // 2, y + height - 1)):
        return
    for row in taken[y : y + height]:
        row[start:end] = b"\x01" * (end - start)
    found.extend(Found(x, y, width, height, name) for x, width, name in run)


def _runs(shapes: _Shapes, rows: Rows) -> Iterator[list[tuple[int, int, str]]]:
    """The runs of one face's glyphs in one band of pixels, each a list of (x, width, character)."""
    empty = _empty_columns(rows)
    x = 0
    while x < WIDTH:
        run = _run(shapes, rows, x) if not empty[x] and (not x or empty[x - 1]) else []
        if run and not (shapes.height == _TITLE_HEIGHT and run[0][2] in _NO_START):
            yield run
            x = run[-1][0] + run[-1][1]
        else:
            x += 1


def _empty_columns(rows: Rows) -> bytes:
    """1 for each column of one colour, 0 for the others."""
    first, differ = int.from_bytes(rows[0]), 0
    for row in rows:
        differ |= first ^ int.from_bytes(row)
    pixels = differ.to_bytes(2 * WIDTH)
    return bytes(not (high or low) for high, low in zip(pixels[::2], pixels[1::2], strict=True))


def _run(shapes: _Shapes, rows: Rows, ink: int) -> list[tuple[int, int, str]]:
    """The run of text whose first column of ink is at `ink`, empty if there is none."""
    start = shapes.start(rows, ink)
    if not start:
        return []
    run = []
    x, match = start[0], start[1:]
    while match:
        run.append((x, *match))
        x += match[0]
        match = shapes.match(rows, x)
        if not match and shapes.blank(rows, x):
            match = shapes.match(rows, x + shapes.space)
            x += shapes.space
    return run


@dataclass
class _Line:
    """Text on the same row."""

    centre: float
    start: int
    end: int
    text: str


def read(pixels: bytes) -> list[str]:
    """The lines on the screen from top to bottom, characters left to right, gaps as spaces, icons as {name}.

    A title of two rows is one line. Texts of different sizes at the same height are also one line.
    """
    rows: dict[tuple[int, int], list[Found]] = {}
    for one in find(pixels):
        rows.setdefault((one.y, one.height), []).append(one)
    lines: list[_Line] = []
    last_title: tuple[int, _Line] | None = None
    for (y, height), found in sorted(rows.items()):
        line = _side_by_side(y, height, found)
        if height == _TITLE_HEIGHT:
            if last_title and last_title[0] == y - _TITLE_PITCH and last_title[1].start == line.start:
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
