# SPDX-License-Identifier: MIT
"""Each transaction of the menu, operated by its keys: what the screen says, what the paper says, what the host has."""

from __future__ import annotations

import re
import sqlite3

import pytest

from host_tests.whole.cashier import Cashier
from tools.host.page import view


def end(cashier: Cashier, word: str) -> str:
    """Wait for the result and go home; returns the newest paper."""
    cashier.page(word)
    cashier.world.remove()
    cashier.home()
    return cashier.world.receipts[-1].text() if cashier.world.receipts else ""


def account(cashier: Cashier, name: str = "merchant payable") -> int:
    with sqlite3.connect(cashier.host.ledger.path) as db:
        return db.execute("SELECT coalesce(sum(amount), 0) FROM entry WHERE account = ?", (name,)).fetchone()[0]


def auth_code(paper: str) -> str:
    found = re.search(r"Auth code +([0-9]{6})", paper)
    assert found, paper
    return found.group(1)


def reference(paper: str) -> str:
    found = re.search(r"Reference +([0-9]{12})", paper)
    assert found, paper
    return found.group(1)


def paper_of_a_sale(cashier: Cashier, amount: int, card: str = "jade") -> str:
    cashier.offer(amount, card)
    return end(cashier, "Approved")


def settled(cashier: Cashier) -> dict:
    """Settle; the batch as the host has it. The terminal's totals are its own: balanced means they agree."""
    said = " ".join(cashier.settle())
    assert "Balanced" in said, said
    with sqlite3.connect(cashier.host.ledger.path) as db:
        db.row_factory = sqlite3.Row
        return dict(db.execute("SELECT * FROM batch WHERE state = 'closed'").fetchone())


def test_cash_with_its_change(cashier: Cashier) -> None:
    cashier.begin("cash")
    cashier.type_in("Cash sale: amount", "1250")
    cashier.type_in("Given by the customer", "1000")
    cashier.type_in("Too little", "2000")
    assert "Change ¥7.50" in " ".join(cashier.page("Paid in cash"))
    paper = end(cashier, "Paid in cash")
    assert "CASH SALE" in paper and "PAID IN CASH" in paper and "****" not in paper, paper
    cashier.world.wait_screen("All sent")
    assert account(cashier, "cash in till") == 1250 and account(cashier) == 0
    assert settled(cashier)["debit_amount"] == 0
    assert re.search(r"Cash 1 +￥12.50", cashier.world.receipts[-1].text())


def test_cash_is_taken_without_a_network(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.begin("cash")
    cashier.type_in("Cash sale: amount", "1250")
    cashier.type_in("Given by the customer", "1250")
    end(cashier, "Paid in cash")
    cashier.drain()
    assert account(cashier, "cash in till") == 1250


def test_a_refund_by_its_reference(cashier: Cashier) -> None:
    number = reference(paper_of_a_sale(cashier, 5000))
    cashier.begin("refund")
    cashier.type_in("Refund: amount", "2000")
    cashier.type_in("Reference", number)
    cashier.supervise()
    cashier.tap()
    paper = end(cashier, "Refunded")
    assert "REFUND" in paper and "-￥20.00" in paper, paper
    assert account(cashier) == -3000
    cashier.begin("refund")
    cashier.type_in("Refund: amount", "3001")
    cashier.type_in("Reference", number)
    cashier.supervise()
    cashier.tap()
    cashier.page("Declined")
    cashier.world.remove()
    cashier.home()
    batch = settled(cashier)
    assert (batch["debit_amount"], batch["debit_count"], batch["credit_amount"], batch["credit_count"]) == (
        5000,
        1,
        2000,
        1,
    )


def test_a_refund_without_a_reference_and_of_another_card(cashier: Cashier) -> None:
    number = reference(paper_of_a_sale(cashier, 5000))
    cashier.begin("refund")
    cashier.type_in("Refund: amount", "2000")
    cashier.type_in("Reference", number)
    cashier.supervise()
    cashier.tap("amber")
    cashier.page("Declined")
    cashier.world.remove()
    cashier.home()
    cashier.begin("refund")
    cashier.type_in("Refund: amount", "700")
    cashier.type_in("Reference", "")
    cashier.supervise()
    cashier.tap("amber")
    end(cashier, "Refunded")
    assert account(cashier) == -4300


def test_a_pre_authorisation_is_completed_voided_and_completed_again(cashier: Cashier) -> None:
    cashier.begin("preauth")
    cashier.type_in("Pre-authorise: amount", "10000")
    cashier.tap()
    paper = end(cashier, "Pre-authorised")
    code = auth_code(paper)
    assert "PRE-AUTHORISATION" in paper and account(cashier) == 0
    for amount, word in (("11501", "Declined"), ("11500", "Approved")):
        cashier.begin("completion")
        cashier.type_in("Final amount", amount)
        cashier.type_in("Authorisation code", code)
        cashier.tap()
        paper = end(cashier, word)
    assert "COMPLETION" in paper and account(cashier) == -11500
    cashier.world.press("M3")
    cashier.world.wait_screen("Void")
    cashier.world.press("E")
    cashier.world.wait_screen("Void this payment?")
    cashier.world.press("E")
    cashier.supervise()
    assert "COMPLETION VOID" in end(cashier, "Voided")
    assert account(cashier) == 0
    cashier.begin("completion")
    cashier.type_in("Final amount", "8000")
    cashier.type_in("Authorisation code", code)
    cashier.tap()
    end(cashier, "Approved")
    batch = settled(cashier)
    assert (batch["debit_amount"], batch["debit_count"], batch["credit_amount"], batch["credit_count"]) == (
        19500,
        2,
        11500,
        1,
    )


def test_a_cancelled_pre_authorisation_cannot_be_completed(cashier: Cashier) -> None:
    cashier.begin("preauth")
    cashier.type_in("Pre-authorise: amount", "10000")
    cashier.tap()
    code = auth_code(end(cashier, "Pre-authorised"))
    cashier.begin("preauth_cancel")
    cashier.type_in("Pre-authorised amount", "10000")
    cashier.type_in("Authorisation code", code)
    cashier.supervise()
    cashier.tap()
    assert "PRE-AUTH CANCEL" in end(cashier, "Voided")
    cashier.begin("completion")
    cashier.type_in("Final amount", "8000")
    cashier.type_in("Authorisation code", code)
    cashier.tap()
    cashier.page("Declined")
    cashier.world.remove()
    cashier.home()
    assert account(cashier) == 0 and settled(cashier)["debit_count"] == 0


def test_a_completion_without_a_network_goes_as_an_advice(cashier: Cashier) -> None:
    cashier.begin("preauth")
    cashier.type_in("Pre-authorise: amount", "10000")
    cashier.tap()
    code = auth_code(end(cashier, "Pre-authorised"))
    cashier.go_offline()
    cashier.begin("completion")
    cashier.type_in("Final amount", "9000")
    cashier.type_in("Authorisation code", code)
    cashier.world.wait_screen("Take it without the host?")
    cashier.world.press("E")
    cashier.tap()
    assert "OFFLINE, TO BE AUTHORISED" in end(cashier, "Accepted")
    cashier.drain()
    assert account(cashier) == -9000
    assert settled(cashier)["debit_amount"] == 9000


def test_a_voice_authorised_sale_is_adjusted_before_the_host_has_heard_of_it(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.begin("voice")
    cashier.type_in("Voice sale: amount", "4000")
    cashier.type_in("Code from the phone", "123456")
    cashier.tap()
    paper = end(cashier, "Accepted")
    assert "VOICE-AUTHORISED SALE" in paper and auth_code(paper) == "123456"
    cashier.begin("adjust")
    cashier.world.wait_screen("Adjust a voice sale")
    cashier.world.press("E")
    cashier.type_in("Right amount", "4500")
    cashier.world.wait_screen("Change the amount?")
    cashier.world.press("E")
    cashier.supervise()
    assert "ADJUSTMENT" in end(cashier, "Amount changed")
    cashier.drain()
    assert account(cashier) == -4500
    batch = settled(cashier)
    assert (batch["debit_amount"], batch["debit_count"]) == (4500, 1)


def test_a_tip_goes_with_its_sale_and_a_void_takes_both_back(cashier: Cashier) -> None:
    cashier.sell(5000, "jade")
    cashier.begin("tip")
    cashier.world.wait_screen("Add a tip")
    cashier.world.press("E")
    cashier.type_in("Tip: amount", "1000")
    cashier.world.wait_screen("Change the amount?")
    cashier.world.press("E")
    end(cashier, "Amount changed")
    cashier.world.wait_screen("All sent")
    assert account(cashier) == -6000
    cashier.begin("tip")
    cashier.world.wait_screen("No sale here can be changed")
    cashier.home()
    cashier.world.press("M3")
    cashier.world.wait_screen("60.00")
    cashier.world.press("E")
    cashier.world.wait_screen("Void this payment?")
    cashier.world.press("E")
    cashier.supervise()
    end(cashier, "Voided")
    assert account(cashier) == 0
    batch = settled(cashier)
    assert (batch["debit_amount"], batch["debit_count"], batch["credit_amount"], batch["credit_count"]) == (
        6000,
        1,
        6000,
        1,
    )


def test_the_balance_of_a_card(cashier: Cashier) -> None:
    cashier.sell(5000, "jade")
    cashier.begin("balance")
    cashier.tap()
    said = cashier.page("Balance")
    assert "¥99,950.00" in " ".join(said), said
    cashier.world.remove()
    cashier.home()
    assert settled(cashier)["debit_amount"] == 5000


@pytest.mark.parametrize(
    "code, asks", [("134567890123456788", False), ("283456789012345655", True), ("6234567890123456788", False)]
)
def test_the_customers_code(cashier: Cashier, code: str, asks: bool) -> None:
    cashier.begin("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.type_in("The customer's code", code)
    if asks:
        cashier.world.wait_screen("Customer confirms on the phone")
    paper = end(cashier, "Paid")
    assert "CODE PAYMENT" in paper and code not in paper, paper
    assert account(cashier, "wallet receivable") == 990 and account(cashier) == -990
    assert settled(cashier)["debit_amount"] == 0
    assert re.search(r"By code 1 +￥9.90", cashier.world.receipts[-1].text())


def test_codes_that_are_refused(cashier: Cashier) -> None:
    for code, word in (("9934567890123456", "Code of no wallet"), ("134567890123456751", "Not enough funds")):
        cashier.begin("qr_scan")
        cashier.type_in("Pay by code: amount", "990")
        cashier.type_in("The customer's code", code)
        end(cashier, word)
    assert account(cashier) == 0


def test_a_customer_who_never_agrees_pays_nothing(cashier: Cashier) -> None:
    cashier.host.mood = "never"
    cashier.begin("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.type_in("The customer's code", "134567890123456788")
    cashier.world.wait_screen("Customer confirms on the phone")
    end(cashier, "reversal pending")
    cashier.await_reversal()
    assert account(cashier) == 0 and view(cashier.host.ledger, {}, "")["payments"][0]["state"] == "REVERSED"


def test_our_code_is_shown_and_paid(cashier: Cashier) -> None:
    cashier.begin("qr_show")
    cashier.type_in("Pay by code: amount", "990")
    cashier.world.wait_screen("Please scan")
    paper = end(cashier, "Paid")
    assert "CODE PAYMENT" in paper
    assert account(cashier, "wallet receivable") == 990


def test_what_needs_the_host_is_refused_without_it(cashier: Cashier) -> None:
    cashier.go_offline()
    for name, title in (("refund", "Refund: amount"), ("preauth", "Pre-authorise: amount"), ("qr_show", "Pay by code")):
        cashier.begin(name)
        cashier.type_in(title, "100")
        if name == "refund":
            cashier.type_in("Reference", "")
        cashier.page("Only with the host")
        cashier.home()
    cashier.begin("balance")
    cashier.page("Only with the host")
    cashier.home()
    assert not cashier.journal().records


def test_a_refund_without_an_answer_is_repeated_until_there_is_one(cashier: Cashier) -> None:
    cashier.sell(5000, "jade")
    cashier.host.mood = "cut"
    cashier.begin("refund")
    cashier.type_in("Refund: amount", "700")
    cashier.type_in("Reference", "")
    cashier.supervise()
    cashier.tap()
    cashier.page("Sent, no answer yet")
    cashier.world.remove()
    cashier.host.mood = "normal"
    said = " ".join(cashier.restart())
    assert "no answer yet" in said or "Refunded" in said, said
    cashier.home()
    cashier.world.wait_screen("All sent", 60)
    assert account(cashier) == -4300
    batch = settled(cashier)
    assert (batch["credit_amount"], batch["credit_count"]) == (700, 1)
