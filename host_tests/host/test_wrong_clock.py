# SPDX-License-Identifier: MIT
"""The host's clock was years ahead for a while: once it is right again, no money and no message waits for those years."""

from __future__ import annotations

import datetime
from collections.abc import Callable

import pytest
from sqlalchemy import update

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import rows
from host_tests.harness.host.terminal import Terminal
from host_tests.host.test_upload import result
from tools.host.books import full_audit
from tools.host.errors import IssuerFault
from tools.host.operations import settle_day
from tools.host.outside import outbox
from tools.host.outside.issuer import Decision, Payment
from tools.host.store.schema import outbox as told
from tools.host.store.schema import payment
from tools.sim.host import Host

LATER = datetime.datetime(2039, 11, 23, 12)
_YEARS_MS = 10 * 365 * 86_400_000


def settle(host: Host, day: str) -> settle_day.Done:
    return settle_day.run(host.ledger, day, host.home / "out", None)


def owed(host: Host) -> int:
    """What is owed to the merchant and not ordered as a payout, minor units."""
    accounts = host.view()["accounts"]
    return -sum(accounts[name] for name in ("terminal clearing", "merchant payable", "refunds"))


def differences(host: Host) -> list[str]:
    with host.ledger.read() as db:
        return list(full_audit.differences(db))


def a_day(host: Host, till: Terminal, card: Card, now: Callable[[], datetime.datetime]) -> None:
    host.now = now
    shop.trade(till, card)
    shop.close(till)


def test_a_batch_that_closed_in_the_future_is_settled_now(host: Host, till: Terminal, card: Card) -> None:
    shop.add_merchant(host.ledger)
    a_day(host, till, card, lambda: LATER)
    assert settle(host, shop.DAY).new == 1
    assert owed(host) == 0 and differences(host) == []
    assert settle(host, shop.DAY).new == 0


def test_a_settlement_of_a_future_day_does_not_end_all_days_before_it(host: Host, till: Terminal, card: Card) -> None:
    shop.add_merchant(host.ledger)
    right = host.now
    a_day(host, till, card, lambda: LATER)
    assert settle(host, f"{LATER:%Y-%m-%d}").new == 1
    host.now = right
    assert till.ask(till.sale(till.record(1250, card.tap(1250), kind=0x52))).code == "00"
    assert result(till, 1250, 1) == "1"
    done = settle(host, shop.DAY)
    assert (done.new, [line for line in done.trouble if "payment file" not in line]) == (1, [])
    assert owed(host) == 0 and differences(host) == []


def test_a_payment_that_was_being_decided_in_the_future_can_be_reversed_now(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(payment: Payment) -> Decision:
        raise IssuerFault("away")

    monkeypatch.setattr(host.simulator, "decide", away)
    sale = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.sale(sale)).code == "91"
    with host.ledger.write() as db:  # the host stopped while it waited
        db.execute(update(payment).values(asked_until=outbox._now() + _YEARS_MS))
    assert till.ask(till.reversal(sale)).code == "00"


def test_what_was_put_off_in_the_future_is_told_now(host: Host, till: Terminal, card: Card) -> None:
    sale = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.sale(sale)).code == "00"
    with host.ledger.write() as db:
        db.execute(
            told.insert().values(
                tid="KASSA001", uid=sale.uid.hex(), act=outbox.UNDO, mid=shop.MID, type="22", amount=1250,
                at="2039-11-23T12:00:00+00:00", attempts=3, next_at=outbox._now() + _YEARS_MS,
            )
        )  # fmt: skip
    host.wait_until_told()
    assert rows(host, "SELECT count(*) FROM outbox WHERE done IS NULL") == [(0,)]
