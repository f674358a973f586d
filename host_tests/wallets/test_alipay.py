# SPDX-License-Identifier: MIT
"""Alipay: each call means what Alipay's documentation says, and amounts are exact."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from host_tests.harness.alipay import AMOUNT, CODE, Shop, open_shop
from tools.host.acquirers.alipay import amounts, outcomes
from tools.host.acquirers.alipay import undo as undoing
from tools.host.acquirers.provider import DEADLINE, NO, UNKNOWN, WAITING, YES, Outcome, Words
from tools.host.errors import ProviderFault
from tools.host.tables import coverage
from tools.host.wire import answers

MINUTE, DAY = 60_000, 24 * 3600 * 1000
TABLES = (outcomes.PAY, outcomes.QUERY, outcomes.CANCEL, outcomes.REFUND, outcomes.REFUND_QUERY)


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with open_shop(monkeypatch) as shop:
        yield shop


def calls(shop: Shop) -> list[str]:
    return [call for call, _ in shop.gateway.calls]


def paid(shop: Shop, number: int = 1, code: str = CODE) -> Outcome:
    return shop.run(shop.provider.pay(shop.order(number, code)))


@given(st.integers(0, amounts.MOST))
def test_an_amount_comes_back_as_it_went(fen: int) -> None:
    assert amounts.fen(amounts.yuan(fen)) == fen and amounts.fen("-" + amounts.yuan(fen)) == -fen


def test_an_amount_is_understood_exactly_or_not_at_all() -> None:
    understood = {"0.1": 10, "1": 100, "0.01": 1, "12.50": 1250, "100000000.00": 10_000_000_000, "-3.5": -350, "0": 0}
    assert {text: amounts.fen(text) for text in understood} == understood
    bad = (
        "1e2",
        "0.001",
        ".5",
        "1.",
        "+1.00",
        " 1.00",
        "1.00 ",
        "1,000.00",
        "01.00",
        "--1",
        "",
        "１.00",
        "1.00\n",
        "NaN",
    )
    for text in (*bad, 12.5, 12, None, ["1.00"], "9" * 12):
        with pytest.raises(ProviderFault):
            amounts.fen(text)


def test_a_customers_code_is_paid_once_however_often_it_is_asked(shop: Shop) -> None:
    first = paid(shop)
    assert (first.answer, first.their_code) == (YES, "10000") and first.their_id
    again = paid(shop)
    assert (again.answer, again.their_code) == (UNKNOWN, "ACQ.TRADE_HAS_SUCCESS")
    asked = shop.run(shop.provider.query(shop.order()))
    assert (asked.answer, asked.their_id) == (YES, first.their_id)
    assert shop.books.left(shop.order().reference) == AMOUNT and len(shop.books.trades) == 1


@pytest.mark.parametrize("code", [CODE, ""])
def test_an_order_number_that_is_used_for_something_else_is_asked_about(shop: Shop, code: str) -> None:
    """Nothing is concluded from it, and the query sees that the amount is another."""
    paid(shop)
    said = shop.run(shop.provider.pay(shop.order(code=code, amount=AMOUNT + 1)))
    assert (said.answer, said.their_code) == (UNKNOWN, "ACQ.CONTEXT_INCONSISTENT")
    with pytest.raises(ProviderFault, match="another amount"):
        shop.run(shop.provider.query(shop.order(code=code, amount=AMOUNT + 1)))
    assert shop.run(shop.provider.undo(shop.order())).answer == YES and shop.books.balance() == 0
    closed = shop.run(shop.provider.pay(shop.order()))
    assert (closed.answer, closed.their_code) == (NO, outcomes.HAS_CLOSE)


def test_a_customer_who_confirms_is_waited_for(shop: Shop) -> None:
    shop.books.customer = "confirms"
    assert (paid(shop).answer, paid(shop).words) == (WAITING, outcomes.CONFIRM)
    assert shop.run(shop.provider.query(shop.order())).answer == WAITING
    assert shop.books.pay_now(shop.order().reference)
    assert shop.run(shop.provider.query(shop.order())).answer == YES


@pytest.mark.parametrize("sub", sorted(outcomes.PAY))
@pytest.mark.parametrize("code", [CODE, ""])
def test_a_refusal_is_no_only_if_alipay_says_that_it_is_final(shop: Shop, sub: str, code: str) -> None:
    shop.books.customer = sub
    said, row = paid(shop, code=code), outcomes.PAY[sub]
    assert (said.answer, said.their_code) == (row.answer, sub) and said.words.zh == row.zh
    if said.answer == NO:
        assert said.code == row.code and shop.run(shop.provider.query(shop.order())).missing


def test_a_code_that_is_in_no_table_is_unknown(shop: Shop) -> None:
    shop.books.customer = "ACQ.SOMETHING_NEW"
    assert (paid(shop).answer, paid(shop).their_code) == (UNKNOWN, "ACQ.SOMETHING_NEW")


def test_every_word_is_short_and_can_be_shown_and_every_no_has_a_code() -> None:
    rows = [(Words(row.en, row.zh), row) for table in TABLES for row in table.values()]
    own = [(value, None) for value in vars(outcomes).values() if isinstance(value, Words)]
    for words, row in (*rows, *own):
        assert words.en and words.zh and len(words.zh.encode()) <= 60 and len(words.en) <= 60, words
        assert not set(words.en + words.zh) - coverage.shown(), words
        if row:
            assert row.source and (row.answer != NO or row.code not in answers.YES | answers.NOT_FINAL | {""}), row
    assert len(rows) > 60 and len(own) > 8


def test_what_is_not_in_yuan_is_not_asked(shop: Shop) -> None:
    for wrong in ({"currency": "USD"}, {"amount": 0}, {"amount": amounts.MOST + 1}):
        assert shop.run(shop.provider.pay(shop.order(**wrong))).answer == NO
    assert calls(shop) == []


def test_a_code_of_ours_is_shown_scanned_and_paid(shop: Shop) -> None:
    shop.books.customer = "confirms"
    first = paid(shop, code="")
    assert first.answer == WAITING and first.shown.startswith(b"https://qr.alipay.com/")
    order = shop.order(code="", shown=first.shown)
    assert shop.run(shop.provider.query(order)).words == outcomes.SCAN  # there is no trade yet
    assert shop.books.scan(order.reference)
    assert shop.run(shop.provider.query(order)).words == outcomes.CONFIRM
    assert shop.books.pay_now(order.reference)
    assert shop.run(shop.provider.query(order)).answer == YES


def test_an_undo_closes_what_waits_and_gives_back_what_is_paid(shop: Shop) -> None:
    shop.books.customer = "confirms"
    paid(shop, 1)
    shop.books.customer = "pays"
    paid(shop, 2, CODE[:-1] + "7")
    for number, action in ((1, "close"), (2, "refund")):
        order = shop.order(number)
        said = shop.run(shop.provider.undo(order))
        assert (said.answer, said.their_code) == (YES, action)
        assert not shop.books.pay_now(order.reference) and shop.books.left(order.reference) == 0
        again = shop.run(shop.provider.undo(order))  # its answer was lost, say: there is no action any more
        assert (again.answer, again.their_code, again.missing) == (YES, "TRADE_CLOSED", False)
        assert shop.run(shop.provider.query(order)).answer == NO
    assert shop.books.balance() == 0


def test_an_undo_of_what_never_arrived_says_so(shop: Shop) -> None:
    for code in (CODE, ""):  # nobody saw the code that was to be shown: its answer never came
        said = shop.run(shop.provider.undo(shop.order(code=code)))
        assert (said.answer, said.missing) == (YES, True)
        assert shop.run(shop.provider.query(shop.order(code=code))).missing


def test_a_shown_code_is_undone_only_when_nobody_can_scan_it_any_more(shop: Shop) -> None:
    """A cancel of a trade that does not exist yet keeps nobody from scanning the code."""
    shop.books.customer = "confirms"
    order = shop.order(code="")
    order = replace(order, shown=shop.run(shop.provider.pay(order)).shown)
    waits = 0
    while (said := shop.run(shop.provider.undo(order))).answer == WAITING:
        waits += 1
        assert said.again > 0 and waits < 100
        shop.clock[0] += int(said.again * 1000)
    assert said.answer == YES and not said.missing and waits > 3
    assert not shop.books.scan(order.reference) and shop.books.left(order.reference) == 0
    passed = (shop.clock[0] / 1000) - order.asked_at.timestamp()
    assert passed > undoing.QR_MINUTES * 60 + DEADLINE


@pytest.mark.parametrize("pays", [True, False])
def test_who_scans_while_a_shown_code_is_being_undone_gets_it_back(shop: Shop, pays: bool) -> None:
    shop.books.customer = "confirms"
    order = shop.order(code="")
    order = replace(order, shown=shop.run(shop.provider.pay(order)).shown)
    assert shop.run(shop.provider.undo(order)).answer == WAITING
    assert shop.books.scan(order.reference)
    assert not pays or shop.books.pay_now(order.reference)
    said = shop.run(shop.provider.undo(order))
    assert (said.answer, said.their_code) == (YES, "refund" if pays else "close")
    assert shop.books.left(order.reference) == 0 and not shop.books.pay_now(order.reference)


@pytest.mark.parametrize("moved", [True, False])
def test_after_a_day_an_undo_is_a_refund(shop: Shop, moved: bool) -> None:
    order = shop.order()
    paid(shop)
    shop.clock[0] += DAY + (1 if moved else -5 * MINUTE)  # by our clock, or by Alipay's alone
    shop.books.trades[order.reference].born -= 10 * MINUTE
    said = shop.run(shop.provider.undo(order))
    assert (said.answer, said.their_code) == (YES, "refund")
    assert ("cancel" in calls(shop)) != moved and shop.books.left(order.reference) == 0
    assert shop.run(shop.provider.undo(order)).their_code == "TRADE_CLOSED"
    assert list(shop.books.trades[order.reference].refunds) == [order.reference + undoing.SUFFIX]


def test_an_undo_that_waits_for_the_shops_money_is_no_no(shop: Shop) -> None:
    order = shop.order()
    paid(shop)
    shop.books.is_broke = True
    late = replace(order, asked_at=order.asked_at.replace(year=2020))
    for each in (order, late):
        said = shop.run(shop.provider.undo(each))
        assert (said.answer, said.words.zh) == (WAITING, "支付宝余额不足，请充值")
    shop.books.is_broke = False
    assert shop.run(shop.provider.undo(order)).answer == YES


@pytest.mark.parametrize("customer", ["pays", "confirms"])
def test_a_cancel_that_asks_to_be_repeated_is_repeated(shop: Shop, customer: str) -> None:
    shop.books.customer, shop.books.cancels_later = customer, 2
    paid(shop)
    said = [shop.run(shop.provider.undo(shop.order())).answer for _ in range(3)]
    assert said == [WAITING, WAITING, YES] and calls(shop) == ["pay", "cancel", "cancel", "cancel"]
    assert shop.books.left(shop.order().reference) == 0


def test_what_is_finished_or_partly_given_back_is_undone_by_hand(shop: Shop) -> None:
    order = shop.order()
    paid(shop)
    assert shop.run(shop.provider.refund(shop.back(order, amount=250))).answer == YES
    assert shop.run(shop.provider.undo(order)).answer == NO  # the rest is not guessed
    shop.books.trades[order.reference].state = "TRADE_FINISHED"
    assert shop.run(shop.provider.undo(order)).their_code == "ACQ.TRADE_HAS_FINISHED"
    late = replace(order, asked_at=order.asked_at.replace(year=2020))
    assert shop.run(shop.provider.undo(late)).their_code == "TRADE_FINISHED"
    assert shop.books.left(order.reference) == AMOUNT - 250


def test_refunds_in_parts_move_money_once_each(shop: Shop) -> None:
    order = shop.order(their_id=paid(shop).their_id)
    parts = [shop.back(order, 9, 250), shop.back(order, 10, 1000)]
    assert [shop.run(shop.provider.refund(each)).answer for each in parts] == [YES, YES]
    assert [shop.run(shop.provider.refund(each)).answer for each in parts] == [
        WAITING,
        WAITING,
    ]  # it moved nothing more
    shop.books.knows_refunds_of_closed = False
    assert [shop.run(shop.provider.refund(each)).answer for each in parts] == [YES, YES]
    assert [shop.run(shop.provider.query_refund(each)).answer for each in parts] == [YES, YES]
    assert shop.books.left(order.reference) == 0 and shop.books.balance() == 0
    more = shop.run(shop.provider.refund(shop.back(order, 11, 1)))
    assert (more.answer, more.their_code) == (NO, "ACQ.TRADE_HAS_CLOSE")


def test_a_refund_that_is_pending_is_asked_about(shop: Shop) -> None:
    paid(shop)
    shop.books.refunds_wait = True
    back = shop.back(shop.order(), amount=200)
    first = shop.run(shop.provider.refund(back))
    assert first.answer == WAITING and first.again >= 10
    assert shop.run(shop.provider.query_refund(back)).missing
    shop.books.settle_refunds()
    assert shop.run(shop.provider.query_refund(back)).answer == YES
    assert shop.books.left(shop.order().reference) == AMOUNT - 200


def test_a_refund_that_is_refused(shop: Shop) -> None:
    order = shop.order()
    assert shop.run(shop.provider.refund(shop.back(order))).answer == UNKNOWN  # no such trade: nothing is concluded
    paid(shop)
    too_much = shop.run(shop.provider.refund(shop.back(order, amount=AMOUNT + 1)))
    assert (too_much.answer, too_much.code) == (NO, answers.WRONG_AMOUNT)
    shop.books.is_broke = True
    assert shop.run(shop.provider.refund(shop.back(order))).code == answers.NO_FUNDS
    assert shop.books.left(order.reference) == AMOUNT


def test_the_customers_code_and_the_keys_reach_no_log_no_address_and_no_repr(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    seen: list[str] = []
    fetch = shop.provider._gateway._fetch

    async def watch(verb: str, url: str, most: int, address: object = None, form: object = None) -> bytes:
        seen.append(f"{url}{address}")
        return await fetch(verb, url, most, address, form)  # type: ignore[arg-type]

    monkeypatch.setattr(shop.provider._gateway, "_fetch", watch)
    shop.gateway.moods["pay"] = ["", "html", "reset_after", "bad_signature"]
    paid(shop)
    for _ in range(3):
        with pytest.raises(ProviderFault) as fault:
            paid(shop, 2, CODE[:-1] + "5")
        seen.append(repr(fault.value))
    text = caplog.text + "".join(seen) + repr(shop.provider) + repr(vars(shop.provider)) + repr(shop.order())
    assert CODE not in text and CODE[:-1] not in text and "PRIVATE" not in text and len(seen) == 7
    assert "sign=" not in caplog.text


def test_each_event_loop_has_its_own_connections(shop: Shop) -> None:
    for number in (1, 2, 3):
        order = shop.order(number, f"{CODE[:-1]}{number}")
        assert asyncio.run(shop.provider.pay(order)).answer == YES


def test_many_at_once_do_not_mix_their_answers(shop: Shop) -> None:
    async def all_of_them() -> list[Outcome]:
        work = [shop.provider.pay(shop.order(n, str(CODE[:12]) + f"{n:06}", amount=n)) for n in range(1, 31)]
        return await asyncio.gather(*work)

    said = shop.run(all_of_them())
    assert {each.answer for each in said} == {YES} and len({each.their_id for each in said}) == 30
    assert sum(trade.total for trade in shop.books.trades.values()) == sum(range(1, 31))
