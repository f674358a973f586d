# SPDX-License-Identifier: MIT
"""The page that sets a level: a row of bars, changed by the arrow keys or by a digit."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

    from kassa.screens.screen import Screen

_BASE_Y = const(164)
_BAR = const(32)
_PITCH = const(48)
_STEP = const(16)  # a bar is higher than the one before by so many rows
_KEYS = "E=key_ok C=key_back UD=key_choose"


async def run(screen: "Screen", title: str, least: int, most: int, level: int, note: str, change: "Callable") -> int:
    """Let the cashier choose a level from `least` to `most`; `change` is called with each one. Returns -1 if cancelled."""
    canvas = screen.canvas
    await screen.begin(_KEYS)
    await canvas.text(16, 40, WIDTH - 32, title, face=font.TITLE)
    await canvas.text(16, 192, WIDTH - 32, note, theme.QUIET, align=CENTRE)
    while True:
        left = (WIDTH - _PITCH * most) // 2 & ~7
        for bar in range(1, most + 1):
            height = _STEP * (bar + 5 - most)
            colour = theme.ACCENT if bar <= level else theme.RULE
            await canvas.fill(left + _PITCH * (bar - 1) + 8, _BASE_Y - height, _BAR, height, colour)
        await canvas.text(16, 168, WIDTH - 32, "%d/%d" % (level, most), align=CENTRE)
        key = await screen.key("ECUD0123456789")
        if key == ord("E"):
            return level
        if key in (0, ord("C")):
            return -1
        before = level
        if key == ord("U"):
            level = min(most, level + 1)
        elif key == ord("D"):
            level = max(least, level - 1)
        elif least <= key - ord("0") <= most:
            level = key - ord("0")
        if level != before:
            change(level)
