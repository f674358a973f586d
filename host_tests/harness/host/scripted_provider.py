# SPDX-License-Identifier: MIT
"""A provider that says what a test tells it to say, and remembers what it was asked."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from tools.host.acquirers.provider import BillLine, Manners, Order, Outcome, Refund

Word = Outcome | Exception


class ScriptedProvider:
    """`says`: the next outcomes, by call, used up in order; the last one stays. `asked`: (call, reference), in order."""

    def __init__(self, **says: Sequence[Word] | Word) -> None:
        self.manners = Manners(interval=0.0)
        self.says = {name: list(each) if isinstance(each, Sequence) else [each] for name, each in says.items()}
        self.asked: list[tuple[str, str]] = []
        self.orders: list[Order] = []

    async def pay(self, order: Order) -> Outcome:
        self.orders.append(order)
        return self._say("pay", order.reference)

    async def query(self, order: Order) -> Outcome:
        return self._say("query", order.reference)

    async def undo(self, order: Order) -> Outcome:
        return self._say("undo", order.reference)

    async def refund(self, refund: Refund) -> Outcome:
        self.orders.append(refund.order)
        return self._say("refund", refund.reference)

    async def query_refund(self, refund: Refund) -> Outcome:
        return self._say("query_refund", refund.reference)

    async def bill(self, day: datetime.date) -> Sequence[BillLine] | None:
        return None

    async def close(self) -> None:
        self.asked.append(("close", ""))

    def _say(self, call: str, reference: str) -> Outcome:
        self.asked.append((call, reference))
        words = self.says[call]
        word = words.pop(0) if len(words) > 1 else words[0]
        if isinstance(word, Exception):
            raise word
        return word
