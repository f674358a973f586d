# SPDX-License-Identifier: MIT
"""Batch close (0500): balanced, not balanced, what prevents it, and batch numbers that are never reopened."""

import os

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Answer, Terminal, element
from tools.host.outside.issuer import Decision, Payment
from tools.sim.host import Host


def result(answer: Answer) -> tuple[str, str]:
    form = answer.elements[48].hex()
    return form[30], form[:30]


def sell(till: Terminal, card: Card, *amounts: int) -> None:
    for amount in amounts:
        assert till.ask(till.sale(till.record(amount, card.tap(amount)), deferred=True)).code == "00"


def test_balanced_batch_closes_and_the_next_one_opens(host: Host, till: Terminal, card: Card) -> None:
    sell(till, card, 1250, 800)
    till.ask(till.cash(till.record(5000, type=0x71)))
    answer = till.ask(till.close(2050, 2))
    assert answer.mti == "0510" and 39 not in answer.elements
    assert set(answer.elements) == {11, 12, 13, 41, 42, 48, 49, 53, 60, 63, 64}
    assert result(answer) == ("1", "000000002050002000000000000000")
    assert answer.elements[48].hex()[61] == "1"
    batch = host.view()["batches"][0]
    assert (batch["state"], batch["card_amount"], batch["cash_amount"]) == ("closed", 2050, 5000)
    assert till.ask(till.handshake()).elements[60].hex() == "000000029000"
    assert all(payment["closed"] for payment in host.view()["payments"])


def test_repeated_close_gets_the_same_answer(till: Terminal, card: Card) -> None:
    sell(till, card, 1250)
    uid, stan = os.urandom(16), till.next_stan()
    first, second = till.ask(till.close(1250, 1, uid, stan)), till.ask(till.close(1250, 1, uid, stan))
    assert result(first)[0] == "1" and first.content == second.content


def test_different_totals_do_not_close_the_batch(host: Host, till: Terminal, card: Card) -> None:
    sell(till, card, 1250)
    for amount, count in ((1251, 1), (1250, 2), (0, 0)):
        answer = till.ask(till.close(amount, count))
        assert result(answer) == ("2", "000000001250001000000000000000")
    assert answer.text == "Host has 1 for 12.50"
    assert host.view()["batches"][0]["state"] == "open"
    assert result(till.ask(till.close(1250, 1)))[0] == "1"


def test_reversed_and_declined_payments_are_not_in_the_totals(host: Host, till: Terminal, card: Card) -> None:
    sell(till, card, 1250)
    reversed_one = till.record(300, card.tap(300), kind=0x52)
    till.ask(till.sale(reversed_one))
    till.ask(till.reversal(reversed_one))
    host.mood = "decline 51"
    assert till.ask(till.sale(till.record(400, card.tap(400)))).code == "51"
    host.mood = "normal"
    assert result(till.ask(till.close(1250, 1)))[0] == "1"


def test_a_missing_record_keeps_the_batch_open(till: Terminal, card: Card) -> None:
    missing = till.record(700, card.tap(700))
    sell(till, card, 1250)
    answer = till.ask(till.close(1250, 1))
    assert result(answer)[0] == "2" and answer.text == "Record 1 missing"
    assert till.ask(till.sale(missing, deferred=True)).code == "00"
    assert result(till.ask(till.close(1950, 2)))[0] == "1"


def test_a_missing_record_known_from_the_handshake_keeps_the_batch_open(till: Terminal, card: Card) -> None:
    sell(till, card, 1250)
    till.record(700, card.tap(700))
    till.ask(till.handshake())
    answer = till.ask(till.close(1250, 1))
    assert result(answer)[0] == "2" and answer.text == "Record 2 missing"


def test_a_payment_without_a_final_answer_keeps_the_batch_open(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "decline 91"
    record = till.record(700, card.tap(700))
    till.ask(till.sale(record, deferred=True))
    host.mood = "normal"
    answer = till.ask(till.close(0, 0))
    assert result(answer)[0] == "2" and answer.text == "1 payments without final answer"  # the terminal must upload
    till.ask(till.sale(record, deferred=True))
    assert result(till.ask(till.close(700, 1)))[0] == "1"


def test_a_closed_batch_number_is_never_reopened(host: Host, till: Terminal, card: Card) -> None:
    sell(till, card, 1250)
    till.ask(till.close(1250, 1))
    answer = till.ask(till.close(1250, 2))
    assert result(answer)[0] == "3" and answer.text == "Batch 000001 is closed already"
    late = till.record(600, card.tap(600))
    assert till.ask(till.sale(late, deferred=True)).code == "00"
    assert [payment["batch"] for payment in host.view()["payments"]] == ["000002", "000001"]


def test_a_close_whose_answer_was_lost_is_confirmed_when_a_new_message_repeats_it(
    host: Host, till: Terminal, card: Card
) -> None:
    sell(till, card, 1250)
    first, second = till.ask(till.close(1250, 1)), till.ask(till.close(1250, 1))
    assert result(first) == result(second) == ("1", "000000001250001000000000000000")
    assert [batch["number"] for batch in host.view()["batches"]] == ["000001"]


def test_foreign_totals_do_not_balance(till: Terminal) -> None:
    frame = till.close(0, 0)
    foreign = bytes.fromhex("0" * 31 + f"{100:012}001" + "0" * 16)
    answer = till.ask(till.management(0x0500, "201", frame[-24:-8], {48: element(48, foreign, 62), 49: b"156"}))
    assert answer.elements[48].hex()[30] == answer.elements[48].hex()[61] == "2"


def test_empty_batch_closes(till: Terminal) -> None:
    assert result(till.ask(till.close(0, 0)))[0] == "1"


def test_totals_that_the_message_has_no_room_for_do_not_cut_the_line(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two payments of the largest amount: DE 48 has twelve digits for their sum."""

    async def yes(payment: Payment) -> Decision:
        return Decision("00")

    monkeypatch.setattr(host.simulator, "decide", yes)
    most = 999_999_999_999
    for _ in range(2):
        assert till.ask(till.sale(till.record(most, card.tap(most)), deferred=True)).code == "00"
    answer = till.ask(till.close(1, 1))
    assert answer.elements[48].hex()[30] == "2"
