# SPDX-License-Identifier: MIT
"""What pages draw on and read keys from: display, keypad, texts, top bar and bottom line."""

import time

from micropython import const

from kassa.screens import status_bar, theme
from kassa.screens.canvas import WIDTH, Canvas
from kassa.screens.words import Words

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Any, Protocol

    from kassa.screens.canvas import Display
    from kassa.screens.font import Font
    from kassa.status import Status

    class Keys(Protocol):
        last_press: Any  # ticks of the last key press

        def take(self) -> int: ...
        def flush(self) -> None: ...
        async def get_within(self, timeout_ms: int) -> int: ...


BODY = const(24)  # rows between the top bar and the bottom line
FOOT = const(216)
IDLE_MS = const(120_000)  # default time a page waits for a key

_LOOK_MS = const(200)  # how often a waiting page checks the status


class Screen:
    """One display and one keypad. Only one page is awaited at a time."""

    def __init__(self, display: "Display", keypad: "Keys", status: "Status", font: "Font", language: str) -> None:
        self.canvas = Canvas(display, font)
        self.font = font
        self.keypad = keypad
        self.status = status
        self.words = Words(language)
        self.t = self.words.get
        self._bar = status_bar.Bar()
        self.rested = 0  # the longest time without a key, ms, since it was set to 0
        self.shown: "tuple | None" = None  # the page on the screen, if it can be redrawn in part; see message.show

    def use(self, language: str) -> None:
        """Set the language ("en" or "zh"), from the next page on."""
        self.words.load(language)

    async def begin(self, keys: str) -> None:
        """Draw an empty page with top bar and bottom line. `keys`: see `foot`."""
        self.shown = None
        await self.refresh()
        await self.canvas.fill(0, BODY, WIDTH, FOOT - BODY, theme.PAPER)
        await self.foot(keys)

    async def refresh(self) -> None:
        """Redraw the top bar if the status has changed."""
        if self._bar.stale(self.status, self.words):
            await self._bar.draw(self.canvas, self.status, self.words)

    async def foot(self, keys: str, y: int = FOOT) -> None:
        """Draw the bottom line: a coloured key and its text for each part of `keys`, such as "E=key_confirm UD=key_choose".

        A part without a key says what happens: "=please_wait".
        `y`: FOOT, or FOOT - 24 for a second line above it.
        """
        canvas = self.canvas
        await canvas.fill(0, y, WIDTH, 24, theme.FOOT)
        x = 8
        for hint in keys.split():
            caps, _, word = hint.partition("=")
            faces = caps.replace("U", "↑").replace("D", "↓")
            width = canvas.measure(0, faces)
            colour = {"E": theme.GREEN, "C": theme.RED, "B": theme.AMBER}.get(caps, theme.SLATE)
            ink = theme.INK if caps == "B" else theme.DAY
            if caps:
                await canvas.box(x, y + 2, width + 12, 20, colour, theme.FOOT)
                await canvas.text(x + 6, y + 4, width, faces, ink, colour)
                x += width + 18
            text = self.t(word)
            width = canvas.measure(0, text)
            await canvas.text(x, y + 4, width, text, theme.INK, theme.FOOT)
            x += width + 16

    async def key(self, keys: str, timeout_ms: int = IDLE_MS) -> int:
        """Wait for one of `keys` (a string of characters), and keep the top bar current. Returns 0 after `timeout_ms`."""
        start = time.ticks_ms()
        while True:
            key = self.keypad.take()
            if not key:
                now = time.ticks_ms()
                self.rested = max(self.rested, time.ticks_diff(now, self.keypad.last_press))
                left = timeout_ms - time.ticks_diff(now, start)
                if left <= 0:
                    return 0
                await self.refresh()
                key = await self.keypad.get_within(min(left, _LOOK_MS))
            if key and chr(key) in keys:
                return key

    def restore(self) -> None:
        """Set up again a display that may have lost power. The next page is drawn completely."""
        self.canvas.display.restore()
        self._bar = status_bar.Bar()
        self.shown = None
