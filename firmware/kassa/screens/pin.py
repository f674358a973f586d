# SPDX-License-Identifier: MIT
"""The page that asks for a secret number: one place per digit, each shown as a dot."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.screens.screen import Screen

_PLACE_Y = const(120)
_PLACE = const(32)
_PITCH = const(40)
_KEYS = "E=key_confirm C=key_cancel B=key_clear"


async def run(screen: "Screen", title: str, digits: int, into: bytearray, hint: str) -> int:
    """Fill `into` with ASCII digits. Returns `digits`; 0, with `into` zeroed, when cancelled or after two idle minutes."""
    canvas = screen.canvas
    await screen.begin(_KEYS)
    await canvas.text(8, 36, 48, "\ue007", theme.SLATE, face=font.ICON)
    await canvas.text(72, 48, WIDTH - 80, title, face=font.TITLE)
    left = (WIDTH - _PITCH * digits + _PITCH - _PLACE) // 2 & ~7
    for place in range(digits):
        await _place(screen, left + _PITCH * place, False)
    await canvas.text(16, 176, WIDTH - 32, hint or screen.t("code_hint", digits), theme.QUIET, align=CENTRE)
    count = 0
    while True:
        key = await screen.key("0123456789EBC")
        character = chr(key)
        if character in "C\x00":
            for place in range(count):
                into[place] = 0
            return 0
        if character == "E":
            if count == digits:
                return count
        elif character == "B":
            if count:
                count -= 1
                into[count] = 0
                await _place(screen, left + _PITCH * count, False)
        elif count < digits:
            into[count] = key
            await _place(screen, left + _PITCH * count, True)
            count += 1


async def _place(screen: "Screen", x: int, full: bool) -> None:
    await screen.canvas.box(x, _PLACE_Y, _PLACE, 40, theme.CARD, theme.PAPER)
    await screen.canvas.fill(x, _PLACE_Y + 37, _PLACE, 3, theme.ACCENT if full else theme.RULE)
    if full:
        await screen.canvas.text(x + 8, _PLACE_Y + 12, 16, "\ue109", theme.INK, theme.CARD)
