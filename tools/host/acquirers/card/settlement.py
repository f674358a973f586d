# SPDX-License-Identifier: MIT
"""Settles a day with the acquirer: tells it our totals, one message a currency, and lists what differs from its own."""

import datetime
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Row

from tools.host.acquirers.card import requests, translate
from tools.host.acquirers.card.acquirer import CardAcquirer
from tools.host.acquirers.card.codec import Fields
from tools.host.acquirers.card.dialect import TOTALS, Dialect
from tools.host.acquirers.threads import in_thread
from tools.host.errors import OperatorError, ProviderFault
from tools.host.wire import kinds

_MINE = "156"  # the host's currency is always settled, also if nothing was taken


class Settled(NamedTuple):
    """Totals (minor units, counts) by the names of dialect.TOTALS, ours and the acquirer's."""

    currency: str
    ours: dict[str, int]
    theirs: dict[str, int]
    balanced: bool

    @property
    def differences(self) -> list[str]:
        """The totals that differ."""
        return [name for name in TOTALS if self.ours[name] != self.theirs[name]]


async def settle(acquirer: CardAcquirer, day: datetime.date, anyway: bool = False) -> list[Settled]:
    """Settle a day. Doing it again sends nothing if it balanced, repeats what was not answered, and sends new totals if
    they differed. `anyway`: also while something of that day, or of one before, has no final answer.

    Raises OperatorError, ProviderFault.
    """
    waiting = await _waiting(acquirer, day)
    if waiting and not anyway:
        first = waiting[0]
        raise OperatorError(
            f"{len(waiting)} have no final answer yet, the first is {first.kind} {first.tid} {first.uid}"
        )
    approved, reversed_ = await acquirer.read(requests.of_day, f"{day}")
    currencies = sorted({_MINE, *(row.currency[-3:] for row in (*approved, *reversed_))})
    return [await _one(acquirer, day, each, totals(acquirer.dialect, approved, reversed_, each)) for each in currencies]


def totals(
    dialect: Dialect, approved: Iterable[Row[Any]], reversed_: Iterable[Row[Any]], currency: str
) -> dict[str, int]:
    """A day's totals in a currency. Credits: refunds and voids; debits: all else, with tips in the amount alone."""
    sums = dict.fromkeys(TOTALS, 0)
    for which, rows in (("", approved), ("_reversed", reversed_)):
        for row in rows:
            form = dialect.transactions.get(row.kind)
            if form is None or form.effect == kinds.NOTHING or row.currency[-3:] != currency:
                continue
            side = "credit" if form.effect == kinds.CREDIT else "debit"
            sums[f"{side}{which}_count"] += form.effect != kinds.REPLACES
            sums[f"{side}{which}_amount"] += -row.worth if side == "credit" else row.worth
    return sums


async def _waiting(acquirer: CardAcquirer, day: datetime.date) -> list[Row[Any]]:
    """What moves money, was sent by the end of a day and has no final answer."""
    tomorrow = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time()).astimezone()
    rows = await acquirer.read(requests.open_rows, int(tomorrow.timestamp() * 1000))
    forms = acquirer.dialect.transactions
    return [row for row in rows if row.kind not in forms or forms[row.kind].effect != kinds.NOTHING]


async def _one(acquirer: CardAcquirer, day: datetime.date, currency: str, sums: dict[str, int]) -> Settled:
    stan = await in_thread(acquirer.numbers.take)
    row, again = await acquirer.write(requests.open_settlement, f"{day}", currency, sums, stan)
    ours = json.loads(row.totals)
    if row.result is not None:
        return Settled(currency, ours, json.loads(row.answer), row.result == "balanced")
    dialect, form = acquirer.dialect, acquirer.dialect.settlement
    values = {"stan": row.stan, "day": day, "currency": currency, **ours, **translate.times(row.sent)}
    fields = translate.render(form, dialect, {**acquirer.member_values, **values})
    await acquirer.link.ready()
    answer = await acquirer.link.ask(form, fields, again)
    theirs = _theirs(dialect, answer)
    settled = Settled(currency, ours, theirs, answer[dialect.result[0]] == dialect.result[1] and theirs == ours)
    await acquirer.write(requests.end_settlement, row, theirs, "balanced" if settled.balanced else "differs")
    return settled


def _theirs(dialect: Dialect, answer: Fields) -> dict[str, int]:
    """The acquirer's totals. Raises ProviderFault."""
    element, *results = dialect.result
    if answer.get(element) not in results:
        raise ProviderFault(f"the acquirer does not settle: DE {element} is {answer.get(element, '')[:3]!a}")
    try:
        return {name: int(answer[number]) for name, number in dialect.totals.items()}
    except (KeyError, ValueError):
        raise ProviderFault("the acquirer's settlement lacks its totals") from None
