# SPDX-License-Identifier: MIT
"""What a broken terminal asked the host and had no answer to: a mark alone moves no money, an operator's word does."""

from __future__ import annotations

import asyncio
import threading

import pytest

from host_tests.harness.host.broken import DEFERRED, REVERSING, YES, journal
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import alarms, books, counts, hand_in, whys
from host_tests.harness.host.terminal import Terminal, element
from tools.host.errors import IssuerFault
from tools.host.outside.issuer import Decision
from tools.host.outside.wallet import Order
from tools.sim.host import Host


def test_an_intent_is_taken_only_if_an_operator_vouches_for_it(host: Host, till: Terminal, card: Card) -> None:
    sold = [till.record(amount, card.tap(amount), kind=0x52) for amount in (100, 200, 400)]
    image = journal(*sold, marks=[(DEFERRED, 1), (REVERSING, 2), (YES, 3)])
    report = hand_in(host, image, status=1)
    assert counts(report) == {"held": 2, "never became a payment": 1} and books(host) == (0, 0, 0)
    assert "without the host" in whys(report)[1] and "approved online" in whys(report)[3]
    assert report["missing"] == [] and host.view()["payments"] == []
    report = hand_in(host, image, "--deferred", "1,2", status=1)
    assert counts(report) == {"taken in": 1, "held": 1, "never became a payment": 1} and books(host) == (100, 0, 0)
    assert till.ask(till.sale(sold[0], deferred=True)).code == "00"  # it is repaired and sends its queue
    assert till.ask(till.reversal(sold[1])).code == "25"
    assert till.ask(till.sale(sold[2], deferred=True)).code == "00"
    assert books(host) == (500, 0, 0) and host.view()["terminals"][0]["gaps"] == []
    assert counts(hand_in(host, image)) == {"there already": 2, "there already, not paid": 1}


def test_what_the_marks_call_not_taken_may_still_come_from_the_terminal(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(100, card.tap(100), kind=0x52)
    assert counts(hand_in(host, journal(record))) == {"never became a payment": 1}  # its marks were taken away
    assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert books(host) == (100, 0, 0)


def test_an_approval_the_terminal_never_heard_is_named_and_reversed_on_request(
    host: Host, till: Terminal, card: Card
) -> None:
    unheard, heard = (till.record(amount, card.tap(amount), kind=0x52) for amount in (100, 200))
    assert [till.ask(till.sale(one)).code for one in (unheard, heard)] == ["00", "00"]
    image = journal(unheard, heard, marks=[(YES, 2)])
    report = hand_in(host, image, status=1)
    assert counts(report) == {"paid here, unanswered at the terminal": 1, "there already": 1}
    assert books(host) == (300, 0, 0)
    assert counts(hand_in(host, image, "--reverse", "1,2")) == {"reversed": 1, "there already": 1}
    assert books(host) == (200, 0, 0) and "reversed by an operator" in alarms(host)
    assert till.ask(till.reversal(unheard)).code == "00"  # it is repaired
    assert books(host) == (200, 0, 0)


def test_a_reversed_code_payment_is_revoked_at_its_wallet_as_soon_as_that_answers(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = b"\xdf\x03\x12134567890123456788"
    record = till.record(990, body, kind=0x52, type=0x74, at_42=b"\3", at_48=bytes(5))
    record.entry = b"\3\x20"
    assert till.ask(till.payment(0x0200, "74", record)).code == "00"
    image = journal(record)
    assert counts(hand_in(host, image, status=1)) == {"paid here, unanswered at the terminal": 1}
    revoke = host.wallet.revoke

    async def silent(tid: str, uid: bytes, merchant: str) -> None:
        raise IssuerFault

    monkeypatch.setattr(host.wallet, "revoke", silent)
    assert counts(hand_in(host, image, "--reverse", "1")) == {"reversed": 1}
    assert books(host) == (0, 0, 0) and host.wallet.paid == {record.uid: 990}
    monkeypatch.setattr(host.wallet, "revoke", revoke)
    host.wait_until_told()
    assert books(host) == (0, 0, 0) and host.wallet.paid == {}


def test_a_code_payment_that_never_arrived_is_not_handed_in(host: Host, till: Terminal) -> None:
    body = b"\xdf\x03\x12134567890123456788"
    record = till.record(990, body, kind=0x52, type=0x74, at_42=b"\3", at_48=bytes(5))
    report = hand_in(host, journal(record, marks=[(YES, 1)]), "--deferred", "1", status=1)
    assert counts(report) == {"held": 1} and host.wallet.paid == {} and host.view()["payments"] == []


def test_a_code_payment_that_is_being_decided_is_not_reversed_under_the_answer(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal lives after all, and asks again about its payment while the operator has it reversed."""
    record = till.record(990, b"\xdf\x03\x12134567890123456788", kind=0x52, type=0x74, at_42=b"\3", at_48=bytes(5))
    record.entry = b"\3\x20"
    host.wallet.mood = "never"
    assert till.ask(till.payment(0x0200, "74", record)).code == "09"
    asked, answered = threading.Event(), threading.Event()

    async def pay(order: Order) -> Decision:
        asked.set()
        while not answered.is_set():
            await asyncio.sleep(0.01)
        return Decision("00")

    monkeypatch.setattr(host.wallet, "pay", pay)
    till.send(till.payment(0x0200, "74", record))
    assert asked.wait(10)
    report = hand_in(host, journal(record), "--reverse", "1", status=1)
    answered.set()
    assert till.receive().code == "00" and counts(report) == {"no answer yet": 1}, report
    assert host.view()["payments"][0]["state"] == "APPROVED" and books(host) == (990, 0, 0)


@pytest.mark.parametrize("marks", [[], [(DEFERRED, 2)]])
def test_a_refund_without_an_answer_is_held_as_the_terminal_would_ask_again(
    host: Host, till: Terminal, card: Card, marks: list[tuple[int, int]]
) -> None:
    """Refunds are never reversed. So one that the terminal could not send is not over, with or without a mark."""
    sale = till.record(1000, card.tap(1000))
    refund = till.record(300, card.tap(300), kind=0x52, type=0x25)
    refund.entry = b"\7\x20"
    report = hand_in(host, journal(sale, refund, marks=marks), status=1)
    assert counts(report) == {"taken in": 1, "held": 1} and report["missing"] == [] and books(host) == (1000, 0, 0)
    report = hand_in(host, journal(sale, refund, marks=marks), "--deferred", "2")
    assert counts(report) == {"there already": 1, "taken in": 1} and books(host) == (700, 0, 0)
    assert till.ask(till.payment(0x0220, "25", refund, de_3=b"\x20\0\0")).code == "00"  # it is repaired
    assert books(host) == (700, 0, 0)


@pytest.mark.parametrize("marks", [[], [(DEFERRED, 1)]])
def test_an_unanswered_question_for_a_balance_needs_nobody(
    host: Host, till: Terminal, card: Card, marks: list[tuple[int, int]]
) -> None:
    """No money moves, so it is over."""
    report = hand_in(host, journal(till.record(0, card.tap(0), kind=0x52, type=0x01), marks=marks))
    assert counts(report) == {"never became a payment": 1}


def test_a_received_and_unanswered_request_waits_for_the_operator(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(100, card.tap(100), kind=0x52)
    host.mood = "decline 91"
    assert till.ask(till.sale(record)).code == "91"
    host.mood = "normal"
    assert counts(hand_in(host, journal(record), status=1)) == {"held": 1}
    assert counts(hand_in(host, journal(record), "--reverse", "1")) == {"reversed": 1}
    assert books(host) == (0, 0, 0) and host.view()["payments"][0]["state"] == "REVERSED"


def test_a_deferred_intent_that_was_received_is_asked_again(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(100, card.tap(100), kind=0x52)
    host.mood = "decline 91"
    assert till.ask(till.sale(record, deferred=True)).code == "91"
    host.mood = "normal"
    assert counts(hand_in(host, journal(record, marks=[(DEFERRED, 1)]))) == {"taken in": 1}
    assert books(host) == (100, 0, 0) and host.view()["payments"][0]["handed_in"] is None  # its terminal sent it


def test_a_tip_waits_for_its_sale(host: Host, till: Terminal, card: Card) -> None:
    sale = till.record(1000, card.tap(1000), kind=0x52)
    tip = till.record(1100, b"\xdf\x02\x10" + sale.uid, type=0x34, at_42=b"\0", at_48=bytes(5), at_54=b"\0\1")
    tip.entry = b"\0\x20"
    report = hand_in(host, journal(sale, tip, marks=[(DEFERRED, 1)]), status=1)
    assert counts(report) == {"held": 2} and "about record 1" in whys(report)[2]
    assert counts(hand_in(host, journal(sale, tip, marks=[(DEFERRED, 1)]), "--deferred", "1")) == {"taken in": 2}
    assert books(host) == (1100, 0, 0)
    original = element(61, sale.batch + sale.stan, 12)
    assert till.ask(till.payment(0x0220, "34", tip, de_61=original)).code == "00"
    assert books(host) == (1100, 0, 0) and not {what for what in alarms(host) if "same" in what}


def test_an_old_page_of_a_settled_payment_is_no_unanswered_one(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(100, card.tap(100), kind=0x52)
    assert till.ask(till.sale(record)).code == "00"
    assert till.ask(till.close(100, 1)).elements[48].hex()[30] == "1"
    report = hand_in(host, journal(record), "--reverse", "1")  # its mark is gone with its sector
    assert counts(report) == {"there already": 1} and books(host) == (100, 0, 0)
