# SPDX-License-Identifier: MIT
"""The resting page: who the merchant is, an amount waiting to be typed, and what the cashier should know."""

from micropython import const

from kassa.screens import amount, font, theme
from kassa.screens.canvas import CENTRE, WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassa.screens.canvas import Canvas
    from kassa.screens.screen import Screen

_LINES_Y = const(152)
_PITCH = const(20)
_MOST = const(3)
_LOOK_MS = const(500)


async def run(
    screen: "Screen", name: str, lines: "Callable[[], Sequence[str] | None]", keys: str, timeout_ms: int
) -> int:
    """`lines` is asked again while the page rests; what changed is drawn. A line that begins with "!" is a warning.

    0 after `timeout_ms`, and when `lines` gives None: there is something to say on a page of its own.
    """
    canvas = screen.canvas
    await screen.begin(keys)
    await canvas.text(8, 28, WIDTH - 16, name, theme.QUIET, align=CENTRE)
    await canvas.text(8, 48, WIDTH - 16, screen.t("home_hint"), align=CENTRE, face=font.TITLE)
    await amount.field(canvas)
    await amount.figure(canvas, 0, 0, theme.QUIET)
    wanted = "0123456789" + "".join([hint.partition("=")[0] for hint in keys.split()])
    shown = []
    while timeout_ms > 0:
        said = lines()
        if said is None:
            return 0
        shown = await _notes(canvas, shown, said[:_MOST])
        key = await screen.key(wanted, _LOOK_MS)
        if key:
            return key
        timeout_ms -= _LOOK_MS
    return 0


async def _notes(canvas: "Canvas", shown: "Sequence[str]", lines: "Sequence[str]") -> "Sequence[str]":
    """Draw the lines that are not shown yet; returns what is shown then."""
    for index in range(max(len(shown), len(lines))):
        line = lines[index] if index < len(lines) else ""
        if index >= len(shown) or shown[index] != line:
            warning = line.startswith("!")
            text = theme.MIND + line[1:] if warning else line
            ink = theme.RED if warning else theme.QUIET
            await canvas.text(16, _LINES_Y + index * _PITCH, WIDTH - 32, text, ink)
    return lines
