# SPDX-License-Identifier: MIT
"""The page that asks for a number which is no amount: an authorisation code, a reference, a customer's code."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.screens.ui import Ui

_CARD_Y = const(80)
_CARD_HEIGHT = const(60)
_NOTE_Y = const(156)
_WIDTH = const(288)
_KEYS = "E=key_confirm C=key_cancel B=key_clear"


async def run(ui: "Ui", title: str, least: int, most: int, hint: str, empty: bool = False) -> str | None:
    """Returns `least` to `most` digits, or "" where that is allowed; None when cancelled or left alone."""
    canvas = ui.canvas
    await ui.begin(_KEYS)
    await canvas.text(16, 40, WIDTH - 32, title, face=font.TITLE)
    await canvas.box(8, _CARD_Y, WIDTH - 16, _CARD_HEIGHT, theme.CARD, theme.PAPER)
    await canvas.fill(8, _CARD_Y + _CARD_HEIGHT - 3, WIDTH - 16, 3, theme.ACCENT)
    digits, note = "", hint
    await canvas.text(16, _NOTE_Y, _WIDTH, note, theme.QUIET)
    while True:
        face = font.TITLE if canvas.measure(font.TITLE, digits) <= _WIDTH else font.TEXT
        if len(digits) and face == font.TEXT:
            await canvas.fill(16, _CARD_Y + 16, _WIDTH, 28, theme.CARD)
        await canvas.text(16, _CARD_Y + 16, _WIDTH, digits, theme.INK, theme.CARD, CENTRE, face)
        key = await ui.key("0123456789EBC")
        character = chr(key)
        said = hint
        if character in "C\x00":
            return None
        if character == "E":
            if len(digits) >= least or empty and not digits:
                return digits
            said = theme.MIND + ui.t("number_short", least)
        elif character == "B":
            digits = digits[:-1]
        elif len(digits) < most:
            digits += character
        if said != note:
            note = said
            await canvas.text(16, _NOTE_Y, _WIDTH, note, theme.QUIET if note == hint else theme.RED)
