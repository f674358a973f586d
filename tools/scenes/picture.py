# SPDX-License-Identifier: MIT
"""One screen of a scene: its pixels, the text on it, and the digest by which a change is noticed."""

import hashlib
import re
from dataclasses import dataclass

from tools.world import ocr
from tools.world.ili9341 import WIDTH

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels

_BAR = (0, 0, WIDTH, 24)  # the top bar
_LEFT = (16, 91, 304, 95)  # the bar that shrinks, see firmware/kassa/screens/message.py
_MOVES = (0, 140, WIDTH, 216)  # what shows the time and the progress of a wait
# Trace numbers: how many the line has used before depends on how often it had to connect.
_NUMBER = re.compile(r"(?<!\d)(?<!\d[.,])00\d{4}(?!\d)")


@dataclass(frozen=True)
class Picture:
    """A screen as a play saw it. `keys`: text keys that it was waited for by, the title first.

    `hidden`: what differs from run to run, such as a count of seconds.
    """

    name: str
    play: str
    pixels: bytes
    lines: list[str]
    keys: tuple[str, ...]
    hidden: tuple[Box, ...]

    @property
    def digest(self) -> str:
        """A digest of the pixels outside the hidden boxes."""
        seen = bytearray(self.pixels)
        for left, top, right, bottom in self.hidden:
            for y in range(top, bottom):
                seen[2 * (y * WIDTH + left) : 2 * (y * WIDTH + right)] = bytes(2 * (right - left))
        return hashlib.sha256(seen).hexdigest()[:16]


def compact(lines: list[str]) -> str:
    """All text of a screen without spaces, so that it does not matter where a line was broken."""
    return re.sub(r"\s", "", "".join(lines))


def pattern(template: str) -> re.Pattern[str]:
    """What a text looks like once its values are filled in, compact. `template`: of the tables of texts, or a plain text."""
    parts = re.split(r"(%[sd])", template.replace("%%", "%"))
    values = {"%s": ".+", "%d": r"\d+"}
    return re.compile("".join(values.get(part) or re.escape(re.sub(r"\s", "", part)) for part in parts))


def changing(pixels: bytes, hidden: list[re.Pattern[str]]) -> list[Box]:
    """What differs from run to run: the lines that match one of the patterns, and trace numbers."""
    lines: dict[tuple[int, int], list[ocr.Found]] = {}
    for found in ocr.find(pixels):
        lines.setdefault((found.y, found.height), []).append(found)
    boxes = []
    for (y, height), line in sorted(lines.items()):
        line.sort(key=lambda one: one.x)
        text = "".join(one.text[0] for one in line)  # one character for each glyph, also for an icon
        if any(each.search(text) for each in hidden):
            boxes.append((0, y, WIDTH, y + height))
        for number in _NUMBER.finditer(text):
            last = line[number.end() - 1]
            boxes.append((line[number.start()].x, y, last.x + last.width, y + height))
    return boxes


def moving() -> list[Box]:
    """What differs from run to run on a page of waiting."""
    return [_BAR, _LEFT, _MOVES]
