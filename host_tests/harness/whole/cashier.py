# SPDX-License-Identifier: MIT
"""What a cashier does at a terminal with English screens, and what an auditor compares afterwards."""

import sqlite3
from pathlib import Path

from tools.cards.card import Card
from tools.cashier import CashierActions
from tools.journal import image
from tools.whole_system import WholeSystem

QUICK = Path(__file__).parent / "quick"  # a source for World: the terminal without early garbage collections


class Cashier(CashierActions):
    """Operates one whole system."""

    patience_s = 60

    def __init__(self, system: WholeSystem) -> None:
        super().__init__(system.world)
        self.system = system
        self.host = system.host

    # -- hands ------------------------------------------------------------------------------------------------------

    def sign_on(self) -> None:
        super().sign_on()
        self.home()

    def offer(self, amount: int, card: str | Card = "jade") -> None:
        """Like `present`, with a card or the name of one."""
        self.present(amount, self.card(card) if isinstance(card, str) else card)

    def sell(self, amount: int, card: str | Card = "jade", result: str = "Approved") -> list[str]:
        """A sale, back to the home page; returns the lines of the result page."""
        self.offer(amount, card)
        said = self.page(result)
        self.world.remove()
        self.home()
        return said

    def end(self, word: str) -> str:
        """Wait for a result and go to the home page; returns the text of the newest receipt."""
        self.page(word)
        self.world.remove()
        self.home()
        return self.world.receipts[-1].text() if self.world.receipts else ""

    def await_reversal(self) -> None:
        """Let time pass until no reversal is pending."""

        def done() -> bool:
            journal = self.journal()
            return all(journal.state(record) not in ("reversing", "prepared") for record in journal.records.values())

        self.world.wait(done, "the reversal's answer", 60)

    def settle(self) -> list[str]:
        said = self.page_of_settling()
        self.home()
        return said

    def page_of_settling(self) -> list[str]:
        """Settle the batch; returns the lines of the result page."""
        self.menu("settle")
        self.world.wait_screen("Settle the batch?")
        self.world.press("E")
        self.world.wait(
            lambda: self.sees("alanced") or self.sees("Not settled"), "the end of settling", self.patience_s
        )
        return self.drawn()

    def restart(self) -> list[str]:
        """Power off and on; returns the first page that waits for the cashier."""
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

    def account(self, name: str = "terminal clearing") -> int:
        """The balance of a host account, by SQL; debits are positive."""
        with sqlite3.connect(self.host.ledger.path) as db:
            return db.execute("SELECT coalesce(sum(amount), 0) FROM entry WHERE account = ?", (name,)).fetchone()[0]

    def settled(self) -> dict:
        """Settle and require a balanced batch; the host's row of that batch."""
        said = " ".join(self.settle())
        assert "Balanced" in said, said
        with sqlite3.connect(self.host.ledger.path) as db:
            db.row_factory = sqlite3.Row
            return dict(db.execute("SELECT * FROM batch WHERE state = 'closed'").fetchone())

    def agree(self) -> int:
        """Assert that journal and ledger hold the same settled total; returns it."""
        journal = self.journal()
        device = sum(record.amount for record in journal.records.values() if journal.state(record) == "settled")
        host = sum(amount for amount, state in self.ledger() if state == "APPROVED")
        assert device == host, (device, self.ledger())
        return host
