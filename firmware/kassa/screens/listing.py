# SPDX-License-Identifier: MIT
"""The page of a list: rows with a left and a right text, scrolled with the arrow keys."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import RIGHT, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from kassa.screens.screen import Screen

    class Rows(Protocol):
        """The rows of a list: read one at a time, so they may be computed on access."""

        def __len__(self) -> int: ...
        def __getitem__(self, __index: int) -> tuple[str, str]: ...


_TOP = const(68)
_PITCH = const(24)
_VISIBLE = const(6)
_CHOOSE = "E=key_open C=key_back UD=key_choose"
_ACT_ON_LIST = "E=key_open M=%s C=key_back UD="
_LEAF = "C=key_back UD=key_more"
_PLAIN = "C=key_back"


async def run(screen: "Screen", title: str, rows: "Rows", choose: bool, act: str, at: int) -> int | None:
    """Show the list. Returns the index of the opened row, or None when the cashier goes back.

    `act`: the text key of something else to do with the whole list, by E, or by M if E opens a row; -1 is returned for it.
    `at`: the row to begin with.
    """
    count = len(rows)
    choose = choose and count > 0
    keys = _CHOOSE if choose else _LEAF if count > _VISIBLE else _PLAIN
    if act:
        keys = _ACT_ON_LIST % act if choose else "E=%s %s" % (act, keys)
    await _head(screen, title, keys)
    wanted = ("ECUDM" if choose else "ECUD") if act else "ECUD" if choose else "CUD"
    if not count:
        await screen.canvas.text(16, _TOP + 24, WIDTH - 32, screen.t("list_empty"), theme.QUIET)
    chosen = max(0, min(at, count - 1))
    first = -1
    while True:
        page = chosen // _VISIBLE * _VISIBLE
        if count and page != first:
            first = page
            for place in range(_VISIBLE):
                await _row(screen, rows, first, first + place, choose and first + place == chosen)
        if count > _VISIBLE:
            await screen.canvas.text(240, 40, 64, "%d/%d" % (chosen + 1, count), theme.QUIET, align=RIGHT)
        key = chr(await screen.key(wanted))
        if key == "M" or key == "E":
            return chosen if choose and key == "E" else -1
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


async def sheet(screen: "Screen", title: str, rows: "Sequence[tuple[str, str]]", keys: str = "") -> None:
    """Draw the first six rows, without a selection; `keys`: see Screen.foot. Shown again, only changed rows are redrawn."""
    head = ("sheet", title, keys, screen.words.language)
    old = ()
    if screen.shown is not None and screen.shown[0] == head:
        old = screen.shown[1]
    else:
        await _head(screen, title, keys)
    for index in range(_VISIBLE):
        if index < len(rows) and (index >= len(old) or old[index] != rows[index]):
            await _row(screen, rows, 0, index, False)
    screen.shown = (head, tuple(rows))


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
    width = canvas.measure(font.TEXT, right)
    await canvas.text(16, y + 4, WIDTH - 40 - width, left, theme.DAY if chosen else theme.INK, ground)
    if width:
        await canvas.text(WIDTH - 16 - width, y + 4, width, right, theme.DAY if chosen else theme.QUIET, ground)
