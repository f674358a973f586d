# SPDX-License-Identifier: MIT
"""Turnover by day, and the balances of the accounts, from running sums."""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, literal, select

from tools.host.books.double_entry import ACCOUNTS
from tools.host.page.queries import Query, batches
from tools.host.page.queries.batches import Sums
from tools.host.page.viewer import Viewer
from tools.host.store.schema import balance, terminal, turnover


class Books(NamedTuple):
    """Balances in minor units, debits positive. `apart`: merchants whose accounts do not sum to zero."""

    balances: dict[str, int]
    apart: list[str]

    @property
    def debits(self) -> int:
        return sum(amount for amount in self.balances.values() if amount > 0)

    @property
    def credits(self) -> int:
        return -sum(amount for amount in self.balances.values() if amount < 0)


def by_day(db: Connection, viewer: Viewer, first: datetime.date, last: datetime.date) -> dict[datetime.date, Sums]:
    """The sums of each day from `first` to `last`, also of days without payments."""
    rows: dict[str, list[Any]] = {}
    for row in db.execute(statement(viewer), {"first": f"{first}", "last": f"{last}"}):
        rows.setdefault(row.day, []).append(row)
    days = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
    return {day: batches.add(rows.get(f"{day}", [])) for day in days}


def statement(viewer: Viewer) -> Query:
    """Sums by day and type, between the parameters `first` and `last`."""
    columns = turnover.c.day, turnover.c.type
    found = select(*columns, func.sum(turnover.c.count).label("count"), func.sum(turnover.c.worth).label("worth"))
    span = turnover.c.day.between(bindparam("first"), bindparam("last"))
    return found.where(turnover.c.mid.in_(viewer.merchants()), span).group_by(*columns)


def books(db: Connection, viewer: Viewer) -> Books:
    """The balance of each account, and whether the accounts of each merchant sum to zero."""
    found = {(row.mid, row.account): int(row.amount) for row in db.execute(balances(viewer))}
    totals = {name: sum(amount for (_, account), amount in found.items() if account == name) for name in ACCOUNTS}
    merchants = sorted({mid for mid, _ in found})
    apart = [mid for mid in merchants if sum(amount for (of, _), amount in found.items() if of == mid)]
    return Books(totals, apart)


def balances(viewer: Viewer) -> Query:
    """The balance of each account of each merchant."""
    found = select(balance.c.mid, balance.c.account, func.sum(balance.c.amount).label("amount"))
    everywhere = select(terminal.c.tid).union_all(select(literal("")))  # "": what belongs to no terminal
    mine = balance.c.tid.in_(everywhere), viewer.sees(balance.c.mid)
    return found.where(*mine).group_by(balance.c.mid, balance.c.account)
