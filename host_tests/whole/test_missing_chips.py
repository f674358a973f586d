# SPDX-License-Identifier: MIT
"""A terminal without its reader or its printer still sells: codes and cash, and the receipt is on the screen."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from host_tests.harness.whole.cashier import Cashier

NO_READER = "Card reader does not answer"
NO_PRINTER = "Printer does not answer"


def unplug_printer(cashier: Cashier) -> None:
    """The printer neither prints nor answers."""
    cashier.world.chips.printer.receive = lambda data: None  # type: ignore[method-assign]


def cash(cashier: Cashier, amount: int) -> list[str]:
    """A cash sale paid with the exact sum; returns the lines of its result page."""
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", str(amount))
    cashier.type_in("Given by the customer", str(amount))
    return cashier.page("Paid in cash")


def test_without_a_reader_codes_and_cash_are_sold(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier()
    cashier.world.chips.reader_link.faults.silent = True
    cashier.world.power_on()
    cashier.world.wait_screen(NO_READER, 30)
    cashier.home()
    cashier.world.wait_screen("Online", 30)
    assert NO_READER in " ".join(cashier.drawn())
    cash(cashier, 500)
    cashier.home()
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", "700")
    cashier.type_in("The customer's code", "134567890123456788")
    cashier.end("Paid")
    assert sorted(amount for amount, state in cashier.ledger() if state == "APPROVED") == [500, 700]
    assert cashier.agree() == 1200


def test_without_a_printer_the_receipt_is_on_the_screen(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier()
    unplug_printer(cashier)
    cashier.sign_on()
    cashier.offer(4725, "lotus")
    assert "¥47.25" in " ".join(cashier.page(NO_PRINTER))
    cashier.world.remove()
    cashier.world.press("D")
    first = " ".join(cashier.page("Merchant"))
    cashier.world.press("D")
    cashier.world.run_for(1000)
    second = " ".join(cashier.drawn())
    cashier.world.press("D")
    cashier.world.run_for(1000)
    third = " ".join(cashier.drawn())
    assert "47.25" in first + second + third and "APPROVED" in first + second + third
    assert "******" in first + second + third
    cashier.world.press("C")
    cashier.home()
    assert not cashier.world.receipts
    cashier.sell(100)
    assert cashier.agree() == 4825


@pytest.mark.parametrize("reader", [False, True])
def test_a_receipt_can_be_shown_again(make_cashier: Callable[..., Cashier], reader: bool) -> None:
    cashier = make_cashier()
    unplug_printer(cashier)
    cashier.world.chips.reader_link.faults.silent = not reader
    cashier.world.power_on()
    cashier.world.wait_screen("Online", 30)
    cashier.home()
    cash(cashier, 500)
    cashier.home()
    cashier.menu("reprint")
    cashier.page("Not printed")
    cashier.world.press("D")
    assert "DUPLICATE" in " ".join(cashier.page("Merchant"))
