# SPDX-License-Identifier: MIT
"""What flows hold of the screens: the display, the keys, the words and the top bar, and one method a page.

A page that waits for more than a key is in memory only while it is shown.
"""

import time

from micropython import const

from kassa.overlay import forget
from kassa.screens import message, theme
from kassa.screens import status_bar as top
from kassa.screens.canvas import WIDTH, Canvas
from kassa.screens.words import Words

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from kassa.screens.canvas import Display
    from kassa.screens.font import Font
    from kassa.screens.listing import Rows
    from kassa.screens.number import Scanner
    from kassa.status import Status

    Lines = Sequence[str]

    class Keys(Protocol):
        def take(self) -> int: ...
        def flush(self) -> None: ...
        async def get_within(self, timeout_ms: int) -> int: ...


BODY = const(24)  # rows between the top bar and the bottom line
FOOT = const(216)
IDLE_MS = const(120_000)  # a page nobody answers ends after this

_LOOK_MS = const(200)  # how often a waiting page looks at the status


class Ui:
    """One screen, one cashier: pages are awaited one after the other."""

    def __init__(self, display: "Display", keypad: "Keys", status: "Status", font: "Font", language: str) -> None:
        self.canvas = Canvas(display, font)
        self.font = font
        self.keypad = keypad
        self.status = status
        self.words = Words(language)
        self.t = self.words.get
        self._bar = top.Bar()
        self.shown: "tuple | None" = None  # what message.show last drew, while nothing else was drawn since

    def use(self, language: str) -> None:
        """Speak `language` ("en" or "zh") from the next page on."""
        self.words.load(language)

    # for pages

    async def begin(self, keys: str) -> None:
        """An empty page with its top bar and, at the bottom, the keys that work ("E=key_confirm UD=key_choose")."""
        self.shown = None
        await self.refresh()
        await self.canvas.fill(0, BODY, WIDTH, FOOT - BODY, theme.PAPER)
        await self.foot(keys)

    async def refresh(self) -> None:
        """Bring the top bar up to date."""
        if self._bar.stale(self.status, self.words):
            await self._bar.draw(self.canvas, self.status, self.words)

    async def foot(self, keys: str) -> None:
        """The bottom line: a coloured key and its word for each `KEYS=text key`."""
        canvas = self.canvas
        await canvas.fill(0, FOOT, WIDTH, 24, theme.FOOT)
        x = 8
        for hint in keys.split():
            caps, _, word = hint.partition("=")
            faces = caps.replace("U", "↑").replace("D", "↓")
            width = canvas.measure(0, faces)
            colour = {"E": theme.GREEN, "C": theme.RED, "B": theme.AMBER}.get(caps, theme.SLATE)
            ink = theme.INK if caps == "B" else theme.DAY
            await canvas.box(x, FOOT + 2, width + 16, 20, colour, theme.FOOT)
            await canvas.text(x + 8, FOOT + 4, width, faces, ink, colour)
            x += width + 24
            text = self.t(word)
            width = canvas.measure(0, text)
            await canvas.text(x, FOOT + 4, width, text, theme.INK, theme.FOOT)
            x += width + 16

    async def key(self, keys: str, timeout_ms: int = IDLE_MS) -> int:
        """The next key out of `keys` (a string of characters), 0 after `timeout_ms`; the top bar lives on meanwhile."""
        start = time.ticks_ms()
        while True:
            key = self.keypad.take()
            if not key:
                left = timeout_ms - time.ticks_diff(time.ticks_ms(), start)
                if left <= 0:
                    return 0
                await self.refresh()
                key = await self.keypad.get_within(min(left, _LOOK_MS))
            if key and chr(key) in keys:
                return key

    # for flows

    def restore(self) -> None:
        """Set up again a display that may have lost its power; the next page draws all of it."""
        self.canvas.display.restore()
        self._bar = top.Bar()
        self.shown = None

    async def home(
        self, name: str, lines: "Callable[[], Lines | None]", keys: str = "M=key_menu", timeout_ms: int = IDLE_MS
    ) -> int:
        """The resting page; `lines` is asked again and again.

        Returns the first digit of an amount or another key of `keys`; 0 after `timeout_ms`, or when `lines` gives None.
        """
        from kassa.screens import home

        try:
            return await home.run(self, name, lines, keys, timeout_ms)
        finally:
            forget("kassa.screens.home")

    async def amount(self, title: str, limit: int = 0, first: int = 0, note: str = "") -> int | None:
        """Ask for an amount in minor units, at most `limit` (0 = twelve digits). `first`: a digit already pressed;
        `note`: what to know, instead of the limit.
        """
        from kassa.screens import amount

        try:
            return await amount.run(self, title, limit, first, note)
        finally:
            forget("kassa.screens.amount")

    async def number(
        self,
        title: str,
        least: int,
        most: int,
        hint: str,
        amount: str,
        empty: bool = False,
        scanner: "Scanner | None" = None,
    ) -> str | None:
        """Ask for `least` to `most` digits that are no amount; see screens/number.py. None when cancelled."""
        from kassa.screens import number

        try:
            return await number.run(self, title, least, most, hint, amount, empty, scanner)
        finally:
            forget("kassa.screens.number")

    async def menu(self, title: str, items: "Lines", chosen: int = 0) -> int | None:
        """Let one of `items` be chosen. Returns its index."""
        from kassa.screens import menu

        try:
            return await menu.run(self, title, items, chosen)
        finally:
            forget("kassa.screens.menu")

    async def message(
        self,
        kind: str,
        title: str,
        lines: "Lines" = (),
        keys: str = "E=key_ok",
        timeout_ms: int = IDLE_MS,
        amount: str = "",
        fresh: bool = False,
    ) -> int:
        """Show a result or a question and wait for a key; 0 after `timeout_ms`. See message.py for `kind`.

        With `fresh`, keys pressed before the page stood do not count: for what nobody may skip by accident.
        """
        await message.show(self, kind, title, lines, keys, amount)
        if fresh:
            self.keypad.flush()
        return await self.key(_keys(keys), timeout_ms)

    async def show(
        self,
        kind: str,
        title: str,
        lines: "Lines" = (),
        keys: str = "",
        amount: str = "",
    ) -> None:
        """Draw a message and return at once. Shown again with other lines, only those are redrawn."""
        await message.show(self, kind, title, lines, keys, amount)
        await self.refresh()

    async def list(self, title: str, rows: "Rows", choose: bool = True) -> int | None:
        """Leaf through `rows` of (left, right) texts. Returns the index of the one opened with E when `choose`."""
        from kassa.screens import listing

        try:
            return await listing.run(self, title, rows, choose)
        finally:
            forget("kassa.screens.listing")

    async def code(self, title: str, digits: int, into: bytearray, hint: str = "") -> int:
        """Ask for a secret of `digits` digits into `into` (ASCII), shown as dots. Returns the count, 0 = cancelled."""
        from kassa.screens import pin

        try:
            return await pin.run(self, title, digits, into, hint)
        finally:
            forget("kassa.screens.pin")


def _keys(hints: str) -> str:
    """`E=key_ok UD=key_choose` -> `EUD`."""
    return "".join([hint.partition("=")[0] for hint in hints.split()])
