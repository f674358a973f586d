# SPDX-License-Identifier: MIT
"""The page of a menu: up to seven numbered lines in large type, chosen by number, or by arrows and Enter."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import LEFT, RIGHT, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassa.screens.screen import Screen

_TOP = const(48)
_ROOM = const(168)  # rows of pixels for the lines
_MOST = const(7)
_LARGE = const(5)  # so many lines have room to stand apart
_KEYS = "E=key_open C=key_back UD=key_choose"


async def run(screen: "Screen", title: str, items: "Sequence[str]", chosen: int) -> int | None:
    """Show the menu. Returns the index of the chosen line, or None when the cashier goes back.

    More than seven lines are shown page by page.
    """
    await screen.begin(_KEYS)
    await screen.canvas.text(16, 28, 224, title, theme.QUIET)
    pitch = 24 if len(items) > _LARGE else 32
    first = -1
    while True:
        page = chosen // _MOST * _MOST
        if page != first:
            if first >= 0:
                await screen.canvas.fill(0, _TOP, WIDTH, _ROOM, theme.PAPER)
            first = page
            for index in range(first, min(first + _MOST, len(items))):
                await _row(screen, items, index, chosen, pitch)
        if len(items) > _MOST:
            await screen.canvas.text(240, 28, 64, "%d/%d" % (chosen + 1, len(items)), theme.QUIET, align=RIGHT)
        key = chr(await screen.key("ECUD123456789"))
        if key == "E":
            return chosen
        if key in "C\x00":
            return None
        if key in "UD":
            before, chosen = chosen, (chosen + (1 if key == "D" else -1)) % len(items)
            if chosen // _MOST * _MOST == first:
                for index in (before, chosen):
                    await _row(screen, items, index, chosen, pitch)
        elif ord(key) - 49 < len(items):
            return ord(key) - 49


async def _row(screen: "Screen", items: "Sequence[str]", index: int, chosen: int, pitch: int) -> None:
    """Draw one line. `pitch`: its height in pixels."""
    canvas = screen.canvas
    y = _TOP + index % _MOST * pitch
    ground, ink, number = theme.PAPER, theme.INK, theme.QUIET
    if index == chosen:
        ground, ink, number = theme.ACCENT, theme.DAY, theme.DAY
    await canvas.box(8, y, WIDTH - 16, pitch, ground, theme.PAPER)
    y += (pitch - 24) // 2
    if index < 9:
        await canvas.text(16, y, 16, str(index + 1), number, ground, face=font.TITLE)
    fits = canvas.measure(font.TITLE, items[index]) <= 264
    face = font.TITLE if fits else font.TEXT
    await canvas.text(40, y if fits else y + 4, 264, items[index], ink, ground, LEFT, face)
