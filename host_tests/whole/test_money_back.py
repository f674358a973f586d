# SPDX-License-Identifier: MIT
"""Refunds and voids of code payments and cash, operated with the keys, online and offline."""

from __future__ import annotations

import re

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.demo.shopkeeper import on_paper
from tools.host.outside.issuer import Decision
from tools.host.transactions import payments

CODE = "134567890123456788"


def pay_by_code(cashier: Cashier) -> str:
    """Make a code payment; returns the receipt's text."""
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.type_in("The customer's code", CODE)
    return cashier.end("Paid")


def pay_in_cash(cashier: Cashier) -> None:
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", "1250")
    cashier.type_in("Given by the customer", "2000")
    cashier.end("Paid in cash")


def void(cashier: Cashier, what: str) -> list[str]:
    """Void the newest payment, which the list must show as `what`; returns the lines of the question."""
    cashier.menu("void")
    cashier.world.wait_screen(what)
    cashier.world.press("E")
    said = cashier.page("Void this payment?")
    cashier.world.press("E")
    cashier.supervise()
    return said


def test_a_voided_code_payment_is_refunded_by_its_wallet(cashier: Cashier) -> None:
    bought = pay_by_code(cashier)
    said = void(cashier, "By code")
    assert "By code" in " ".join(said) and "9.90" in " ".join(said)
    paper = cashier.end("Refunded")
    assert "CODE REFUND" in paper and "-￥9.90" in paper and "APPROVED" in paper, paper
    assert on_paper("Original trace", paper) == on_paper("Trace", bought)
    assert cashier.account("wallet receivable") == 0 == cashier.account()
    cashier.menu("void")
    cashier.page("Nothing to void")
    cashier.home()
    pay_in_cash(cashier)
    assert "Codes ¥0.00, cash ¥12.50" in " ".join(cashier.settle())
    slip = cashier.world.receipts[-1].text()
    assert re.search(r"By code 1 +￥9.90\n *Code refunds 1 +￥9.90", slip), slip


def test_a_code_payment_is_refunded_in_parts_by_its_reference_in_a_later_batch(cashier: Cashier) -> None:
    reference = on_paper("Reference", pay_by_code(cashier))
    cashier.settled()
    for amount, word, left in ((400, "Refunded", 590), (591, "Declined", 590), (590, "Refunded", 0)):
        cashier.refund_of("code", amount)
        cashier.type_in("Reference", reference)
        cashier.supervise()
        cashier.end(word)
        assert cashier.account("wallet receivable") == left


def test_a_code_refund_needs_its_reference(cashier: Cashier) -> None:
    cashier.refund_of("code", 400)
    cashier.type_in("Reference", "")
    cashier.page("At least 12 digits")
    cashier.world.press("C")
    cashier.home()
    assert not cashier.journal().records


def test_an_unanswered_code_refund_is_repeated_until_answered(cashier: Cashier) -> None:
    pay_by_code(cashier)
    cashier.host.mood = "mute"
    void(cashier, "By code")
    cashier.world.wait_screen("Sent, no answer yet", 90)
    said = " ".join(cashier.restart())
    assert "Sent, no answer yet" in said, said
    cashier.host.mood = "normal"
    cashier.home()
    cashier.world.wait_screen("All sent", 60)
    cashier.host.wait_until_told()
    assert cashier.account("wallet receivable") == 0 and list(cashier.host.wallet.paid.values()) == [0]


def test_cash_is_voided_and_refunded_without_the_host(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.home()
    pay_in_cash(cashier)
    void(cashier, "Cash")  # although the host does not know the sale yet
    paper = cashier.end("Cash returned")
    assert "CASH REFUND" in paper and "-￥12.50" in paper and "RETURNED IN CASH" in paper, paper
    assert "******" not in paper, paper
    cashier.menu("void")
    cashier.page("Nothing to void")
    cashier.home()
    cashier.refund_of("cash", 300)
    cashier.supervise()
    cashier.page("Give it to the customer")
    said = " ".join(cashier.restart())
    assert "Cash returned" in said and "Cash" in said, said
    cashier.home()
    cashier.drain()
    assert cashier.account("cash in till") == -300 == -cashier.account("cash sales")
    assert not cashier.host.view()["alarms"]
    assert cashier.settled()["debit_amount"] == 0
    slip = cashier.world.receipts[-1].text()
    assert re.search(r"Cash 1 +￥12.50\n *Cash refunds 2 +￥15.50", slip), slip


def test_a_cash_refund_needs_a_supervisor(cashier: Cashier) -> None:
    pay_in_cash(cashier)
    cashier.refund_of("cash", 300)
    cashier.world.wait_screen("Supervisor code")
    cashier.world.press("C")
    cashier.page("A supervisor must agree")
    cashier.home()
    assert len(cashier.journal().records) == 1


def test_a_cash_refund_that_the_host_refuses_calls_a_supervisor(
    cashier: Cashier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cash has already left the drawer, so its sale cannot be voided again."""
    pay_by_code(cashier)
    cashier.go_offline()
    cashier.home()
    pay_in_cash(cashier)
    void(cashier, "Cash")
    cashier.end("Cash returned")
    monkeypatch.setattr(
        payments, "_refusal", lambda request, *_: Decision("64") if request.message.type == "77" else None
    )
    cashier.drain()
    cashier.world.wait_screen("1 refused later")
    cashier.menu("queue")
    cashier.page("Refused later")
    cashier.world.press("E")
    cashier.page("Cash changed hands: call supervisor")
    cashier.world.press("E")
    cashier.page("Refused later")
    cashier.world.press("C")
    cashier.home()
    cashier.menu("void")
    said = " ".join(cashier.page("By code"))
    assert "Cash" not in said, said
