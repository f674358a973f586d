# SPDX-License-Identifier: MIT
"""Follows the host's ledger: publishes it when it changes, and turns the differences into events."""

import datetime
from typing import Any

from tools.panel.news import News
from tools.panel.shop_clock import ShopClock
from tools.sim.host import Host

_EVERY = 8  # after this many calls without a change the ledger is read anyway


class LedgerWatch:
    """Call `look()` regularly, from one thread."""

    def __init__(self, host: Host, news: News, clock: ShopClock) -> None:
        self._host = host
        self._news = news
        self._clock = clock
        self._shifts: dict[
            int, datetime.timedelta
        ] = {}  # how far the shop's clock was moved when a payment was first seen
        self._counters: dict[str, int] | None = None
        self._idle = 0
        self._states: dict[int, str] | None = None
        self._closed: set[tuple[int, str]] = set()

    def look(self) -> None:
        """Publish the ledger if anything may have changed."""
        counters = self._host.counters
        self._idle += 1
        if counters == self._counters and self._idle < _EVERY:
            return
        self._counters, self._idle = counters, 0
        view = self._host.view()
        for payment in view["payments"]:
            shift = self._shifts.setdefault(payment["id"], self._clock.shift)
            payment["received"] = (datetime.datetime.fromisoformat(payment["received"]) + shift).isoformat()
        if self._news.publish("ledger", {name: view[name] for name in ("payments", "batches", "terminals", "alarms")}):
            self._compare(view)

    def _compare(self, view: dict[str, Any]) -> None:
        states = {payment["id"]: payment["state"] for payment in view["payments"]}
        closed = {(batch["epoch"], batch["number"]) for batch in view["batches"] if batch["state"] == "closed"}
        if self._states is not None:
            for payment in reversed(view["payments"]):
                if self._states.get(payment["id"]) != payment["state"]:
                    self._payment(payment)
            for epoch, number in sorted(closed - self._closed):
                batch = next(b for b in view["batches"] if (b["epoch"], b["number"]) == (epoch, number))
                self._news.event("batch", number=number, amount=batch["amount"])
        self._states, self._closed = states, closed

    def _payment(self, payment: dict[str, Any]) -> None:
        what = {"key": payment["id"], "amount": payment["amount"], "stan": payment["stan"], "code": payment["code"]}
        self._news.event(f"host_{payment['state'].lower()}", **what)
