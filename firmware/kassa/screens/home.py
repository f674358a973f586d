# SPDX-License-Identifier: MIT
"""The resting page: who the merchant is, an amount waiting to be typed, and what the cashier should know."""

from micropython import const

from kassa.screens import amount, font, theme
from kassa.screens.canvas import CENTRE, WIDTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kassa.screens.ui import Ui

_LINES_Y = const(152)
_PITCH = const(20)
_MOST = const(3)


async def run(ui: "Ui", name: str, lines: "list[str]", keys: str, timeout_ms: int) -> int:
    """A line that begins with "!" is a warning."""
    canvas = ui.canvas
    await ui.begin(keys)
    await canvas.text(8, 28, WIDTH - 16, name, theme.QUIET, align=CENTRE)
    await canvas.text(8, 48, WIDTH - 16, ui.t("home_hint"), align=CENTRE, face=font.TITLE)
    await amount.field(canvas)
    await amount.figure(canvas, 0, 0, theme.QUIET)
    y = _LINES_Y
    for line in lines[:_MOST]:
        warning = line.startswith("!")
        text = theme.MIND + line[1:] if warning else line
        await canvas.text(16, y, WIDTH - 32, text, theme.RED if warning else theme.QUIET)
        y += _PITCH
    return await ui.key("0123456789" + "".join([hint.partition("=")[0] for hint in keys.split()]), timeout_ms)
