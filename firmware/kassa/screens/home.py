# SPDX-License-Identifier: MIT
"""The home page: merchant name, an empty amount, and up to three lines for the cashier."""

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
    """Show the page until a key is pressed. `lines` is called repeatedly, and what changed is redrawn.

    A line that begins with "!" is a warning. Returns the key; 0 after `timeout_ms`, or when `lines` returns None.
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
        current = lines()
        if current is None:
            return 0
        shown = await _notes(canvas, shown, current[:_MOST])
        key = await screen.key(wanted, _LOOK_MS)
        if key:
            return key
        timeout_ms -= _LOOK_MS
    return 0


async def _notes(canvas: "Canvas", shown: "Sequence[str]", lines: "Sequence[str]") -> "Sequence[str]":
    """Draw the lines that differ from `shown`. Returns `lines`."""
    for index in range(max(len(shown), len(lines))):
        line = lines[index] if index < len(lines) else ""
        if index >= len(shown) or shown[index] != line:
            warning = line.startswith("!")
            text = theme.WARNING + line[1:] if warning else line
            ink = theme.RED if warning else theme.QUIET
            await canvas.text(16, _LINES_Y + index * _PITCH, WIDTH - 32, text, ink)
    return lines
