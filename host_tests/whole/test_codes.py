# SPDX-License-Identifier: MIT
"""Payments by code, scanned, typed or shown: paid, agreed to late, refused, never agreed to."""

from __future__ import annotations

import re

import pytest

from host_tests.whole.cashier import Cashier
from tools.host.page import view


@pytest.mark.parametrize(
    "code, asks", [("134567890123456788", False), ("283456789012345655", True), ("6234567890123456788", False)]
)
def test_the_customers_code(cashier: Cashier, code: str, asks: bool) -> None:
    cashier.begin("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.type_in("The customer's code", code)
    if asks:
        cashier.world.wait_screen("Customer confirms on the phone")
    paper = cashier.end("Paid")
    assert "CODE PAYMENT" in paper and code not in paper, paper
    assert cashier.account("wallet receivable") == 990 and cashier.account() == -990
    assert cashier.settled()["debit_amount"] == 0
    assert re.search(r"By code 1 +￥9.90", cashier.world.receipts[-1].text())


def test_codes_that_are_refused(cashier: Cashier) -> None:
    for code, word in (("9934567890123456", "Code of no wallet"), ("134567890123456751", "Not enough funds")):
        cashier.begin("qr_scan")
        cashier.type_in("Pay by code: amount", "990")
        cashier.type_in("The customer's code", code)
        cashier.end(word)
    assert cashier.account() == 0


def test_a_customer_who_never_agrees_pays_nothing(cashier: Cashier) -> None:
    cashier.host.mood = "never"
    cashier.begin("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.type_in("The customer's code", "134567890123456788")
    cashier.world.wait_screen("Customer confirms on the phone")
    cashier.end("reversal pending")
    cashier.await_reversal()
    assert cashier.account() == 0 and view(cashier.host.ledger, {}, "")["payments"][0]["state"] == "REVERSED"


def test_our_code_is_shown_and_paid(cashier: Cashier) -> None:
    cashier.begin("qr_show")
    cashier.type_in("Pay by code: amount", "990")
    cashier.world.wait_screen("Please scan")
    paper = cashier.end("Paid")
    assert "CODE PAYMENT" in paper
    assert cashier.account("wallet receivable") == 990


def test_a_scanned_code_needs_no_key(cashier: Cashier) -> None:
    cashier.begin("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    cashier.world.wait_screen("The customer's code")
    cashier.world.scan("134567890123456788")
    assert "CODE PAYMENT" in cashier.end("Paid")
    assert cashier.account("wallet receivable") == 990


def test_what_a_scanner_reads_that_is_no_code_is_said(cashier: Cashier) -> None:
    cashier.begin("qr_scan")
    cashier.type_in("Pay by code: amount", "990")
    for nonsense in ("http://example.test/?a=1", "x" * 300, "12345"):
        cashier.world.wait_screen("The customer's code")
        cashier.world.scan(nonsense)
        cashier.page("No payment code")
    cashier.world.scan("134567890123456788")
    cashier.end("Paid")
