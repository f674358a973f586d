# SPDX-License-Identifier: MIT
"""A cashier's hand: presses keys because the screen asks for them, and counts them."""

import re

from tools import menu_keys
from tools.cashier import CashierActions
from tools.world.power import FIRMWARE

_LINE = re.compile(r"(\d)\s+(.+)")
_PAGE_MS = 2000  # for the next page to be drawn
_TEXTS = [(FIRMWARE / "kassa/screens/texts" / name).read_text("utf-8") for name in ("en.py", "setup_en.py")]


class Hand:
    """A cashier's hand at a terminal with English screens. `keys`: how many it has pressed in the task."""

    def __init__(self, cashier: CashierActions) -> None:
        self.cashier = cashier
        self.keys = 0

    def press(self, keys: str) -> None:
        self.keys += len(keys)
        self.cashier.world.press(keys)

    def see(self, text: str) -> list[str]:
        """Wait for a page with this text; returns its lines."""
        return self.cashier.page(text)

    def answer(self, text: str, keys: str) -> None:
        """Wait for a page with this text, and press keys."""
        self.see(text)
        self.press(keys)

    def choose(self, entry: str) -> None:
        """Open the menu, and choose one line after the other by the digit in front of the words of the guide.

        `entry`: the text key of the last line's words.
        """
        self.press("M")
        for word in map(_text, _path(entry)):
            lines = [_LINE.match(line) for line in self.see(word)]
            self.press(next(found[1] for found in lines if found and found[2].strip() == word))

    def tap(self) -> None:
        self.cashier.tap("jade")

    def end(self, text: str) -> list[str]:
        """Wait for the result, then leave it; returns its lines."""
        lines = self.see(text)
        self.cashier.world.remove()
        for _ in range(60):
            if self.cashier.sees("Type the amount"):
                return lines
            key = "E" if self.cashier.sees("E OK") else "C"
            self.cashier.world.press(key)
            self.cashier.world.run_for(_PAGE_MS)
        raise AssertionError(f"no home page: {self.cashier.drawn()}")


def _path(entry: str) -> list[str]:
    """The text keys of the menu lines from the first menu to an entry."""
    if entry == "menu":
        return []
    return [*_path(next(menu for menu, entries in menu_keys.menus().items() if entry in entries)), entry]


def _text(key: str) -> str:
    """The English text of a key."""
    return next(found[1] for text in _TEXTS if (found := re.search(rf"^{key}=(.*)$", text, re.MULTILINE)))
