# SPDX-License-Identifier: MIT
"""Voids of payments of the open batch: selected, confirmed, answered by the host, and counted in the batch."""

from __future__ import annotations

import sqlite3

from host_tests.harness.whole.cashier import Cashier
from tools.panel import terminal_totals

CODE = "246813"


def merchant(cashier: Cashier) -> int:
    """What the host owes the merchant, minor units."""
    with sqlite3.connect(cashier.host.ledger.path) as db:
        row = db.execute("SELECT coalesce(sum(amount), 0) FROM entry WHERE account = 'terminal clearing'").fetchone()
    return -row[0]


def choose(cashier: Cashier, down: int = 0) -> None:
    """Select the payment `down` rows below the first, up to the question."""
    cashier.menu("void")
    cashier.world.wait_screen("Void")
    cashier.world.press("D" * down + "E")
    cashier.world.wait_screen("Void this payment?")


def agree(cashier: Cashier) -> None:
    cashier.world.press("E")
    cashier.world.wait_screen("upervisor")
    cashier.world.press(CODE + "E")


def test_a_sale_is_voided_and_the_batch_balances(cashier: Cashier) -> None:
    cashier.sell(1250, "jade")
    cashier.sell(3000, "amber")
    choose(cashier, down=1)
    assert "12.50" in " ".join(cashier.world.screen_text())
    agree(cashier)
    cashier.page("Voided")
    cashier.home()
    paper = cashier.world.receipts[-1].text()
    sold = min(cashier.journal().records.values(), key=lambda record: record.sequence)
    assert f"Original trace            {sold.stan:06}" in paper, paper
    assert "VOID" in paper and "-￥12.50" in paper and "476173******0011" in paper
    assert merchant(cashier) == 3000
    seen = cashier.host.view()
    assert [one["card_amount"] for one in seen["batches"]] == [3000]
    assert {(one["kind"], one["amount"]) for one in seen["payments"]} == {
        ("card", 1250),
        ("card", 3000),
        ("void", -1250),
    }
    assert terminal_totals.read(cashier.world.home)["settled"]["sum"] == 3000
    said = " ".join(cashier.settle())
    assert "alanced" in said and "Voided: 1, ¥12.50" in said, said
    with sqlite3.connect(cashier.host.ledger.path) as db:
        row = db.execute("SELECT debit_amount, debit_count, credit_amount, credit_count FROM batch").fetchone()
    assert row == (4250, 2, 1250, 1)
    cashier.home()
    for amount, word in (("1250", "Voided"), ("3000", "Approved")):  # of the batch that is closed now
        cashier.menu("find_trace")
        stan = next(one.stan for one in cashier.journal().records.values() if one.amount == int(amount))
        cashier.type_in("Up to six digits", str(stan))
        assert word in " ".join(cashier.page("Paid with")), word
        cashier.world.press("CCCC")
        cashier.home()


def test_the_receipt_of_a_voided_payment_says_so_when_it_is_printed_again(cashier: Cashier) -> None:
    cashier.sell(1250, "jade")
    choose(cashier)
    agree(cashier)
    cashier.page("Voided")
    cashier.home()
    sold = min(cashier.journal().records.values(), key=lambda record: record.sequence)
    cashier.menu("find_trace")
    cashier.type_in("Up to six digits", str(sold.stan))
    cashier.page("Paid with")
    cashier.world.press("E")
    cashier.world.wait(lambda: "DUPLICATE" in cashier.world.receipts[-1].text(), "the receipt")
    paper = cashier.world.receipts[-1].text()
    assert "VOIDED" in paper and "APPROVED" not in paper and "￥12.50" in paper


def test_a_voided_payment_cannot_be_voided_again(cashier: Cashier) -> None:
    cashier.sell(1250, "jade")
    choose(cashier)
    agree(cashier)
    cashier.page("Voided")
    cashier.home()
    cashier.menu("void")
    cashier.world.wait_screen("Nothing to void in this batch")


def test_a_void_needs_a_supervisor_and_the_host(cashier: Cashier) -> None:
    cashier.sell(1250, "jade")
    choose(cashier)
    cashier.world.press("E")
    cashier.world.wait_screen("upervisor")
    cashier.world.press("C")
    cashier.world.wait_screen("Not taken")
    cashier.home()
    cashier.go_offline()
    cashier.home()
    cashier.menu("void")
    cashier.page("E Open")
    cashier.world.press("E")
    cashier.world.wait_screen("Only with the host")
    assert merchant(cashier) == 1250 and len(cashier.journal().records) == 1


def test_an_unanswered_void_is_reversed_and_the_sale_can_be_voided_again(cashier: Cashier) -> None:
    cashier.sell(1250, "jade")
    choose(cashier)
    cashier.host.mood = "mute"
    agree(cashier)
    cashier.world.wait_screen("reversal pending", 90)
    cashier.host.mood = "normal"
    cashier.home()
    cashier.await_reversal()
    assert merchant(cashier) == 1250
    choose(cashier)  # it can still be voided
    agree(cashier)
    cashier.page("Voided")
    assert merchant(cashier) == 0


def test_a_void_cut_by_a_power_loss_is_reversed_and_the_sale_stays(cashier: Cashier) -> None:
    cashier.sell(1250, "jade")
    choose(cashier)
    cashier.host.mood = "mute"
    agree(cashier)
    cashier.world.wait_screen("Authorising", 30)
    said = " ".join(cashier.restart())
    assert "reversal pending" in said, said
    cashier.host.mood = "normal"
    cashier.home()
    cashier.await_reversal()
    assert merchant(cashier) == 1250
