# SPDX-License-Identifier: MIT
"""Reads text from the display's pixels, glyph by glyph, so that a test sees exactly what a person sees.

Cells are compared by shape, regardless of colour: pixels are numbered in the order in which their colours first
appear. A run of text starts at a multiple of 8 px across and 4 px down, as kassa.screens.canvas places it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from tools.fonts import asset
from tools.world.ili9341 import HEIGHT, WIDTH

_PROBE = 5  # columns compared first: no glyph is narrower
_REMEMBER = 20000  # bands
_REMEMBER_CELLS = 50_000
_SPACE = " "
_NO_START = "_-.,'`"  # no title starts with these, but the edge of another glyph may look like one
_TITLE_HEIGHT = 28
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
    """The glyphs of one face, indexed by the shape of their first columns, then compared over their full width."""

    def __init__(self, face: asset.Face) -> None:
        self.face = face
        self.space = face.width
        self._seen: dict[bytes, Sequence[tuple[int, bytes, str]]] = {}  # first columns of a cell -> what it may be
        self.by_probe: dict[bytes, list[tuple[int, bytes, str]]] = {}
        for glyph in face.glyphs.values():
            width = face.width if face.bits == 1 else glyph.value
            if glyph.code == 0x20:
                self.space = width
                continue
            probe = _shape([pixel for row in glyph.rows for pixel in row[:_PROBE]])
            whole = _shape([pixel for row in glyph.rows for pixel in row[:width]])
            self.by_probe.setdefault(probe, []).append((width, whole, glyph.name))
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
    """The faces, largest first: the area of a large glyph is not read again as small ones."""
    return [_Shapes(face) for face in reversed(asset.load())]


_known: dict[
    tuple[int, int], list[list[tuple[int, int, str]]]
] = {}  # cache: (face, hash of a band of pixels) -> its runs


def find(pixels: bytes) -> list[Found]:
    """Every character on the screen."""
    lines = [_line(pixels[start : start + 2 * WIDTH]) for start in range(0, len(pixels), 2 * WIDTH)]
    taken = [bytearray(WIDTH) for _ in range(HEIGHT)]
    found: list[Found] = []
    for number, shapes in enumerate(_faces()):
        height = shapes.face.height
        for y in range(0, HEIGHT - height + 1, 4):
            band = lines[y : y + height]
            busy = 0
            for line in band:
                busy |= line[1]
            if not busy:
                continue
            key = (number, hash(tuple([line[2] for line in band])))
            runs = _known.get(key)
            if runs is None:
                if len(_known) > _REMEMBER:
                    _known.clear()
                runs = _known[key] = list(_runs(shapes, [line[0] for line in band], busy))
            for run in runs:
                _accept(run, y, height, taken, found)
    return found


@lru_cache(maxsize=2000)
def _line(row: bytes) -> tuple[bytes, int, int]:
    """(pixels, bit mask of the 8 px cells with more than one colour, hash) of one row of the screen."""
    busy = sum(1 << x for x in range(WIDTH // 8) if row[16 * x : 16 * x + 16] != row[16 * x : 16 * x + 2] * 8)
    return row, busy, hash(row)


def _accept(run: list[tuple[int, int, str]], y: int, height: int, taken: list[bytearray], found: list[Found]) -> None:
    """Keep a run unless larger text occupies its place."""
    start, end = run[0][0], run[-1][0] + run[-1][1]
    if any(taken[row].find(1, start, end) >= 0 for row in (y, y + height // 2, y + height - 1)):
        return
    for row in taken[y : y + height]:
        row[start:end] = b"\x01" * (end - start)
    found.extend(Found(x, y, width, height, name) for x, width, name in run)


def _runs(shapes: _Shapes, rows: Rows, busy: int) -> Iterator[list[tuple[int, int, str]]]:
    """The runs of one face's glyphs in one band of pixels, each a list of (x, width, character)."""
    x = 0
    while x < WIDTH:
        run = _run(shapes, rows, x) if busy >> (x // 8) & 1 else []
        if run and not (shapes.face.height == _TITLE_HEIGHT and run[0][2] in _NO_START):
            yield run
            x = run[-1][0] + run[-1][1]
            x += -x % 8
        else:
            x += 8


def _run(shapes: _Shapes, rows: Rows, x: int) -> list[tuple[int, int, str]]:
    """The run of text that starts at `x`, empty if there is none."""
    run = []
    match = shapes.match(rows, x)
    while match:
        run.append((x, *match))
        x += match[0]
        match = shapes.match(rows, x)
        if not match and shapes.face.bits == 2 and shapes.blank(rows, x):
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
