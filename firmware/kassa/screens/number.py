# SPDX-License-Identifier: MIT
"""The page that asks for a number other than an amount: an authorisation code, a reference, a customer's code."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from kassa.screens.screen import Screen

    class Scanner(Protocol):
        def take(self) -> str | None: ...


_CARD_Y = const(80)
_CARD_HEIGHT = const(60)
_NOTE_Y = const(156)
_AMOUNT_Y = const(180)
_WIDTH = const(288)
_WANTED = "0123456789EBCM"
_IDLE_MS = const(120000)
_LOOK_MS = const(100)
_KEYS = "E=key_confirm C=key_cancel B=key_clear"


async def run(
    screen: "Screen", title: str, least: int, most: int, hint: str, amount: str = "", empty: bool = False,
    scanner: "Scanner | None" = None, act: str = "",
) -> str | None:  # fmt: skip
    """Ask for `least` to `most` digits. `amount`: text shown below. `empty`: "" is allowed too.

    `scanner`: may read the number in place of the keypad. Returns None when cancelled, or after two minutes without a key.
    `act`: the text key of something else to do, by M; then "M" is returned.
    """
    canvas = screen.canvas
    await screen.begin("E=key_confirm M=%s C=key_cancel" % act if act else _KEYS)
    await canvas.text(16, 40, WIDTH - 32, title, face=font.TITLE)
    await canvas.box(8, _CARD_Y, WIDTH - 16, _CARD_HEIGHT, theme.CARD, theme.PAPER)
    await canvas.fill(8, _CARD_Y + _CARD_HEIGHT - 3, WIDTH - 16, 3, theme.ACCENT)
    digits, note = "", hint
    await canvas.text(16, _NOTE_Y, _WIDTH, note, theme.QUIET)
    await canvas.text(16, _AMOUNT_Y, _WIDTH, amount, face=font.TITLE)
    while True:
        face = font.TITLE if canvas.measure(font.TITLE, digits) <= _WIDTH else font.TEXT
        if len(digits) and face == font.TEXT:
            await canvas.fill(16, _CARD_Y + 20, _WIDTH, 24, theme.CARD)
        await canvas.text(16, _CARD_Y + 20, _WIDTH, digits, theme.INK, theme.CARD, CENTRE, face)
        key, scanned = await _next(screen, scanner)
        character = chr(key)
        message = hint
        if scanned and least <= len(scanned) <= most:
            return scanned
        if scanned is not None:
            message = theme.WARNING + screen.t("number_none")
        elif character in "C\x00":
            return None
        elif character == "M":
            if act:
                return character
        elif character == "E":
            if len(digits) >= least or empty and not digits:
                return digits
            message = theme.WARNING + screen.t("number_short", least)
        elif character == "B":
            digits = digits[:-1]
        elif len(digits) < most:
            digits += character
        if message != note:
            note = message
            await canvas.text(16, _NOTE_Y, _WIDTH, note, theme.QUIET if note == hint else theme.RED)


async def _next(screen: "Screen", scanner: "Scanner | None") -> "tuple[int, str | None]":
    """The next key (0: none in time), and what was scanned ("" for anything but a number, None = nothing)."""
    if scanner is None:
        return await screen.key(_WANTED), None
    waited = 0
    while waited < _IDLE_MS:
        scanned = scanner.take()
        if scanned is not None:
            return 0, scanned
        key = await screen.key(_WANTED, _LOOK_MS)
        if key:
            return key, None
        waited += _LOOK_MS
    return 0, None
