# SPDX-License-Identifier: MIT
"""The page of a menu: numbered lines in large type, chosen by arrows and Enter or by number."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import RIGHT, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassa.screens.screen import Screen

_TOP = const(64)
_PITCH = const(36)
_VISIBLE = const(4)
_WIDTH = const(296)
_KEYS = "E=key_open C=key_back UD=key_choose"


async def run(screen: "Screen", title: str, items: "Sequence[str]", chosen: int) -> int | None:
    """Show the menu. Returns the index of the chosen line, or None when the cashier goes back."""
    await screen.begin(_KEYS)
    await screen.canvas.text(16, 32, WIDTH - 32, title, face=font.TITLE)
    first = -1
    while True:
        page = chosen // _VISIBLE * _VISIBLE
        if page != first:
            first = page
            await _page(screen, items, first, chosen)
        await _counter(screen, items, chosen)
        key = chr(await screen.key("ECUD123456789"))
        if key == "E":
            return chosen
        if key in "C\x00":
            return None
        if key in "UD":
            before, chosen = chosen, (chosen + (1 if key == "D" else -1)) % len(items)
            if before // _VISIBLE == chosen // _VISIBLE:
                await _row(screen, items, first, before, False)
                await _row(screen, items, first, chosen, True)
        elif ord(key) - 49 < len(items):
            return ord(key) - 49


async def _page(screen: "Screen", items: "Sequence[str]", first: int, chosen: int) -> None:
    for index in range(first, first + _VISIBLE):
        if index < len(items):
            await _row(screen, items, first, index, index == chosen)
        else:
            await screen.canvas.fill(8, _TOP + (index - first) * _PITCH, _WIDTH, _PITCH, theme.PAPER)
    if len(items) > _VISIBLE:
        pages = (len(items) + _VISIBLE - 1) // _VISIBLE
        track = _VISIBLE * _PITCH
        await screen.canvas.fill(310, _TOP, 4, track, theme.RULE)
        await screen.canvas.fill(310, _TOP + track * (first // _VISIBLE) // pages, 4, track // pages, theme.ACCENT)


async def _row(screen: "Screen", items: "Sequence[str]", first: int, index: int, chosen: bool) -> None:
    y = _TOP + (index - first) * _PITCH
    ground = theme.ACCENT if chosen else theme.PAPER
    await screen.canvas.box(8, y, _WIDTH, _PITCH, ground, theme.PAPER)
    if index < 9:
        await screen.canvas.text(16, y + 8, 16, str(index + 1), theme.DAY if chosen else theme.QUIET, ground)
    await screen.canvas.text(40, y + 4, 256, items[index], theme.DAY if chosen else theme.INK, ground, face=font.TITLE)


async def _counter(screen: "Screen", items: "Sequence[str]", chosen: int) -> None:
    await screen.canvas.text(240, 40, 64, "%d/%d" % (chosen + 1, len(items)), theme.QUIET, align=RIGHT)
