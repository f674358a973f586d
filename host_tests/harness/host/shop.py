# SPDX-License-Identifier: MIT
"""A shop's day at the host, for the books: sales by card and code, a void, a refund, cash; and its batch closed."""

from typing import Any, NamedTuple

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Record, Terminal, element
from tools.host.books import merchants
from tools.host.store.ledger import Ledger

MID = "898000000000001"
SALES, BY_CODE, VOIDED, GIVEN_BACK, CASH = (1250, 800, 3000), 660, 700, 500, 4000
DEBIT, CREDIT = sum(SALES) + VOIDED, VOIDED + GIVEN_BACK  # the totals of the batch: cards alone
TAKEN = sum(SALES) + BY_CODE  # sales by card and code, less voids
RATE = 60  # basis points
FEE = (TAKEN * RATE + 5000) // 10_000
DAY = "2026-11-23"  # of the hosts in these tests


class Day(NamedTuple):
    """The records of the day."""

    sales: list[Record]
    code: Record
    voided: Record
    void: Record
    back: Record


def add_merchant(ledger: Ledger, mid: str = MID, **more: Any) -> None:
    values = {
        "name": "小店 Tea & Co",
        "account": "6222020000001234567",
        "bic": "ICBKCNBJXXX",
        "fee": RATE,
        "currency": "CNY",
    }
    with ledger.write() as db:
        merchants.add(db, mid, "Ms Li", **{**values, **more})


def trade(till: Terminal, card: Card) -> Day:
    """One of everything; each is approved."""
    sales = [till.record(amount, card.tap(amount), kind=0x52) for amount in SALES]
    slip = [_paid(till, record) for record in sales][-1]
    code = till.record(BY_CODE, b"\xdf\x03\x12284673912345678901", kind=0x52, type=0x74, at_42=b"\3", at_48=bytes(5))
    code.entry = b"\3\x20"
    assert till.ask(till.payment(0x0200, "74", code)).code == "00"
    voided = till.record(VOIDED, card.tap(VOIDED), kind=0x52)
    _paid(till, voided)
    naming = {"at_42": b"\0", "at_48": voided.raw[48:53], "at_54": b"\0\1"}
    void = till.record(VOIDED, b"\xdf\x02\x10" + voided.uid, kind=0x52, type=0x23, **naming)
    named = {"de_22": b"\0\x20", "de_61": element(61, voided.batch + voided.stan, 12)}
    assert till.ask(till.payment(0x0200, "23", void, de_3=b"\x20\0\0", **named)).code == "00"
    about = b"\xdf\x04\x06" + bytes.fromhex(slip.decode())
    back = till.record(GIVEN_BACK, card.tap(GIVEN_BACK) + about, kind=0x52, type=0x25)
    assert till.ask(till.payment(0x0220, "25", back, de_3=b"\x20\0\0")).code == "00"
    assert till.ask(till.cash(till.record(CASH, type=0x71))).code == "00"
    return Day(sales, code, voided, void, back)


def close(till: Terminal) -> None:
    """Close the batch of such a day."""
    form = bytes.fromhex(f"{DEBIT:012}{len(SALES) + 1:03}{CREDIT:012}002" + "0" * 32)
    totals = {48: element(48, form, 62), 49: b"156"}
    answer = till.ask(till.management(0x0500, "201", bytes(15) + bytes((till.batch,)), totals))
    assert answer.elements[48].hex()[30] == "1", answer.text
    till.batch += 1


def _paid(till: Terminal, record: Record) -> bytes:
    """Send a sale; its reference."""
    answer = till.ask(till.sale(record))
    assert answer.code == "00", answer.text
    return answer.elements[37]
