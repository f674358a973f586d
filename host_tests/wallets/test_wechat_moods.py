# SPDX-License-Identifier: MIT
"""Every call to WeChat Pay on every mood of the service: what is not understood is a fault or unknown, never yes or no."""

from __future__ import annotations

import dataclasses
import datetime
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from host_tests.harness.wallets.wechat import CODE, REFERENCE, Shop, answer, back, order
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, Outcome
from tools.host.acquirers.wechat import line, provider
from tools.host.errors import ProviderFault
from tools.sim.wechat import books, moods
from tools.sim.wechat.signing import Platform

FAULT = "fault"
PAID = order(ago=30)
SHOWN = order(shown=True, ago=130)
# name -> what has to be there before, the call, and the request of it that the mood is for
CALLS: dict[str, tuple[Callable[[Shop], Any], Callable[[Shop], Any], str]] = {
    "pay": (lambda shop: None, lambda shop: shop.pay(PAID), "codepay"),
    "show": (lambda shop: None, lambda shop: shop.pay(SHOWN), "native"),
    "query": (lambda shop: shop.pay(PAID), lambda shop: shop.query(PAID), "query"),
    "query refused": (lambda shop: _refused(shop), lambda shop: shop.query(PAID), "query"),
    "reverse": (lambda shop: shop.pay(PAID), lambda shop: shop.undo(PAID), "reverse"),
    "reverse, query": (lambda shop: shop.pay(PAID), lambda shop: shop.undo(PAID), "query"),
    "close": (lambda shop: shop.pay(SHOWN), lambda shop: shop.undo(SHOWN), "close"),
    "close, query": (lambda shop: shop.pay(SHOWN), lambda shop: shop.undo(SHOWN), "query"),
    "close, refund": (lambda shop: _scanned(shop), lambda shop: shop.undo(SHOWN), "refund"),
    "refund": (lambda shop: shop.pay(PAID), lambda shop: shop.refund(back(PAID, 250)), "refund"),
    "query refund": (lambda shop: _refunded(shop), lambda shop: shop.query_refund(back(PAID, 250)), "query refund"),
    "bill": (lambda shop: shop.pay(PAID), lambda shop: _bill(shop), "bill"),
}
EVERY = [
    *((kind, after) for kind in moods.FAILS for after in (False, True)),
    *((kind, True) for kind in (*moods.RAW, *moods.SIGNATURES, *moods.LIES)),
]
# Lies about what an answer does not say, and failures after the effect where the query that follows decides.
HARMLESS = {
    **{("show", kind): WAITING for kind in (moods.AMOUNT, moods.CURRENCY, moods.ORDER, moods.MERCHANT)},
    **{("reverse", kind): YES for kind in (moods.AMOUNT, moods.CURRENCY, moods.EMPTY)},
    **{("close", kind): YES for kind in moods.LIES},
    **{("bill", kind): YES for kind in (moods.AMOUNT, moods.CURRENCY, moods.ORDER, moods.MERCHANT)},
    **{(call, moods.MERCHANT): YES for call in ("refund", "query refund", "close, refund")},
    ("close, query", moods.AMOUNT): YES,
    ("query refused", moods.AMOUNT): NO,
}
DECIDED = {(call, kind) for call in ("reverse", "close") for kind in (moods.BUSY, moods.OFTEN)}


def _refused(shop: Shop) -> None:
    shop.books.customer = books.ASKS
    shop.pay(PAID)
    shop.books.refuse(REFERENCE)


def _scanned(shop: Shop) -> None:
    shop.pay(SHOWN)
    shop.books.confirm(REFERENCE)


def _refunded(shop: Shop) -> None:
    shop.pay(PAID)
    shop.refund(back(PAID, 250))


def _bill(shop: Shop) -> Outcome | str:
    found = shop.bill(datetime.date(2026, 11, 20))
    return found if isinstance(found, str) else Outcome(YES if found else "no lines")


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    shop = Shop()
    shop.ago(30)
    yield shop
    shop.close()


@pytest.mark.sampled(8)
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("kind", "after"), EVERY, ids=[f"{kind} {'after' if after else 'before'}" for kind, after in EVERY]
)
def test_a_mood_is_never_taken_for_a_yes_or_a_no(
    shop: Shop, call: str, kind: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, ask, on = CALLS[call]
    before(shop)
    shop.ago(0)
    shop.sim.will(kind, on, after)
    with monkeypatch.context() as patch:
        if kind == moods.HANGS:
            patch.setattr(line, "LIMIT", 0.2)
        said = answer(ask(shop))
    if (call, kind) in HARMLESS:
        assert said == HARMLESS[call, kind]
    elif after and (call, kind) in DECIDED:
        assert said == YES
    elif call == "close" and kind in (moods.BUSY, moods.OFTEN):
        assert said == WAITING  # it is still open
    elif call == "reverse" and kind in (moods.BUSY, moods.OFTEN):
        assert said == WAITING  # it is still paid
    else:
        assert said in (FAULT, UNKNOWN)
    assert len(shop.books.payments) <= 1 and len(shop.books.refunds) <= 1
    final = ask(shop)  # and the same call again, in peace, comes to its end
    assert answer(final) == {"show": WAITING, "query refused": NO}.get(call, YES)


@pytest.mark.parametrize("kind", moods.SIGNATURES)
def test_a_refusal_without_a_good_signature_is_no_refusal(shop: Shop, kind: str) -> None:
    shop.books.customer = books.POOR
    shop.sim.will(kind, "codepay")
    assert answer(shop.pay(PAID)) == FAULT
    shop.sim.will(kind, "query")
    assert answer(shop.query(PAID)) == FAULT and answer(shop.pay(PAID)) == NO


@pytest.mark.parametrize("skew", [-400, 400])
def test_a_clock_that_is_wrong_makes_everything_unknown(shop: Shop, skew: int) -> None:
    """WeChat Pay refuses what is signed more than five minutes off, and such answers are refused here."""
    shop.sim.skew = skew
    asked = [shop.pay(PAID), shop.query(PAID), shop.undo(PAID), shop.refund(back(PAID, 250))]
    assert [answer(each) for each in asked] == [FAULT] * 4 and "SIGN_ERROR" in asked[0]
    assert shop.books.orders == {}


def test_a_wrong_signature_of_ours_is_refused(shop: Shop) -> None:
    key = Platform().key
    shop.sim.merchant = dataclasses.replace(shop.sim.merchant, key=key)  # it knows another key of ours
    said = shop.pay(PAID)
    assert said == "fault: status 401 without a signature: SIGN_ERROR" and shop.books.orders == {}


def test_all_requests_of_a_call_have_one_limit(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "SPAN", 0.2)
    shop.pay(PAID)
    shop.sim.will(moods.HANGS, "query", after=True)
    assert shop.undo(PAID) == "fault: no answer in time"


def test_notifications_that_are_not_wechat_pays(shop: Shop) -> None:
    shop.pay(PAID)
    headers, body = shop.sim.notification(REFERENCE)
    other = Platform(public_id="PUB_KEY_ID_1").headers(body, 0)
    stale = shop.sim.platform.headers(body, int(headers["Wechatpay-Timestamp"]) - 400)
    plain = b'{"resource_type": "encrypt-resource", "resource": {"algorithm": "AEAD_AES_256_GCM"}}'
    now = int(headers["Wechatpay-Timestamp"])
    calls = len(shop.sim.calls)
    for sent, what in (
        (headers, body + b" "),
        (headers, body[:-1]),
        ({}, body),
        (headers | {"Wechatpay-Timestamp": "x"}, body),
        (headers | {"Wechatpay-Serial": "123"}, body),
        (other, body),
        (stale, body),
        (headers, b"\xff"),
        (headers, b"a" * 70_000),
        (shop.sim.platform.headers(plain, now), plain),
        (shop.sim.platform.headers(b"[" * 9000, now), b"[" * 9000),
    ):
        with pytest.raises(ProviderFault):
            shop.provider.hint(sent, what)
    assert len(shop.sim.calls) == calls  # nobody can make the host ask for certificates


def test_no_secret_and_no_code_is_ever_written_down(
    shop: Shop, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    told = [repr(shop.provider), repr(PAID), repr(shop.provider.__dict__), repr(shop.provider._api.__dict__)]
    told += [repr(shop.provider._api.keys)]
    for kind in (moods.RESET, moods.HTML, moods.TYPES, moods.FORGED):
        shop.sim.will(kind, "codepay")
        told.append(repr(shop.pay(order(reference=f"{len(told):032x}", code=f"1{len(told):017}"))))
    told += [repr(shop.pay(PAID)), repr(_bill(shop))]
    told += [record.getMessage() + repr(record.args) for record in caplog.records]
    key = shop.sim.merchant.key.private_numbers()
    for hidden in (CODE, shop.sim.merchant.api_key, str(key.d), str(key.p), "BEGIN", "secret-token"):
        assert not any(hidden in each for each in told), hidden
