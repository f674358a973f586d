# SPDX-License-Identifier: MIT
"""The daily bill of a Lightning wallet: to the cent, whatever the server's time zone; and what is wrong with one."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from host_tests.harness.lightning.bench import FEN, MSAT, PATH, ZONE, Bench, order
from host_tests.harness.lightning.faulty_proxy import BAD_ANSWERS, SPOILT
from tools.host.acquirers import orders
from tools.host.acquirers.lightning import line, lnbits
from tools.host.acquirers.provider import WAITING
from tools.host.errors import ProviderFault

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def today() -> datetime.date:
    return datetime.datetime.fromtimestamp(orders.now() / 1000, ZONE).date()


def test_the_bill_has_what_was_paid_of_a_day_to_the_cent(bench: Bench) -> None:
    asked = [order(amount) for amount in (FEN, 1, 99_999)]
    for one in asked:
        said = run(bench.provider.pay(one))
        assert said.answer == WAITING
        if one is not asked[1]:
            if bench.server.simulator:
                bench.server.simulator.fee = said.shown and 1000 * (one is asked[0])
            assert bench.server.pay(said.shown)
    if bench.server.simulator:
        bench.server.simulator.fee = 0
    today = datetime.datetime.fromtimestamp(orders.now() / 1000, ZONE).date()
    assert run(bench.provider.bill(today)) is None  # some of its invoices may still be paid
    bench.pass_time(86_400 + 600)
    bill = run(bench.provider.bill(today))
    assert bill is not None
    ours = {line.reference: (line.amount, line.fee) for line in bill}
    fee = 1 if bench.server.simulator else 0
    assert ours[asked[0].reference] == (FEN, fee) and ours[asked[2].reference] == (99_999, 0)
    assert asked[1].reference not in ours
    mine = [row for row in bench.server.rows() if row["status"] == "success" and "kassa" in row["extra"]]
    rows = [row for row in mine if datetime.datetime.fromisoformat(row["time"]).astimezone(ZONE).date() == today]
    assert sorted(line.reference for line in bill) == sorted(row["external_id"] for row in rows)
    assert run(bench.provider.bill(today - datetime.timedelta(days=2))) == []


def test_the_bill_is_read_to_its_last_page(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lnbits, "_PAGE", 2)
    asked = [order() for _ in range(5)]
    for one in asked:
        assert bench.server.pay(run(bench.provider.pay(one)).shown)
    today = datetime.datetime.fromtimestamp(orders.now() / 1000, ZONE).date()
    bench.pass_time(86_400 + 600)
    bill = run(bench.provider.bill(today))
    assert bill is not None and {one.reference for one in asked} <= {line.reference for line in bill}
    assert len({line.their_id for line in bill}) == len(bill)
    monkeypatch.setattr(lnbits, "_PAGES", 2)
    with pytest.raises(ProviderFault, match="more payments"):
        run(bench.provider.bill(today))


def test_a_payment_that_is_none_of_ours_is_not_in_the_bill(bench: Bench) -> None:
    """Whoever uses the wallet for something else too has it in no account of the host."""
    made = bench.server.ask("POST", PATH, bench.server.shop_key, json={"out": False, "amount": 777, "unit": "sat"})
    assert bench.server.pay(made.json()["bolt11"])
    day = today()
    bench.pass_time(86_400 + 600)
    bill = run(bench.provider.bill(day))
    assert bill is not None and made.json()["payment_hash"] not in {line.their_id for line in bill}


def paid_today(bench: Bench) -> datetime.date:
    """A day with a payment that is over."""
    assert bench.server.pay(run(bench.provider.pay(order())).shown)
    day = today()
    bench.pass_time(86_400 + 600)
    assert run(bench.provider.bill(day))
    return day


@pytest.mark.parametrize("mood", ["reset before", "reset after", "error before", "error after", *BAD_ANSWERS, *SPOILT])
def test_a_bill_that_cannot_be_read_is_no_bill(bench: Bench, mood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    day = paid_today(bench)
    if mood == "endless":
        monkeypatch.setattr(line, "LIMIT", 0.2)
    bench.proxy.set(mood)
    with pytest.raises(ProviderFault):
        run(bench.provider.bill(day))


def test_a_bill_takes_no_longer_than_a_call_may(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    day = paid_today(bench)
    monkeypatch.setattr(lnbits, "DEADLINE", 1.2)
    bench.proxy.set("hang before")
    with pytest.raises(ProviderFault, match="too long"):
        run(bench.provider.bill(day))


@pytest.mark.parametrize(
    "change",
    [
        {"fee": "0"}, {"fee": None}, {"fee": True}, {"amount": "1"}, {"amount": -MSAT}, {"external_id": None},
        {"extra": {"kassa": {}}}, {"extra": {"kassa": {"amount": "1250"}}}, {"extra": {"kassa": {"amount": 0}}},
        {"extra": {"kassa": [1250]}}, {"status": "unheard of"}, {"payment_hash": 7},
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_a_fault(bench: Bench, change: dict[str, Any]) -> None:
    day = paid_today(bench)
    bench.proxy.change(lambda page: {**page, "data": [{**row, **change} for row in page["data"]]})
    with pytest.raises(ProviderFault):
        run(bench.provider.bill(day))


def test_money_that_came_after_all_is_in_the_bill(bench: Bench) -> None:
    """A node may report a payment after its server has called the invoice over (LNbits asks no node about that)."""
    asked = order()
    assert run(bench.provider.pay(asked)).answer == WAITING
    day = today()
    bench.pass_time(200)
    assert run(bench.provider.query(asked)).answer == "no"
    bench.server.report_late(asked.reference)
    bench.pass_time(86_400 + 600)
    bill = run(bench.provider.bill(day))
    assert bill is not None and [one.amount for one in bill if one.reference == asked.reference] == [FEN]
