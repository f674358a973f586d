# SPDX-License-Identifier: MIT
"""The adapter of WeChat Pay, call by call, against the simulated service, which checks every signature."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
from collections.abc import Iterator

import pytest

from host_tests.harness.wallets.wechat import CODE, REFERENCE, Shop, answer, back, order
from tools.host.acquirers import orders
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, BillLine
from tools.sim.wechat import WeChatSimulator, books
from tools.sim.wechat.signing import Platform

DAY = datetime.date(2026, 11, 28)


@pytest.fixture(params=["direct", "partner", "certificate"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    shop = Shop(partner=request.param == "partner", certificate=request.param == "certificate")
    yield shop
    shop.close()
    assert shop.books.rude == []


def test_a_code_is_paid_at_once(shop: Shop) -> None:
    said = shop.pay(order())
    assert said.answer == YES and said.their_code == "SUCCESS" and said.their_id == shop.books.orders[REFERENCE].id
    assert shop.books.payments == [REFERENCE] and shop.books.held(REFERENCE) == 1250
    assert shop.query(order()) == said


def test_a_customer_confirms_refuses_or_is_silent(shop: Shop) -> None:
    shop.books.customer = books.ASKS
    said = shop.pay(order())
    assert (said.answer, said.words.en, said.again) == (WAITING, "Customer must confirm", 0)
    assert shop.query(order()).answer == WAITING
    shop.books.confirm(REFERENCE)
    assert shop.query(order()).answer == YES
    other = order(reference="a" * 32, code="101234567890123456")
    shop.ago(20)
    assert shop.pay(other).answer == WAITING
    shop.ago(0)
    shop.books.refuse("a" * 32)
    assert (shop.query(other).answer, shop.query(other).their_code) == (NO, "PAYERROR")
    assert answer(shop.undo(order(reference="a" * 32, ago=20))) == YES


@pytest.mark.parametrize(
    ("code", "customer", "de39", "words"),
    [
        ("191234567890123456", books.PAYS, "14", "Code not valid. Refresh it"),
        (CODE, books.POOR, "51", "Not enough money"),
    ],
)
def test_a_refusal_is_final_and_says_why(shop: Shop, code: str, customer: str, de39: str, words: str) -> None:
    shop.books.customer = customer
    said = shop.pay(order(code=code))
    assert (said.answer, said.code, said.words.en) == (NO, de39, words)
    assert [call for call in shop.sim.calls if call != "certificates"] == ["codepay", "query"]  # confirmed by a query


def test_the_same_request_again_is_refused_by_the_service_and_the_query_decides(shop: Shop) -> None:
    """WeChat Pay calls the code used, since the first request used it."""
    assert [shop.pay(order()).answer for _ in range(3)] == [YES, YES, YES]
    assert shop.books.payments == [REFERENCE]
    said = shop.pay(order(code="111111111111111111"))  # another code for the same number
    assert (said.answer, said.their_code) == (UNKNOWN, "ORDERPAID") and shop.books.payments == [REFERENCE]
    assert shop.pay(order(reference="b" * 32)).answer == NO  # the same code for another order


def test_an_order_that_is_not_there_is_missing(shop: Shop) -> None:
    said = shop.query(order())
    assert (said.answer, said.missing) == (UNKNOWN, True)
    assert (shop.undo(order(ago=20)).answer, shop.undo(order(ago=20)).missing) == (UNKNOWN, True)
    assert (shop.undo(order(ago=60)).answer, shop.undo(order(ago=60)).missing) == (YES, True)
    assert shop.query_refund(back(order(), 10)).missing


def test_a_shown_code_is_scanned_and_paid(shop: Shop) -> None:
    said = shop.pay(order(shown=True))
    assert said.answer == WAITING and said.shown.startswith(b"weixin://wxpay/") and len(said.words.zh) > 3
    assert shop.query(order(shown=True, ago=1)).shown == said.shown  # it was lost: the same code again
    assert shop.query(dataclasses.replace(order(shown=True), shown=said.shown)).answer == WAITING
    shop.books.confirm(REFERENCE)
    assert shop.query(order(shown=True)).answer == YES and shop.books.held(REFERENCE) == 1250


def test_another_currency_is_not_asked_for(shop: Shop) -> None:
    said = shop.pay(dataclasses.replace(order(), currency="USD"))
    assert said.answer == NO and shop.sim.calls == []


@pytest.mark.parametrize("state", ["REVOKED", "REFUND"])
def test_a_paid_code_is_reversed(shop: Shop, state: str) -> None:
    shop.books.reversed_state = state
    shop.ago(30)
    shop.pay(order())
    shop.ago(0)
    assert shop.undo(order(ago=30)).answer == YES
    assert shop.books.held(REFERENCE) == 0 and shop.books.payments == [REFERENCE]
    if state == "REVOKED":
        assert shop.query(order()).answer == NO


def test_a_late_yes_is_reversed_by_the_next_call(shop: Shop) -> None:
    shop.books.customer, shop.books.late = books.ASKS, True
    shop.ago(30)
    shop.pay(order())
    shop.ago(0)
    first = shop.undo(order(ago=30))
    assert first.answer == WAITING and shop.books.held(REFERENCE) == 1250
    assert shop.undo(order(ago=35)).answer == YES and shop.books.held(REFERENCE) == 0
    assert not shop.books.confirm(REFERENCE)


def test_a_reversal_that_says_recall_is_repeated(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ago(30)
    shop.pay(order())
    names = type(shop.sim.routes)._names
    monkeypatch.setattr(type(shop.sim.routes), "_names", lambda self: {**names(self), "recall": "Y"})
    shop.books.reversed_state = "REFUND"
    shop.ago(0)
    assert shop.undo(order(ago=30)).answer != YES
    monkeypatch.setattr(type(shop.sim.routes), "_names", names)
    assert shop.undo(order(ago=35)).answer == YES


def test_after_seven_days_a_payment_is_refunded_in_full_instead(shop: Shop) -> None:
    week = 7 * 86_400
    shop.ago(week)
    shop.pay(order())
    shop.ago(0)
    assert shop.undo(order(ago=week - 5)).answer == YES  # a bit too late at WeChat Pay
    assert shop.undo(order(ago=week + 5)).answer == YES
    assert [(one.number, one.amount) for one in shop.books.refunds.values()] == [(f"{REFERENCE}-undo", 1250)]
    assert shop.books.held(REFERENCE) == 0


def test_a_shown_code_that_was_paid_meanwhile_is_refunded_in_full(shop: Shop) -> None:
    shop.pay(order(shown=True))
    shop.books.late, shop.books.refund_status = True, "PROCESSING"
    assert [shop.undo(order(shown=True, ago=130)).answer for _ in range(2)] == [WAITING, WAITING]
    shop.books.end_refund(f"{REFERENCE}-undo", "SUCCESS")
    assert shop.undo(order(shown=True, ago=140)).answer == YES
    assert shop.books.held(REFERENCE) == 0 and shop.sim.calls.count("refund") == 1


def test_a_shown_code_that_nobody_paid_is_closed(shop: Shop) -> None:
    shop.pay(order(shown=True))
    assert shop.undo(order(shown=True, ago=130)).answer == YES
    assert not shop.books.confirm(REFERENCE) and shop.query(order(shown=True)).answer == NO


def test_a_shop_without_money_cannot_undo_yet_and_one_whose_refund_was_closed_never(shop: Shop) -> None:
    shop.pay(order(shown=True))
    shop.books.confirm(REFERENCE)
    shop.books.empty = True
    assert shop.undo(order(shown=True, ago=130)).answer == UNKNOWN
    shop.books.empty, shop.books.refund_status = False, "PROCESSING"
    assert shop.undo(order(shown=True, ago=190)).answer == WAITING
    shop.books.end_refund(f"{REFERENCE}-undo", "CLOSED")
    shop.books.orders[REFERENCE].state = "SUCCESS"
    assert shop.undo(order(shown=True, ago=250)).answer == NO and shop.books.held(REFERENCE) == 1250


def test_money_that_somebody_else_gave_back_is_left_to_people(shop: Shop) -> None:
    shop.pay(order(shown=True))
    shop.books.confirm(REFERENCE)
    shop.books.refund("by-hand", REFERENCE, 1250, 1250)
    assert shop.query(order(shown=True)).answer == UNKNOWN
    assert shop.undo(order(shown=True, ago=130)).answer == UNKNOWN


def test_refunds_in_part_and_never_too_much(shop: Shop) -> None:
    paid = order()
    shop.pay(paid)
    assert [shop.refund(back(paid, 250)).answer for _ in range(2)] == [YES, YES]  # the same number: once
    assert shop.query_refund(back(paid, 250)).answer == YES and shop.books.held(REFERENCE) == 1000
    too_much = shop.refund(back(paid, 1001, 2))
    assert (too_much.answer, too_much.code, too_much.their_code) == (NO, "12", "INVALID_REQUEST")
    shop.books.empty = True
    assert shop.refund(back(paid, 1000, 3)).code == "51"
    shop.books.empty = False
    assert shop.refund(back(paid, 1000, 4)).answer == YES and shop.books.held(REFERENCE) == 0


def test_a_refund_is_pending_then_done_or_closed_or_abnormal(shop: Shop) -> None:
    paid = order()
    shop.pay(paid)
    shop.books.refund_status = "PROCESSING"
    said = shop.refund(back(paid, 250))
    assert (said.answer, said.words.en) == (WAITING, "The refund is under way")
    for status, wanted in (("SUCCESS", YES), ("ABNORMAL", UNKNOWN), ("CLOSED", NO)):
        shop.books.refunds[back(paid, 250).reference].status = status
        assert shop.query_refund(back(paid, 250)).answer == wanted


def test_the_daily_bill_agrees_with_the_books_to_the_fen(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.bill(DAY) == []  # nothing happened, and it is past ten
    shop.sim.routes.bill_is_made = False
    assert shop.bill(DAY) is None
    shop.sim.routes.bill_is_made = True
    monkeypatch.setattr(orders, "now", lambda: 1_795_831_199_000)  # 2026-11-28 09:59:59 in Beijing
    assert shop.bill(DAY) is None and shop.bill(datetime.date(2026, 11, 26)) == []
    monkeypatch.undo()
    shop.ago(30)
    for number, amount in enumerate((1, 1250, 99_999_999, 83, 84), 1):
        code = f"13{number:016}"
        shop.pay(order(amount, reference=f"{number:032x}", code=code))
    shop.ago(0)
    refunded = order(1250, reference=f"{2:032x}")
    shop.refund(back(refunded, 333, 77))
    shop.undo(order(83, reference=f"{4:032x}", ago=30))
    lines = shop.bill(DAY)
    assert sum(line.amount for line in lines) == 1 + 1250 - 333 + 99_999_999 + 84
    assert sum(line.fee for line in lines) == sum(line.fee for line in shop.books.lines)
    assert lines[1] == BillLine(f"{2:032x}", 1250, 8, shop.books.orders[f"{2:032x}"].id)
    assert lines[5] == BillLine(f"{77:032x}", -333, -2, shop.books.refunds[f"{77:032x}"].id)
    assert (lines[6].reference, lines[6].amount) == (f"{4:032x}", -83)
    shop.sim.routes.bill_differs = 1
    assert shop.bill(DAY)[0].amount == 2


def test_a_notification_is_a_hint(shop: Shop) -> None:
    shop.books.customer = books.ASKS
    shop.pay(order())
    shop.books.confirm(REFERENCE)
    if not shop.sim.platform.public_id:
        shop.query(order())  # the certificate is known from the first answer on
    headers, body = shop.sim.notification(REFERENCE)
    assert shop.provider.hint(headers, body) == REFERENCE
    assert shop.provider.hint({name.lower(): value for name, value in headers.items()}, body) == REFERENCE
    shop.books.refund(f"{REFERENCE}-undo", REFERENCE, 1250, 1250)
    assert shop.provider.hint(*shop.sim.notification(f"{REFERENCE}-undo", "REFUND.SUCCESS")) == REFERENCE


def test_a_key_that_is_replaced(shop: Shop) -> None:
    """A new certificate is fetched; a new public key has to be set up, and until then nothing is known."""
    assert shop.pay(order()).answer == YES
    by_certificate = not shop.sim.platform.public_id
    shop.sim.platform = Platform(public_id="" if by_certificate else "PUB_KEY_ID_2")
    assert answer(shop.query(order())) == (YES if by_certificate else "fault")
    shop.provider = shop.make()
    assert shop.query(order()).answer == YES


def test_a_simulator_stops() -> None:
    shop = Shop()
    sim = WeChatSimulator(shop.sim.merchant, shop.sim.platform).start()
    sim.stop()
    shop.provider = shop.make(url=sim.url)
    assert answer(shop.query(order())) == "fault"
    shop.close()


def test_an_event_loop_that_has_ended_leaves_no_connection_behind(shop: Shop) -> None:
    """Connections of another loop used to break call after call."""
    provider = shop.make()
    shop.ago(30)

    async def ask() -> list[str]:
        return [(await provider.query(order())).their_code for _ in range(2)]

    for _ in range(3):
        assert asyncio.run(ask()) == ["ORDER_NOT_EXIST"] * 2
    asyncio.run(provider.close())
    assert asyncio.run(ask()) == ["ORDER_NOT_EXIST"] * 2
