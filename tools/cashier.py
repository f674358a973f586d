# SPDX-License-Identifier: MIT
"""A cashier's hands: what is done to a terminal whose screens are in English. Every wait has a limit in real seconds."""

from tools.cards import catalogue
from tools.cards.card import Card
from tools.world.world import World

HOME = "Type the amount"
CODE = "246813"  # the supervisor's, where a system is told to have this one
OTHERS = ("cash", "qr_scan", "qr_show", "refund", "preauth", "completion", "preauth_cancel", "tip", "voice", "adjust",
          "balance")  # fmt: skip
_PAID_BY = ("card", "code", "cash")
_DRAWN_MS = 200


class CashierActions:
    """Work the terminal of one world."""

    patience_s = 30

    def __init__(self, world: World) -> None:
        self.world = world
        self._cards: dict[str, Card] = {}

    def card(self, name: str) -> Card:
        """The one card of this name in the shop: it remembers its transaction counter."""
        if name not in self._cards:
            self._cards[name] = catalogue.make(name)
        return self._cards[name]

    def sign_on(self) -> None:
        """Power on, and wait until the host was heard."""
        self.world.power_on()
        self.world.wait_screen("Online", 30)

    def go_offline(self) -> None:
        self.world.radio.state = "off"
        self.world.wait_screen("Offline", 30)

    def drain(self) -> None:
        """The network returns: the courier sends what waits, unasked."""
        self.world.radio.state = "on"
        self.world.wait_screen("All sent", self.patience_s)

    def present(self, amount: int, card: Card) -> None:
        """Type an amount and lay a card on the reader."""
        self.world.press(f"{amount}E")
        self.world.wait_screen("Present card")
        self.world.place(card)

    def begin(self, name: str) -> None:
        """Choose one of OTHERS from the menu."""
        self.world.press("M4")
        self.world.wait_screen("Other transactions")
        self.world.press("D" * OTHERS.index(name) + "E")

    def type_in(self, title: str, digits: str) -> None:
        """Wait for a field, fill it in and confirm; without digits just confirm."""
        self.world.wait_screen(title)
        self.world.press(f"{digits}E")

    def refund_of(self, how: str, amount: int) -> None:
        """Begin a refund of what was paid by "card", "code" or "cash"."""
        self.begin("refund")
        self.world.wait_screen("Refund: paid by")
        self.world.press("D" * _PAID_BY.index(how) + "E")
        self.type_in("Refund: amount", str(amount))

    def supervise(self) -> None:
        """A supervisor agrees."""
        self.type_in("Supervisor code", CODE)

    def agree_to(self, question: str) -> None:
        """Wait for a question, or a list whose first row is meant, and confirm."""
        self.world.wait_screen(question)
        self.world.press("E")

    def tap(self, card: str = "jade") -> None:
        """Lay the card of this name on the reader when it is asked for."""
        self.world.wait_screen("Present card")
        self.world.place(self.card(card))

    def page(self, text: str) -> list[str]:
        """Wait for a page, and until it is drawn to its last line; returns its lines."""
        self.world.wait_screen(text, self.patience_s)
        return self.drawn()

    def drawn(self) -> list[str]:
        """The screen's lines, after the time it takes to draw a page."""
        self.world.run_for(_DRAWN_MS)
        return self.world.screen_text()

    def rest(self, what: str) -> None:
        """Wait for `what`: the home page, or one to be confirmed."""
        self.world.wait(lambda: self.sees(HOME) or self.sees("E OK") or self.sees("C Skip"), what, 30)

    def confirm(self) -> None:
        """Take what is shown as read, without a receipt, and wait for the next page. The top bar changes by itself."""
        before = self.world.screen_text()[1:]
        self.world.press("C" if self.sees("C Skip") else "E")
        self.world.wait(lambda: self.world.screen_text()[1:] != before, "the next page")

    def home(self) -> None:
        """Confirm whatever is shown until the home page is there."""
        for _ in range(8):
            self.rest("the home page")
            self.drawn()  # else a key might go to the page behind the one that is still being drawn
            if self.sees(HOME):
                return
            self.confirm()
        raise AssertionError(f"no home page: {self.world.screen_text()}")

    def back(self) -> list[str]:
        """Power on; returns the first page that waits for the cashier, drawn to its last line."""
        self.world.power_on()
        self.rest("a page")
        return self.drawn()

    def sees(self, text: str) -> bool:
        return any(text in line for line in self.world.screen_text())
