# SPDX-License-Identifier: MIT
"""Alipay: whatever comes instead of an answer is no answer. Every call, under every mood of the simulated gateway."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

import pytest

from host_tests.harness.alipay import AMOUNT, CODE, Shop, open_shop
from tools.host.acquirers.alipay import gateway as transport
from tools.host.acquirers.alipay import provider as calls
from tools.host.acquirers.provider import UNKNOWN, WAITING, YES, Order
from tools.host.errors import ProviderFault
from tools.sim.alipay import AFTER, BEFORE, FALSE

FINAL = frozenset(("yes", "no"))
DAY = datetime.date(2027, 1, 15)  # of the clock of the tests
CALLS = ("pay", "precreate", "query", "cancel", "refund", "refund_query", "bill")
CUT_OFF = tuple(mood for mood in (*BEFORE, *AFTER) if not mood.startswith(("busy", "too_often")))
ABOUT = {  # moods whose lie a call can see: what its answer says about itself
    "wrong_amount": ("pay", "query", "refund", "refund_query"),
    "other_order": ("pay", "precreate", "query", "cancel", "refund", "refund_query"),
    "other_trade": ("query", "refund", "refund_query", "pay"),
    "wrong_type": ("pay", "precreate", "query", "cancel", "refund", "refund_query"),
}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with open_shop(monkeypatch) as shop:
        yield shop


def ready(shop: Shop, call: str) -> Callable[[], Awaitable[object]]:
    """A call that would succeed, and what came before it."""
    provider = shop.provider
    if call == "precreate":
        return lambda: provider.pay(shop.order(code=""))
    order = shop.order()
    if call == "pay":  # repeated while the customer confirms, so that the number of the trade is known
        shop.books.customer = "confirms"
        order = replace(order, their_id=shop.run(provider.pay(order)).their_id)
        return lambda: provider.pay(order)
    order = replace(order, their_id=shop.run(provider.pay(order)).their_id)
    refund = shop.back(order, amount=250)
    if call == "refund_query":
        shop.run(provider.refund(refund))
        return lambda: provider.query_refund(refund)
    return {
        "query": lambda: provider.query(order),
        "cancel": lambda: provider.undo(order),
        "refund": lambda: provider.refund(refund),
        "bill": lambda: provider.bill(DAY),
    }[call]


def outcome(shop: Shop, call: str, mood: str) -> str:
    """What a call comes to: fault, or the answer."""
    work = ready(shop, call)
    shop.gateway.moods[call].append(mood)

    async def go() -> object:
        return await work()

    try:
        said = shop.run(go())
    except ProviderFault as fault:
        assert CODE not in str(fault) and len(str(fault)) < 200
        return "fault"
    return getattr(said, "answer", "bill")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("mood", CUT_OFF)
def test_no_answer_is_a_fault(shop: Shop, call: str, mood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mood.startswith("hang"):
        true = ready

        def impatient(shop: Shop, call: str) -> Callable[[], Awaitable[object]]:
            work = true(shop, call)
            monkeypatch.setattr(calls, "LIMIT", 0.2)  # what is prepared has the time it needs
            return work

        monkeypatch.setitem(globals(), "ready", impatient)
    assert outcome(shop, call, mood) == "fault"
    assert shop.gateway.elsewhere == 0


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("mood", ["busy", "busy_after", "too_often"])
def test_a_busy_gateway_says_nothing_about_the_order(shop: Shop, call: str, mood: str) -> None:
    assert outcome(shop, call, mood) == ("fault" if call == "bill" else UNKNOWN)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("mood", FALSE)
def test_what_alipay_did_not_say_about_this_order_is_a_fault(shop: Shop, call: str, mood: str) -> None:
    said = outcome(shop, call, mood)
    if call in ABOUT.get(mood, CALLS):
        # A customer who has to confirm is no final word: the amount is checked when the payment is.
        assert said == "fault" or (call, mood, said) == ("pay", "wrong_amount", WAITING)
    else:
        assert said not in ("no", "unknown")  # the answer is right all the same


def test_a_paid_answer_with_another_amount_is_a_fault(shop: Shop) -> None:
    shop.gateway.moods["pay"].append("wrong_amount")
    with pytest.raises(ProviderFault, match="amount"):
        shop.run(shop.provider.pay(shop.order()))
    with pytest.raises(ProviderFault, match="amount"):
        shop.run(shop.provider.query(shop.order(amount=AMOUNT - 1)))
    assert shop.run(shop.provider.query(shop.order())).answer == YES


def test_a_refusal_of_another_order_is_no_refusal_of_this_one(shop: Shop) -> None:
    shop.books.customer = "ACQ.BUYER_BALANCE_NOT_ENOUGH"
    shop.gateway.moods["pay"].append("other_order")
    with pytest.raises(ProviderFault, match="another order"):
        shop.run(shop.provider.pay(shop.order()))


@pytest.mark.parametrize("field", ["out_trade_no", "out_request_no"])
def test_an_answer_about_another_refund_is_a_fault(shop: Shop, field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.run(shop.provider.pay(shop.order()))
    back = shop.back(shop.order(), amount=250)
    shop.run(shop.provider.refund(back))
    true = shop.books.refund_query
    monkeypatch.setattr(shop.books, "refund_query", lambda content: true(content) | {field: "0" * 32})
    with pytest.raises(ProviderFault, match="another"):
        shop.run(shop.provider.query_refund(back))


@pytest.mark.parametrize(
    "node",
    [
        {"code": "10000", "msg": "Success", "trade_status": "TRADE_SUCCESS"},
        {"code": 10000, "msg": "Success"},
        {"code": ["10000"], "sub_code": {}},
        {"code": None},
        {"code": "10000", "total_amount": "1e2", "trade_status": "TRADE_SUCCESS"},
        {"code": "10000", "total_amount": "12.5000", "trade_status": "TRADE_SUCCESS"},
        {"code": "10000", "total_amount": "12.50", "trade_status": "TRADE_NEW"},
        {"code": "10000", "total_amount": "12.50", "trade_status": "TRADE_SUCCESS", "pay_currency": "USD"},
        {"code": "10000", "total_amount": "12.50", "trade_status": "TRADE_SUCCESS", "trade_no": "a b\n"},
        {"code": "20001", "sub_code": "aop.invalid-auth-token"},
        {"code": "40006", "sub_code": "isv.insufficient-isv-permissions"},
    ],
)
def test_a_signed_answer_that_makes_no_sense_is_a_fault(
    shop: Shop, node: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    number = {} if node.get("total_amount") is None else {"out_trade_no": shop.order().reference}
    monkeypatch.setattr(shop.books, "query", lambda content: node | number)
    with pytest.raises(ProviderFault):
        shop.run(shop.provider.query(shop.order()))


def test_an_amount_that_comes_as_a_number_is_read_as_it_is_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    order = shop.order()
    shop.run(shop.provider.pay(order))
    true = shop.books.query
    monkeypatch.setattr(shop.books, "query", lambda content: true(content) | {"total_amount": 12.5})
    assert shop.run(shop.provider.query(order)).answer == YES


def test_braces_in_a_text_do_not_hide_where_the_signed_part_ends(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    true = shop.books.pay
    monkeypatch.setattr(shop.books, "pay", lambda content: true(content) | {"store_name": 'a}"b{{ \\ 中'})
    assert shop.run(shop.provider.pay(shop.order())).answer == YES


@pytest.mark.parametrize("call", CALLS)
def test_the_signed_part_is_found_wherever_it_stands(shop: Shop, call: str) -> None:
    assert outcome(shop, call, "sign_first") in ("yes", "waiting", "bill")


def test_a_key_or_a_clock_that_is_wrong_is_named(shop: Shop) -> None:
    shop.gateway.skew = 3600
    with pytest.raises(ProviderFault, match="40002 isv.invalid-timestamp"):
        shop.run(shop.provider.pay(shop.order()))
    shop.gateway.skew, shop.gateway.app_key = 0, shop.gateway.key.public_key()
    with pytest.raises(ProviderFault, match="40002 isv.invalid-signature"):
        shop.run(shop.provider.pay(shop.order()))
    shop.gateway.app_id = "2021000000000002"
    with pytest.raises(ProviderFault, match="40002 isv.invalid-app-id"):
        shop.run(shop.provider.pay(shop.order()))
    assert shop.books.trades == {}


def test_a_connection_that_alipay_closed_meanwhile_costs_nothing_but_a_query(shop: Shop) -> None:
    assert shop.run(shop.provider.pay(shop.order())).answer == YES
    shop.gateway.moods["query"] = ["reset_before"]
    with pytest.raises(ProviderFault):
        shop.run(shop.provider.query(shop.order()))
    assert shop.run(shop.provider.query(shop.order())).answer == YES


def test_no_more_is_read_than_the_limit(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER", 100)
    with pytest.raises(ProviderFault, match="too long"):
        shop.run(shop.provider.pay(shop.order()))


def test_a_server_that_is_not_there_is_a_fault(shop: Shop) -> None:
    async def all_of_them() -> list[object]:
        order: Order = shop.order()
        back = shop.back(order)
        provider = shop.provider
        work = [provider.pay(order), provider.query(order), provider.undo(order), provider.refund(back)]
        return await asyncio.gather(*work, provider.query_refund(back), provider.bill(DAY), return_exceptions=True)

    shop.gateway.__exit__()
    found = shop.run(all_of_them())
    shop.gateway._thread.join()
    assert [type(each) for each in found] == [ProviderFault] * 6
