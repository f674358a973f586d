# SPDX-License-Identifier: MIT
"""The page of a list: rows with a left and a right text, scrolled with the arrow keys."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import RIGHT, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassa.screens.screen import Screen

    Rows = Sequence[tuple[str, str]]  # read one at a time, so it may compute them on access

_TOP = const(68)
_PITCH = const(24)
_VISIBLE = const(6)
_CHOOSE = "E=key_open C=key_back UD=key_choose"
_LEAF = "C=key_back UD=key_more"
_PLAIN = "C=key_back"


async def run(screen: "Screen", title: str, rows: "Rows", choose: bool) -> int | None:
    """Show the list. Returns the index of the opened row, or None when the cashier goes back."""
    count = len(rows)
    keys = _CHOOSE if choose and count else _LEAF if count > _VISIBLE else _PLAIN
    await _head(screen, title, keys)
    if not count:
        await screen.canvas.text(16, _TOP + 24, WIDTH - 32, screen.t("list_empty"), theme.QUIET)
    chosen = 0
    first = -1
    while True:
        page = chosen // _VISIBLE * _VISIBLE
        if count and page != first:
            first = page
            for place in range(_VISIBLE):
                await _row(screen, rows, first, first + place, choose and first + place == chosen)
        if count > _VISIBLE:
            await screen.canvas.text(240, 40, 64, "%d/%d" % (chosen + 1, count), theme.QUIET, align=RIGHT)
        key = chr(await screen.key("ECUD" if choose and count else "CUD"))
        if key == "E":
            return chosen
        if key in "C\x00":
            return None
        if not count:
            continue
        before = chosen
        step = 1 if choose else _VISIBLE
        chosen = min(count - 1, chosen + step) if key == "D" else max(0, chosen - step)
        if choose and before // _VISIBLE == chosen // _VISIBLE:
            await _row(screen, rows, first, before, False)
            await _row(screen, rows, first, chosen, True)


async def sheet(screen: "Screen", title: str, rows: "Rows") -> None:
    """Draw the first six rows, without a selection or keys. Only the rows are redrawn if the title is the same."""
    head = ("sheet", title, screen.words.language)
    if screen.shown != head:
        await _head(screen, title, "")
    for index in range(_VISIBLE):
        await _row(screen, rows, 0, index, False)
    screen.shown = head


async def _head(screen: "Screen", title: str, keys: str) -> None:
    await screen.begin(keys)
    await screen.canvas.text(16, 32, WIDTH - 32, title, face=font.TITLE)
    await screen.canvas.fill(16, _TOP - 4, WIDTH - 32, 1, theme.RULE)


async def _row(screen: "Screen", rows: "Rows", first: int, index: int, chosen: bool) -> None:
    canvas = screen.canvas
    y = _TOP + (index - first) * _PITCH
    ground = theme.ACCENT if chosen else theme.PAPER
    left, right = rows[index] if index < len(rows) else ("", "")
    await canvas.box(8, y, WIDTH - 16, _PITCH, ground, theme.PAPER)
    width = (canvas.measure(font.TEXT, right) + 7) & ~7
    await canvas.text(16, y + 4, WIDTH - 40 - width, left, theme.DAY if chosen else theme.INK, ground)
    if width:
        await canvas.text(WIDTH - 16 - width, y + 4, width, right, theme.DAY if chosen else theme.QUIET, ground)
