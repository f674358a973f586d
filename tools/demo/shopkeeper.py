# SPDX-License-Identifier: MIT
"""A shopkeeper: operates the terminal by its keys and keeps a tally of the amounts on its result pages."""

import re

from tools.cashier import CashierActions
from tools.demo.agreement import CASH, CASH_BACK, CODE, CODE_BACK, CREDIT, DEBIT, Journals, Tally, money
from tools.whole_system import WholeSystem


class Shopkeeper(CashierActions):
    """Each transaction leaves the terminal on its home page. `tally` sums up the result pages."""

    patience_s = 60

    def __init__(self, system: WholeSystem) -> None:
        super().__init__(system.world)
        self.system = system
        self.tally = Tally()
        self.batch = 1
        self.journals = Journals(system.world.home)

    def sell(self, amount: int, card: str, result: str = "Approved", column: str = DEBIT) -> str:
        """Make a sale. Returns its receipt."""
        self.present(amount, self.card(card))
        return self.end(result, column)

    def end(self, word: str, column: str | None) -> str:
        """Wait for the result page, add its amount to the tally, and go home. Returns the newest receipt."""
        lines = self.page(word)
        if column:
            self.tally.add(self.batch, column, self.amount_on(lines))
        self.world.remove()
        self.home()
        return self.world.receipts[-1].text() if self.world.receipts else ""

    def amount_changed(self) -> None:
        """Wait until an amount has been changed. The difference goes into the tally."""
        self.page("Accepted, to be authorised")
        lines = self.page("Was ")
        was = next(line for line in lines if line.startswith("Was "))
        self.tally.add(self.batch, DEBIT, self.amount_on(lines) - money(was), 0)
        self.home()

    def void_newest(self, result: str = "Voided", column: str = CREDIT) -> None:
        """Void the newest payment."""
        self.menu("void")
        self.agree_to("Void")
        self.agree_to("Void this payment?")
        self.supervise()
        self.end(result, column)

    def pre_authorise(self, amount: int, card: str) -> str:
        """Make a pre-authorisation. Returns the authorisation code."""
        self.menu("preauth")
        self.type_in("Pre-authorise: amount", str(amount))
        self.tap(card)
        return on_paper("Auth code", self.end("Pre-authorised", None))

    def complete(self, amount: int, card: str, code: str, by_advice: bool = False) -> None:
        self.menu("completion")
        self.type_in("Final amount", str(amount))
        self.type_in("Authorisation code", code)
        if by_advice:
            self.agree_to("Take it without the host?")
        self.tap(card)
        self.end("Accepted" if by_advice else "Approved", DEBIT)

    def refund(self, amount: int, reference: str, card: str, result: str = "Refunded", column: str = CREDIT) -> None:
        self.refund_of("card", amount)
        self.type_in("Reference", reference)
        self.supervise()
        self.tap(card)
        self.end(result, column)

    def refund_code(self, amount: int, reference: str) -> None:
        self.refund_of("code", amount)
        self.type_in("Reference", reference)
        self.supervise()
        self.end("Refunded", CODE_BACK)

    def refund_cash(self, amount: int) -> None:
        self.refund_of("cash", amount)
        self.supervise()
        self.end("Cash returned", CASH_BACK)

    def cash_sale(self, amount: int) -> None:
        self.menu("cash")
        self.type_in("Cash sale: amount", str(amount))
        self.type_in("Given by the customer", "2000")
        self.end("Paid in cash", CASH)

    def customers_code(self, amount: int, code: str) -> str:
        """Scan the customer's code. Returns the receipt."""
        self.menu("qr_scan")
        self.type_in("Pay by code: amount", str(amount))
        self.type_in("The customer's code", code)
        return self.end("Paid", CODE)

    def tip_newest(self, amount: int) -> None:
        """Add a tip to the newest sale."""
        self.menu("tip")
        self.agree_to("Add a tip")
        self.type_in("Tip: amount", str(amount))
        self.agree_to("Change the amount?")
        self.amount_changed()

    def after_the_cut(self, *words: str) -> list[str]:
        """Wait for the power cut and restore power. Returns the first page, which must contain one of the words."""
        self.world.wait_off(30)
        self.world.remove()
        lines = self.back()
        if not any(word in line for word in words for line in lines):
            raise AssertionError(f"none of {words}: {lines}")
        return lines

    def settle(self, *words: str, by_hand: bool = True) -> None:
        """Close the batch, or wait until the terminal does. The result page must contain each of the words."""
        papers = len(self.world.receipts)
        if by_hand:
            self.menu("settle")
            self.agree_to("Settle the batch?")
        self.page("alanced")
        self.world.wait(lambda: len(self.world.receipts) > papers, "the slip")
        shown = " ".join(self.drawn())
        if not all(word in shown for word in words or ("Balanced",)):
            raise AssertionError(f"not {words}: {shown}")
        self.home()
        self.journals.read()
        self.batch += 1

    def amount_on(self, page: list[str]) -> int:
        """The amount in large type on a page."""
        return money(next(line for line in page if line.startswith("¥")))


def on_paper(name: str, paper: str) -> str:
    """The number printed after a name on a receipt."""
    found = re.search(rf"^{name} +([0-9]+)$", paper, re.MULTILINE)
    if not found:
        raise AssertionError(f"no {name} on {paper}")
    return found[1]
