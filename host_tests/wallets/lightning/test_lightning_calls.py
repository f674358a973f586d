# SPDX-License-Identifier: MIT
"""The Lightning adapter alone, on the simulated and on the real LNbits server: each call, and what becomes of invoices."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from host_tests.harness.lightning.bench import FEN, MSAT, PATH, Bench, Server, order
from host_tests.harness.lightning.real_server import PRICE
from tools.host.acquirers.lightning import invoice, words
from tools.host.acquirers.lightning.lnbits import GRACE
from tools.host.acquirers.lightning.price import CNY, Price, Rate
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, Order, Outcome, Refund
from tools.host.errors import ProviderFault

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def shown(order: Order, outcome: Outcome) -> Order:
    """The order once the host has stored what to show."""
    return replace(order, shown=outcome.shown or order.shown, their_id=outcome.their_id or order.their_id)


def test_an_invoice_is_shown_paid_and_kept(bench: Bench) -> None:
    asked = order()
    assert run(bench.provider.query(asked)) == Outcome(
        UNKNOWN, words=words.outcome("missing").words, their_code="missing", missing=True
    )
    first = run(bench.provider.pay(asked))
    read = invoice.read(first.shown.decode())
    assert (first.answer, read.amount, read.expiry, read.network) == (WAITING, MSAT, 100, "bc")
    assert first.their_id == read.payment_hash and first.words.en == "Scan with a Lightning wallet"
    asked = shown(asked, first)
    assert run(bench.provider.query(asked)) == first
    assert bench.server.pay(first.shown) and not bench.server.pay(first.shown)
    paid = run(bench.provider.query(asked))
    assert (paid.answer, paid.their_id, paid.their_code) == (YES, first.their_id, "1250 sat")
    undone = run(bench.provider.undo(asked))
    assert (undone.answer, undone.words.en, undone.words.zh) == (NO, "Paid: give it back in cash", "已付款，请退现金")
    assert bench.server.paid(asked.reference) == [MSAT]


def test_a_payment_that_is_asked_for_again_has_one_invoice(bench: Bench) -> None:
    asked = order()
    assert run(bench.provider.pay(asked)) == run(bench.provider.pay(asked))
    assert len(bench.server.rows(asked.reference)) == 1


def test_an_invoice_that_nobody_pays_is_over_some_time_after_its_end(bench: Bench) -> None:
    asked = order()
    first = run(bench.provider.pay(asked))
    asked = shown(asked, first)
    undo = run(bench.provider.undo(asked))
    assert undo.answer == WAITING and 100 < undo.again <= 100 + GRACE + 2
    bench.pass_time(110)
    assert [run(call(asked)).answer for call in (bench.provider.query, bench.provider.undo)] == [WAITING, WAITING]
    assert [row["status"] for row in bench.server.rows(asked.reference)] == ["failed"]  # it was asked about
    bench.pass_time(GRACE)
    late = run(bench.provider.query(asked))
    assert (late.answer, late.code, late.words.en) == (NO, "05", "Not paid in time")
    assert run(bench.provider.undo(asked)) == Outcome(YES, "00", words.outcome("closed").words, "expired")
    assert not bench.server.pay(first.shown) and bench.server.paid(asked.reference) == []


def test_a_payment_that_comes_while_an_undo_waits_is_kept(bench: Bench) -> None:
    asked = order()
    first = run(bench.provider.pay(asked))
    asked = shown(asked, first)
    assert run(bench.provider.undo(asked)).answer == WAITING
    assert bench.server.pay(first.shown)
    assert run(bench.provider.undo(asked)).answer == NO and bench.server.paid(asked.reference) == [MSAT]


def test_a_wallet_of_the_same_server_can_pay_after_the_end_until_somebody_asks(bench: Bench) -> None:
    """So an invoice counts as closed only once the server was asked about it after its end."""
    asked = order()
    first = run(bench.provider.pay(asked))
    bench.pass_time(100 + GRACE + 10)
    assert bench.server.pay(first.shown)
    asked = shown(asked, first)
    assert run(bench.provider.query(asked)).answer == YES and run(bench.provider.undo(asked)).answer == NO


def test_an_order_that_never_came_is_undone_but_not_one_that_was_shown(bench: Bench) -> None:
    asked = order()
    undone = run(bench.provider.undo(asked))
    assert (undone.answer, undone.missing) == (YES, True)
    other = order()
    seen = shown(asked, run(bench.provider.pay(other)))
    for call in (bench.provider.query, bench.provider.undo):
        with pytest.raises(ProviderFault):
            run(call(seen))


def test_two_invoices_of_one_order_are_one_payment(bench: Bench) -> None:
    """The server does not keep external_id unique: a copy of our request on its way makes a second invoice."""
    asked = order()
    first = run(bench.provider.pay(asked))
    twin = copy_of(bench.server, asked)
    assert run(bench.provider.query(shown(asked, first))).shown == first.shown
    unseen = run(bench.provider.query(asked))
    assert unseen == run(bench.provider.query(asked)) and unseen.shown in (first.shown, twin.encode())
    assert bench.server.pay(first.shown)
    assert run(bench.provider.query(asked)).answer == run(bench.provider.query(shown(asked, first))).answer == YES
    assert run(bench.provider.undo(asked)).answer == NO and bench.server.paid(asked.reference) == [MSAT]
    assert bench.server.pay(twin)
    for call in (bench.provider.query, bench.provider.undo):
        with pytest.raises(ProviderFault, match="twice"):
            run(call(shown(asked, first)))


def test_both_of_two_open_invoices_have_to_end_before_an_undo(bench: Bench) -> None:
    asked = order()
    first = run(bench.provider.pay(asked))
    bench.pass_time(100 + GRACE)
    copy_of(bench.server, asked)
    assert run(bench.provider.undo(shown(asked, first))).answer == WAITING
    bench.pass_time(100 + GRACE + 10)
    assert [run(bench.provider.undo(shown(asked, first))).answer for _ in range(2)][1] == YES


def copy_of(server: Server, asked: Order) -> str:
    """One more invoice with the same reference."""
    mark = {"kassa": {"amount": asked.amount, "currency": asked.currency}}
    body = {"out": False, "amount": MSAT // 1000, "unit": "sat", "expiry": 100, "extra": mark}
    made = server.ask("POST", PATH, server.shop_key, json={**body, "external_id": asked.reference})
    return made.raise_for_status().json()["bolt11"]


@pytest.mark.parametrize(
    "amount, currency, is_shown, code",
    [
        (FEN, "USD", True, ""),
        (0, "CNY", True, ""),
        (FEN, "CNY", False, "134567890123456789"),
        (2 << 40, "CNY", True, ""),
    ],
)
def test_what_lightning_cannot_take_is_refused_and_leaves_no_invoice(
    bench: Bench, amount: int, currency: str, is_shown: bool, code: str
) -> None:
    asked = replace(order(amount), currency=currency, is_shown=is_shown, code=code)
    said = run(bench.provider.pay(asked))
    assert said.answer == NO and said.words.en and not said.shown and bench.server.rows(asked.reference) == []


def test_there_is_no_refund(bench: Bench) -> None:
    refund = Refund("0" * 32, order(), FEN)
    for call in (bench.provider.refund, bench.provider.query_refund):
        said = run(call(refund))
        assert (said.answer, said.code, said.words.en) == (NO, "12", "No refund by Lightning: pay cash")
    assert bench.proxy.passed == []


def test_the_servers_rate_is_taken_within_the_merchants_limits(bench: Bench) -> None:
    """In yuan the server converts, by the rate of its own sources."""
    if bench.server.simulator:
        bench.server.simulator.rate = 100_000_000 // PRICE
    price = Price(CNY, Rate.read("135.5"), Rate.read("150"))
    said = run(bench.make(price).pay(asked := order()))
    amount = bench.server.rows(asked.reference)[0]["amount"]
    assert said.answer == WAITING and amount // 1000 in (1775, 1785)  # 12.50 yuan at 142 or 142.857, cut off
    assert bench.server.pay(said.shown)
    assert run(bench.make(price).query(shown(asked, said))).their_code == f"{amount // 1000} sat"
    for least, most in (("90", "135.5"), ("150", "160")):
        asked = order()
        with pytest.raises(ProviderFault, match="not the invoice that was asked for"):
            run(bench.make(Price(CNY, Rate.read(least), Rate.read(most))).pay(asked))
        assert run(bench.provider.undo(asked)).answer == WAITING  # it is there, but nobody saw it


REFUSALS: list[tuple[str, dict[str, Any], int, dict[str, Any]]] = [
    ("shop", {"amount": 0}, 520, {"detail": "Amountless invoices not supported.", "status": "failed"}),
    ("shop", {"payment_hash": "a" * 64}, 520, {"detail": "Hold invoices are not supported by this wallet.", "status": "failed"}),
    (
        "shop", {"amount": 10**9}, 520,
        {"detail": "Invoice amount 1000000000 sats is too high. Max allowed: 10000000 sats.", "status": "failed"},
    ),
    ("shop", {"out": True, "bolt11": "lnbc1"}, 403, {"detail": "Invoice (or Admin) key required."}),
    ("nobody", {}, 404, {"detail": "Wallet not found."}),
    ("", {}, 401, {"detail": "No Api Key provided."}),
]  # fmt: skip


@pytest.mark.parametrize("who, change, status, body", REFUSALS)
def test_the_simulated_server_refuses_as_the_real_one_does(
    server: Server, who: str, change: dict[str, Any], status: int, body: dict[str, Any]
) -> None:
    key = {"shop": server.shop_key, "nobody": "0" * 32}.get(who, "")
    answer = server.ask("POST", PATH, key, json={"out": False, "amount": 5, "unit": "sat", **change})
    assert (answer.status_code, answer.json()) == (status, body)


def test_the_simulated_server_tells_of_a_payment_what_the_real_one_does(bench: Bench) -> None:
    asked = order()
    said = run(bench.provider.pay(asked))
    for paid in (False, True):
        assert not paid or bench.server.pay(said.shown)
        row = bench.server.rows(asked.reference)[0]
        same = {key: row[key] for key in ("amount", "fee", "status", "memo", "external_id")}
        state = "success" if paid else "pending"
        memo = f"Tea shop {asked.reference[:8]}"
        assert same == {"amount": MSAT, "fee": 0, "status": state, "memo": memo, "external_id": asked.reference}
        assert row["checking_id"] == row["payment_hash"] == said.their_id and row["bolt11"].encode() == said.shown
        assert row["extra"]["kassa"] == {"amount": FEN, "currency": "CNY"}
        assert datetime.datetime.fromisoformat(row["time"]).tzinfo is not None
    beyond = bench.server.ask(
        "POST", PATH, bench.server.customer_key, json={"out": True, "bolt11": said.shown.decode()}
    )
    assert (beyond.status_code, beyond.json()) == (
        520,
        {"detail": "Internal invoice already paid.", "status": "failed"},
    )
