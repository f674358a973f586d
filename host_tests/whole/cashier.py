# SPDX-License-Identifier: MIT
"""What a cashier does, in the words of the English screens; and what an auditor compares afterwards."""

import sqlite3

from tools.cards import catalogue
from tools.cards.card import Card
from tools.cashier import HOME, Hands
from tools.journal import image
from tools.stage import Stage


class Cashier(Hands):
    """Works one stage."""

    patience_s = 60

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.world)
        self.stage = stage
        self.host = stage.host
        self._cards: dict[str, Card] = {}

    # -- hands ------------------------------------------------------------------------------------------------------

    def sign_on(self) -> None:
        super().sign_on()
        self.home()

    def home(self) -> None:
        """Confirm whatever is shown until the home page is there."""
        for _ in range(8):
            self.rest("the home page")
            if self.sees(HOME):
                return
            self.confirm()
        raise AssertionError(f"no home page: {self.world.screen_text()}")

    def offer(self, amount: int, card: str | Card = "jade") -> None:
        """As `present`, with a card or the name of one."""
        self.present(amount, self.card(card) if isinstance(card, str) else card)

    def card(self, name: str) -> Card:
        """The one card of this name in the shop: it remembers its transaction counter."""
        if name not in self._cards:
            self._cards[name] = catalogue.make(name)
        return self._cards[name]

    def sell(self, amount: int, card: str | Card = "jade", result: str = "Approved") -> list[str]:
        """A sale up to the home page; returns what the result page said."""
        self.offer(amount, card)
        said = self.page(result)
        self.world.remove()
        self.home()
        return said

    def await_reversal(self) -> None:
        """Let time run until no reversal is owed any more."""

        def done() -> bool:
            journal = self.journal()
            return all(journal.state(record) not in ("reversing", "prepared") for record in journal.records.values())

        self.world.wait(done, "the reversal's answer", 60)

    def settle(self) -> list[str]:
        said = self.page_of_settling()
        self.home()
        return said

    def page_of_settling(self) -> list[str]:
        """Settle the batch; returns what the page at its end says."""
        self.world.press("MDE")
        self.world.wait_screen("Settle the batch?")
        self.world.press("E")
        self.world.wait(
            lambda: self.sees("alanced") or self.sees("Not settled"), "the end of settling", self.patience_s
        )
        return self.drawn()

    def restart(self) -> list[str]:
        """Pull the plug and plug in again; returns the first page that waits for the cashier."""
        self.world.power_off()
        return self.back()

    # -- eyes -------------------------------------------------------------------------------------------------------

    def journal(self) -> image.Journal:
        """The journal as an independent reader finds it in flash.bin, every tag checked."""
        return image.of(self.world.home)

    def ledger(self) -> list[tuple[int, str]]:
        """(amount, state) of the host's payments in the order of the journal, by SQL."""
        with sqlite3.connect(self.host.ledger.path) as db:
            return db.execute("SELECT amount, state FROM payment ORDER BY epoch, sequence").fetchall()

    def agree(self) -> int:
        """Journal and ledger hold the same settled money; returns it."""
        journal = self.journal()
        device = sum(record.amount for record in journal.records.values() if journal.state(record) == "settled")
        host = sum(amount for amount, state in self.ledger() if state == "APPROVED")
        assert device == host, (device, self.ledger())
        return host
