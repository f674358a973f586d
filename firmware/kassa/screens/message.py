# SPDX-License-Identifier: MIT
"""The page of a result, a question or a wait: a coloured band with icon and title, then the amount and lines of text."""

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassa.screens.canvas import Canvas
    from kassa.screens.screen import Screen

_BAND_Y = const(24)
_BAND_HEIGHT = const(72)
_BAR_Y = const(91)  # in the band, below its title
_BAR_HEIGHT = const(4)
_TITLE_X = const(72)
_TITLE_WIDTH = const(240)
_TEXT_X = const(16)
_TEXT_WIDTH = const(288)
_BOTTOM = const(216)

# kind -> colour of the band, its ink, its icon
KINDS = {
    "ok": (theme.GREEN, theme.DAY, "\ue000"),  # approved by the host, or by the card
    "wait": (theme.BLUE, theme.DAY, "\ue001"),
    "hold": (theme.AMBER, theme.INK, "\ue002"),  # accepted offline, not yet authorised
    "warn": (theme.ORANGE, theme.INK, "\ue003"),
    "refuse": (theme.RED, theme.DAY, "\ue004"),
    "ask": (theme.SLATE, theme.DAY, "\ue005"),
    "tap": (theme.BLUE, theme.DAY, "\ue006"),  # the customer must present the card
}


async def show(
    screen: "Screen", kind: str, title: str, lines: "Sequence[str]", keys: str, amount: str, left: int = 0
) -> None:
    """Draw the page. Of a page that is on the screen, only what differs is redrawn: lines, keys, bar.

    `kind`: a key of KINDS. `left`: length of the bar that shrinks while the page waits (up to 288 px), 0 = none.
    """
    canvas = screen.canvas
    head = (kind, title, amount, screen.words.language)
    old, bar = (), 0
    if screen.shown is not None and screen.shown[0] == head:
        _, old, before, bar = screen.shown
        if before != keys:
            await screen.foot(keys)
    else:
        await screen.begin(keys)
        await _band(canvas, kind, title)
        if amount:
            await canvas.text(_TEXT_X, 100, _TEXT_WIDTH, amount, align=CENTRE, face=_figure(canvas, amount))
    if left != bar:
        await canvas.fill(_TEXT_X, _BAR_Y, _TEXT_WIDTH, _BAR_HEIGHT, theme.NIGHT)
        if left:
            await canvas.fill(_TEXT_X, _BAR_Y, left, _BAR_HEIGHT, theme.DAY)
    rows = _rows(canvas, lines)
    y = 140 if amount else 108
    for index in range(max(len(rows), len(old))):
        face, row = rows[index] if index < len(rows) else (font.TEXT, "")
        before = old[index] if index < len(old) else (face, "")
        if y + canvas.font.height(max(face, before[0])) > _BOTTOM:
            break
        if before != (face, row):
            if before[0] != face:  # the rows below move
                await canvas.fill(_TEXT_X, y, _TEXT_WIDTH, _BOTTOM - y, theme.PAPER)
                old = ()
            ink = theme.INK if index == 0 else theme.QUIET
            await canvas.text(_TEXT_X, y, _TEXT_WIDTH, row, ink, align=CENTRE, face=face)
        y += 28 if face == font.TITLE else 20
    screen.shown = (head, rows, keys, left)


async def _band(canvas: "Canvas", kind: str, title: str) -> None:
    colour, ink, sign = KINDS[kind]
    await canvas.fill(0, _BAND_Y, WIDTH, _BAND_HEIGHT, colour)
    await canvas.text(16, _BAND_Y + 12, 48, sign, ink, colour, face=font.ICON)
    rows = canvas.wrap(title, _TITLE_WIDTH, font.TITLE)[:2]
    y = _BAND_Y + 24 if len(rows) == 1 else _BAND_Y + 12
    for row in rows:
        await canvas.text(_TITLE_X, y, _TITLE_WIDTH, row, ink, colour, face=font.TITLE)
        y += 28


def _rows(canvas: "Canvas", lines: "Sequence[str]") -> "list[tuple[int, str]]":
    """(face, text) of each row below the amount. The first line is in large type if it fits."""
    rows = []
    for line in lines:
        if not rows and canvas.measure(font.TITLE, line) <= _TEXT_WIDTH:
            rows.append((font.TITLE, line))
        else:
            for row in canvas.wrap(line, _TEXT_WIDTH, font.TEXT):
                rows.append((font.TEXT, row))
    return rows


def _figure(canvas: "Canvas", amount: str) -> int:
    """The largest face in which the amount fits."""
    return font.AMOUNT if canvas.measure(font.AMOUNT, amount) <= _TEXT_WIDTH else font.TITLE
