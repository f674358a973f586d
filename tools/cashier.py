# SPDX-License-Identifier: MIT
"""A cashier's actions at a terminal with English screens. Every wait has a limit in real seconds."""

from tools import menu_keys, terminal_words
from tools.cards import catalogue
from tools.cards.card import Card
from tools.world.world import World

HOME = "Type the amount"
CODE = "246813"  # supervisor code of systems provisioned with it
_PAID_BY = ("card", "code", "cash")
_DRAWN_MS = 200
_USUAL, _SLOWEST = 5, 50  # times _DRAWN_MS; some pages never rest


class CashierActions:
    """Operates the terminal of one world."""

    patience_s = 30

    def __init__(self, world: World) -> None:
        self.world = world
        self._cards: dict[str, Card] = {}

    def card(self, name: str) -> Card:
        """The card of this name. There is only one, so it keeps its transaction counter."""
        if name not in self._cards:
            self._cards[name] = catalogue.make(name)
        return self._cards[name]

    def sign_on(self) -> None:
        """Power on, and wait for the first contact with the host."""
        self.world.power_on()
        self.world.wait_screen("Online", 30)

    def go_offline(self) -> None:
        self.world.radio.state = "off"
        self.world.wait_screen("Offline", 30)

    def drain(self) -> None:
        """Restore the network and wait until the courier has sent everything pending."""
        self.world.radio.state = "on"
        self.world.wait_screen("All sent", self.patience_s)

    def present(self, amount: int, card: Card) -> None:
        """Type an amount and tap a card."""
        self.world.press(f"{amount}E")
        self.world.wait_screen("Present card")
        self.world.place(card)

    def menu(self, entry: str) -> None:
        """Open an entry of the menu from the home page, by digits; returns when its page has taken the menu's place."""
        shown: list[str] = []
        for name, key in menu_keys.way_to(entry):
            self.world.press(key)
            if name in menu_keys.menus():
                shown = [texts[name] for texts in terminal_words.words().values()]
                self.world.wait(lambda title=shown: self._title() in title, f"the menu {name}")
            else:
                self.world.wait(lambda title=shown: self._title() not in title, f"the page of {name}")

    def _title(self) -> str:
        return "".join(self.world.screen_text()[1:2])

    def type_in(self, title: str, digits: str) -> None:
        """Wait for an input field, type the digits (if any) and confirm."""
        self.world.wait_screen(title)
        self.world.press(f"{digits}E")

    def refund_of(self, how: str, amount: int) -> None:
        """Begin a refund of a payment by "card", "code" or "cash"."""
        self.menu("refund")
        self.world.wait_screen("Refund: paid by")
        self.world.press("D" * _PAID_BY.index(how) + "E")
        self.type_in("Refund: amount", str(amount))

    def supervise(self) -> None:
        """Enter the supervisor code."""
        self.type_in("Supervisor code", CODE)

    def agree_to(self, question: str) -> None:
        """Wait for a question or a list, and confirm it or its first row."""
        self.world.wait_screen(question)
        self.world.press("E")

    def tap(self, card: str = "jade") -> None:
        """Tap the card of this name when the terminal asks for it."""
        self.world.wait_screen("Present card")
        self.world.place(self.card(card))

    def page(self, text: str) -> list[str]:
        """Wait for a page with this text, fully drawn; returns its lines."""
        self.world.wait_screen(text, self.patience_s)
        return self.drawn()

    def drawn(self) -> list[str]:
        """The screen's lines, once the page has had time to be drawn: as long as it takes on a slow chip."""
        for _ in range(_SLOWEST if self.world.slow else _USUAL):
            written = self.world.chips.display_writes()
            self.world.run_for(_DRAWN_MS)
            if written == self.world.chips.display_writes():
                break
        return self.world.screen_text()

    def rest(self, what: str) -> None:
        """Wait for the home page or for a page to confirm. `what` describes the wait in its error message."""
        self.world.wait(lambda: self.sees(HOME) or self.sees("E OK") or self.sees("C Skip"), what, 30)

    def confirm(self) -> None:
        """Confirm the page without a receipt, and wait for the next one. Ignores the top bar: it changes by itself."""
        before = self.world.screen_text()[1:]
        self.world.press("C" if self.sees("C Skip") else "E")
        self.world.wait(lambda: self.world.screen_text()[1:] != before, "the next page")

    def home(self) -> None:
        """Confirm every page until the home page is shown."""
        for _ in range(8):
            self.rest("the home page")
            self.drawn()  # otherwise a key might reach the page after the one still being drawn
            if self.sees(HOME):
                return
            self.confirm()
        raise AssertionError(f"no home page: {self.world.screen_text()}")

    def back(self) -> list[str]:
        """Power on; returns the lines of the first page that waits for the cashier, fully drawn."""
        self.world.power_on()
        self.rest("a page")
        return self.drawn()

    def sees(self, text: str) -> bool:
        return any(text in line for line in self.world.screen_text())
