# SPDX-License-Identifier: MIT
"""The pairs of ink and paper that text may have on a screen, and those it has, read from the pixels."""

import re

from tools.world import ocr
from tools.world.ili9341 import WIDTH
from tools.world.power import FIRMWARE

_THEME = (FIRMWARE / "kassa" / "screens" / "theme.py").read_text(encoding="utf-8")
COLOURS = dict(re.findall(r"^(\w+) = const\(0x\w{4}\)  # ([0-9A-F]{6})", _THEME, re.MULTILINE))  # name -> RGB
# paper -> the inks on it
PAIRS = {
    "PAPER": "INK QUIET RED SLATE",  # pages; RED: a warning; SLATE: the lock
    "CARD": "INK QUIET",  # an entry field; QUIET: nothing typed yet
    "ACCENT": "DAY",  # the chosen line
    "NIGHT": "DAY DIM AMBER LIME SKY ROSE",  # the top bar
    "FOOT": "INK",  # the bottom line
    "GREEN": "DAY",  # the bands of messages, the keys of the bottom line
    "BLUE": "DAY",
    "RED": "DAY",
    "SLATE": "DAY",
    "AMBER": "INK",
    "ORANGE": "INK",
}
NO_TEXT = {"RULE"}  # lines and empty places


def ratio(ink: str, paper: str) -> float:
    """The contrast of two colours (RGB) as the panel shows them, 1 to 21 (WCAG 2.1, 1.4.3)."""
    dark, light = sorted((_luminance(ink), _luminance(paper)))
    return (light + 0.05) / (dark + 0.05)


def others(pixels: bytes) -> list[str]:
    """The characters on a screen whose pair is not in PAIRS, each with its ink and paper (RGB).

    A character's first pixel is paper; its ink is what differs most from that.
    """
    panel = {_pixel(rgb): rgb for rgb in COLOURS.values()}
    known = {(COLOURS[ink], COLOURS[paper]) for paper, inks in PAIRS.items() for ink in inks.split()}
    found = []
    for one in ocr.find(pixels):
        starts = [2 * (WIDTH * y + one.x) for y in range(one.y, one.y + one.height)]
        cell = [pixels[at : at + 2] for start in starts for at in range(start, start + 2 * one.width, 2)]
        paper = panel[cell[0]]
        ink = max((panel[colour] for colour in set(cell) & set(panel)), key=lambda rgb: ratio(rgb, paper))
        if (ink, paper) not in known:
            found.append(f"{one.text} in {ink} on {paper}")
    return found


def _luminance(rgb: str) -> float:
    """Relative luminance, 0 to 1."""
    red, green, blue = bytes.fromhex(rgb)
    levels = ((red >> 3) / 31, (green >> 2) / 63, (blue >> 3) / 31)
    linear = [level / 12.92 if level <= 0.03928 else ((level + 0.055) / 1.055) ** 2.4 for level in levels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _pixel(rgb: str) -> bytes:
    """A colour as the panel has it: RGB565, the high byte first."""
    red, green, blue = bytes.fromhex(rgb)
    return ((red >> 3) << 11 | (green >> 2) << 5 | blue >> 3).to_bytes(2)
