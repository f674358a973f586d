# SPDX-License-Identifier: MIT
"""The page that asks for an amount. Digits enter from the right, as on every till."""

from micropython import const

from kassa import money
from kassa.screens import font, theme
from kassa.screens.canvas import RIGHT, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.screens.canvas import Canvas
    from kassa.screens.screen import Screen

_MOST = const(99_999_999_999)  # one more digit makes twelve
_X = const(16)
_WIDTH = const(288)
_CARD_Y = const(80)
_CARD_HEIGHT = const(60)
_NOTE_Y = const(156)
_IDLE_MS = const(120_000)
_KEYS = "E=key_confirm C=key_cancel B=key_clear"
_KEYS_FOR_CARD = "E=key_card C=key_cancel B=key_clear"
_WAYS = "U=key_cash D=key_code M=tip"
_WAYS_Y = const(192)


async def field(canvas: "Canvas") -> None:
    """Draw the empty field for an amount."""
    await canvas.box(8, _CARD_Y, WIDTH - 16, _CARD_HEIGHT, theme.CARD, theme.PAPER)
    await canvas.fill(8, _CARD_Y + _CARD_HEIGHT - 3, WIDTH - 16, 3, theme.ACCENT)


async def figure(canvas: "Canvas", value: int, before: int, ink: int) -> int:
    """Draw the amount `value` (minor units), right-aligned in its field.

    `before`: what this returned for the amount that it replaces, 0 = none. Returns the width in pixels, negative if the
    smaller face was needed.
    """
    text = money.text(value)
    width = canvas.measure(font.AMOUNT, text)
    if width <= _WIDTH:
        face, y = font.AMOUNT, _CARD_Y + 12
    else:
        face, y = font.TITLE, _CARD_Y + 20
        width = -canvas.measure(font.TITLE, text)
    if before and (width < 0) != (before < 0):
        await canvas.fill(_X, _CARD_Y + 12, _WIDTH, 40, theme.CARD)
    room = max(abs(width), abs(before))
    await canvas.text(_X + _WIDTH - room, y, room, text, ink, theme.CARD, RIGHT, face)
    return width


async def run(screen: "Screen", title: str, limit: int, first: int, note: str) -> int | None:
    """Ask for an amount; see Ui.amount. Returns None when cancelled, or after two minutes without a key."""
    await screen.begin(_KEYS)
    chosen = await _ask(screen, title, limit, first, note, "0123456789EBC")
    return chosen and chosen[0]


async def sale(screen: "Screen", title: str, limit: int, first: int) -> "tuple[int, int] | None":
    """Ask for an amount and how it is paid. Returns both: minor units, and the key: E card, U cash, D code, M a tip."""
    await screen.begin(_KEYS_FOR_CARD)
    await screen.foot(_WAYS, _WAYS_Y)
    return await _ask(screen, title, limit, first, "", "0123456789EBCUDM")


async def _ask(
    screen: "Screen", title: str, limit: int, first: int, note: str, wanted: str
) -> "tuple[int, int] | None":
    canvas = screen.canvas
    value = 0
    key = first
    await canvas.text(16, 40, WIDTH - 32, title, face=font.TITLE)
    await field(canvas)
    hint = note or (screen.t("amount_limit", money.text(limit)) if limit else "")
    await canvas.text(16, _NOTE_Y, WIDTH - 32, hint, theme.QUIET)
    width = await figure(canvas, value, 0, theme.QUIET)
    note = hint
    while True:
        before = value
        wrong = ""
        while key:  # process all waiting keys before drawing once
            character = chr(key)
            if character == "C":
                return None
            if character == "B":
                value //= 10
                wrong = ""
            elif character in "EUDM":
                wrong = _wrong(screen, value, limit)
                if not wrong:
                    return value, key
            elif value > _MOST:
                wrong = screen.t("amount_full")
            else:
                value = value * 10 + key - 48
                wrong = ""
            key = _next(screen, wanted)
        if value != before:
            width = await figure(canvas, value, width, theme.INK if value else theme.QUIET)
        if note != (theme.WARNING + wrong if wrong else hint):
            note = theme.WARNING + wrong if wrong else hint
            await canvas.text(16, _NOTE_Y, WIDTH - 32, note, theme.RED if wrong else theme.QUIET)
        key = await screen.key(wanted, _IDLE_MS)
        if not key:
            return None


def _next(screen: "Screen", wanted: str) -> int:
    """The next waiting key that is valid on this page, 0 if there is none."""
    key = screen.keypad.take()
    while key and chr(key) not in wanted:
        key = screen.keypad.take()
    return key


def _wrong(screen: "Screen", value: int, limit: int) -> str:
    """The text that says why the amount is not accepted, or ""."""
    if not value:
        return screen.t("amount_zero")
    if limit and value > limit:
        return screen.t("amount_over", money.text(limit))
    return ""
