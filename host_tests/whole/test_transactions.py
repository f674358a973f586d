# SPDX-License-Identifier: MIT
"""Each transaction of the menu, operated with the keys: screen, receipt, and the host's ledger."""

from __future__ import annotations

import re

from host_tests.harness.whole.cashier import Cashier


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
    return cashier.end("Approved")


def test_a_cash_sale_shows_the_change_and_is_booked(cashier: Cashier) -> None:
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", "1250")
    cashier.type_in("Given by the customer", "1000")
    cashier.type_in("Too little", "2000")
    assert "Change ¥7.50" in " ".join(cashier.page("Paid in cash"))
    paper = cashier.end("Paid in cash")
    assert "CASH SALE" in paper and "PAID IN CASH" in paper and "****" not in paper, paper
    cashier.world.wait_screen("All sent")
    assert cashier.account("cash in till") == 1250 and cashier.account() == 0
    assert cashier.settled()["debit_amount"] == 0
    assert re.search(r"Cash 1 +￥12.50", cashier.world.receipts[-1].text())


def test_a_cash_sale_without_a_network_is_booked_later(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", "1250")
    cashier.type_in("Given by the customer", "1250")
    cashier.end("Paid in cash")
    cashier.drain()
    assert cashier.account("cash in till") == 1250


def test_a_refund_by_reference_is_limited_to_the_rest_of_its_sale(cashier: Cashier) -> None:
    number = reference(paper_of_a_sale(cashier, 5000))
    cashier.refund_of("card", 2000)
    cashier.type_in("Reference", number)
    cashier.supervise()
    cashier.tap()
    paper = cashier.end("Refunded")
    assert "REFUND" in paper and "-￥20.00" in paper, paper
    assert cashier.account() == -3000
    cashier.refund_of("card", 3001)
    cashier.type_in("Reference", number)
    cashier.supervise()
    cashier.tap()
    cashier.page("Declined")
    cashier.world.remove()
    cashier.home()
    batch = cashier.settled()
    assert (batch["debit_amount"], batch["debit_count"], batch["credit_amount"], batch["credit_count"]) == (
        5000,
        1,
        2000,
        1,
    )


def test_a_refund_by_reference_needs_the_same_card_and_one_without_takes_any(cashier: Cashier) -> None:
    number = reference(paper_of_a_sale(cashier, 5000))
    cashier.refund_of("card", 2000)
    cashier.type_in("Reference", number)
    cashier.supervise()
    cashier.tap("amber")
    cashier.page("Declined")
    cashier.world.remove()
    cashier.home()
    cashier.refund_of("card", 700)
    cashier.type_in("Reference", "")
    cashier.supervise()
    cashier.tap("amber")
    cashier.end("Refunded")
    assert cashier.account() == -4300


def test_a_pre_authorisation_can_be_completed_voided_and_completed_again(cashier: Cashier) -> None:
    cashier.menu("preauth")
    cashier.type_in("Pre-authorise: amount", "10000")
    cashier.tap()
    paper = cashier.end("Pre-authorised")
    code = auth_code(paper)
    assert "PRE-AUTHORISATION" in paper and cashier.account() == 0
    for amount, word in (("11501", "Declined"), ("11500", "Approved")):
        cashier.menu("completion")
        cashier.type_in("Final amount", amount)
        cashier.type_in("Authorisation code", code)
        cashier.tap()
        paper = cashier.end(word)
    assert "COMPLETION" in paper and cashier.account() == -11500
    cashier.menu("void")
    cashier.world.wait_screen("Void")
    cashier.world.press("E")
    cashier.world.wait_screen("Void this payment?")
    cashier.world.press("E")
    cashier.supervise()
    assert "COMPLETION VOID" in cashier.end("Voided")
    assert cashier.account() == 0
    cashier.menu("completion")
    cashier.type_in("Final amount", "8000")
    cashier.type_in("Authorisation code", code)
    cashier.tap()
    cashier.end("Approved")
    batch = cashier.settled()
    assert (batch["debit_amount"], batch["debit_count"], batch["credit_amount"], batch["credit_count"]) == (
        19500,
        2,
        11500,
        1,
    )


def test_a_cancelled_pre_authorisation_cannot_be_completed(cashier: Cashier) -> None:
    cashier.menu("preauth")
    cashier.type_in("Pre-authorise: amount", "10000")
    cashier.tap()
    code = auth_code(cashier.end("Pre-authorised"))
    cashier.menu("preauth_cancel")
    cashier.type_in("Pre-authorised amount", "10000")
    cashier.type_in("Authorisation code", code)
    cashier.supervise()
    cashier.tap()
    assert "PRE-AUTH CANCEL" in cashier.end("Voided")
    cashier.menu("completion")
    cashier.type_in("Final amount", "8000")
    cashier.type_in("Authorisation code", code)
    cashier.tap()
    cashier.page("Declined")
    cashier.world.remove()
    cashier.home()
    assert cashier.account() == 0 and cashier.settled()["debit_count"] == 0


def test_a_completion_without_a_network_is_sent_later_as_an_advice(cashier: Cashier) -> None:
    cashier.menu("preauth")
    cashier.type_in("Pre-authorise: amount", "10000")
    cashier.tap()
    code = auth_code(cashier.end("Pre-authorised"))
    cashier.go_offline()
    cashier.menu("completion")
    cashier.type_in("Final amount", "9000")
    cashier.type_in("Authorisation code", code)
    cashier.world.wait_screen("Take it without the host?")
    cashier.world.press("E")
    cashier.tap()
    assert "OFFLINE, TO BE AUTHORISED" in cashier.end("Accepted")
    cashier.drain()
    assert cashier.account() == -9000
    assert cashier.settled()["debit_amount"] == 9000


def test_a_voice_authorised_sale_can_be_adjusted_before_it_is_sent(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.menu("voice")
    cashier.type_in("Voice sale: amount", "4000")
    cashier.type_in("Code from the phone", "123456")
    cashier.tap()
    paper = cashier.end("Accepted")
    assert "VOICE-AUTHORISED SALE" in paper and auth_code(paper) == "123456"
    cashier.menu("adjust")
    cashier.world.wait_screen("Adjust a voice sale")
    cashier.world.press("E")
    cashier.type_in("Right amount", "4500")
    cashier.world.wait_screen("Change the amount?")
    cashier.world.press("E")
    cashier.supervise()
    assert "ADJUSTMENT" in cashier.end("Accepted, to be authorised")
    cashier.drain()
    assert cashier.account() == -4500
    batch = cashier.settled()
    assert (batch["debit_amount"], batch["debit_count"]) == (4500, 1)


def test_a_tip_is_added_to_its_sale_and_a_void_takes_both_back(cashier: Cashier) -> None:
    cashier.sell(5000, "jade")
    cashier.menu("tip")
    cashier.world.wait_screen("Add a tip")
    cashier.world.press("E")
    cashier.type_in("Tip: amount", "1000")
    cashier.world.wait_screen("Change the amount?")
    cashier.world.press("E")
    cashier.end("Accepted, to be authorised")
    cashier.world.wait_screen("All sent")
    assert cashier.account() == -6000
    cashier.menu("tip")
    cashier.world.wait_screen("No sale here can be changed")
    cashier.home()
    cashier.menu("void")
    cashier.world.wait_screen("60.00")
    cashier.world.press("E")
    cashier.world.wait_screen("Void this payment?")
    cashier.world.press("E")
    cashier.supervise()
    cashier.end("Voided")
    assert cashier.account() == 0
    batch = cashier.settled()
    assert (batch["debit_amount"], batch["debit_count"], batch["credit_amount"], batch["credit_count"]) == (
        6000,
        1,
        6000,
        1,
    )


def test_a_balance_enquiry_shows_the_balance_and_books_nothing(cashier: Cashier) -> None:
    cashier.sell(5000, "jade")
    cashier.menu("balance")
    cashier.tap()
    said = cashier.page("Balance")
    assert "¥99,950.00" in " ".join(said), said
    cashier.world.remove()
    cashier.home()
    assert cashier.settled()["debit_amount"] == 5000


def test_transactions_that_need_the_host_are_refused_offline(cashier: Cashier) -> None:
    cashier.go_offline()
    for name, title in (("preauth", "Pre-authorise: amount"), ("qr_show", "Pay by code")):
        cashier.menu(name)
        cashier.type_in(title, "100")
        cashier.page("Only with the host")
        cashier.home()
    for how, reference in (("card", ""), ("code", "633100000000")):
        cashier.refund_of(how, 100)
        cashier.type_in("Reference", reference)
        cashier.page("Only with the host")
        cashier.home()
    cashier.menu("balance")
    cashier.page("Only with the host")
    cashier.home()
    assert not cashier.journal().records


def test_an_unanswered_refund_is_repeated_until_answered(cashier: Cashier) -> None:
    cashier.sell(5000, "jade")
    for _ in range(5):
        cashier.host.mood = "cut"
        cashier.refund_of("card", 700)
        cashier.type_in("Reference", "")
        cashier.supervise()
        cashier.tap("jade")
        cashier.world.wait(
            lambda: cashier.sees("Sent, no answer yet") or cashier.sees("Not taken"), "the end of the refund", 60
        )
        cashier.world.remove()
        cashier.host.mood = "normal"
        if cashier.sees("Sent, no answer yet"):
            break
        cashier.home()  # the connection had ended, and the new handshake was cut: nothing was sent
        cashier.world.wait_screen("Online", 60)
    said = " ".join(cashier.restart())
    assert "no answer yet" in said or "Refunded" in said, said
    cashier.home()
    cashier.world.wait_screen("All sent", 60)
    assert cashier.account() == -4300
    batch = cashier.settled()
    assert (batch["credit_amount"], batch["credit_count"]) == (700, 1)


def test_later_refusals_are_listed_with_what_to_do(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.sell(1250, "jade", "Accepted")
    cashier.sell(990, "amber", "Accepted")
    cashier.host.mood = "decline 51"
    cashier.drain()
    cashier.world.wait_screen("2 refused later")
    cashier.menu("queue")
    assert sum("Refused later" in line for line in cashier.page("Payments to send")) == 2
    cashier.world.press("E")
    said = " ".join(cashier.page("Not paid: ask for another payment"))
    assert "¥12.50" in said and "** 0011" in said, said
    cashier.world.press("E")
    cashier.world.wait_screen("Payments to send")
    cashier.world.press("C")
    cashier.home()
