# SPDX-License-Identifier: MIT
"""Batches, newest first, with totals by means of payment from the running sums, and what did not agree."""

import datetime
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, or_, select

from tools.host.page.queries import Query
from tools.host.page.viewer import Viewer
from tools.host.store import numbers
from tools.host.store.schema import audit, batch, turnover
from tools.host.wire import kinds

SHOWN = 40
MEANS: tuple[str, ...] = ("card", "code", "cash")
_MEANS = {kinds.IN_CASH: "cash", kinds.OUT_OF_CASH: "cash", kinds.IN_QR: "code", kinds.OUT_OF_QR: "code"}
_UNCOUNTED = (kinds.NOTHING, kinds.REPLACES)
_LOOKED_AT = 5_000  # audit lines
HELD = "uploaded as paid, but held"  # the reason follows
DIFFERENCES = (
    "batch not balanced",
    "taken in from a batch upload",
    "decided by a batch upload",
    "undone by a batch upload",
    "uploaded as paid, but is not",
    "uploaded as paid, but was reversed",
    "uploaded as not paid, but another payment is about it",
    "uploaded, and about a payment that is not here",
    "payment for a closed batch",
    "payment for a batch that was never opened",
    HELD,
)


@dataclass(frozen=True)
class Sums:
    """Net amount (minor units) and number of payments, by means of payment."""

    amounts: dict[str, int]
    counts: dict[str, int]

    @property
    def amount(self) -> int:
        return sum(self.amounts.values())

    @property
    def count(self) -> int:
        return sum(self.counts.values())


def newest(db: Connection, viewer: Viewer, tid: str, after: tuple[str, str, int, str] | None) -> list[Row[Any]]:
    """Batches from the newest on, one more than SHOWN. `after`: key of the last one seen (opened, tid, epoch, number)."""
    return list(db.execute(statement(viewer, tid, after)).all())


def statement(viewer: Viewer, tid: str, after: tuple[str, str, int, str] | None) -> Query:
    columns = batch.c.opened, batch.c.tid, batch.c.epoch, batch.c.number
    found = select(batch).where(viewer.sees(batch.c.mid))
    if tid:
        found = found.where(batch.c.tid == tid)
    if after:
        older = [and_(*(columns[i] == after[i] for i in range(n)), columns[n] < after[n]) for n in range(len(columns))]
        found = found.where(batch.c.opened <= after[0], or_(*older))
    return found.order_by(*(column.desc() for column in columns)).limit(SHOWN + 1)


def one(db: Connection, viewer: Viewer, tid: str, epoch: int, number: str) -> Row[Any] | None:
    """One batch, or None."""
    mine = batch.c.tid == tid, batch.c.epoch == epoch, batch.c.number == number, viewer.sees(batch.c.mid)
    return db.execute(select(batch).where(*mine)).one_or_none()


def sums(db: Connection, row: Row[Any]) -> Sums:
    """The approved payments that count in a batch."""
    mine = turnover.c.tid == row.tid, turnover.c.epoch == row.epoch, turnover.c.batch == row.number
    return add(db.execute(select(turnover).where(*mine)).all())


def add(rows: Any) -> Sums:
    """The sums of rows of turnover."""
    amounts: dict[str, int] = dict.fromkeys(MEANS, 0)
    counts: dict[str, int] = dict.fromkeys(MEANS, 0)
    for row in rows:
        effect = kinds.KINDS[row.type].effect
        means = _MEANS.get(effect, "card")
        amounts[means] += int(row.worth)  # PostgreSQL sums up as decimals
        counts[means] += 0 if effect in _UNCOUNTED else int(row.count)
    return Sums(amounts, counts)


def differences(db: Connection, row: Row[Any]) -> list[Row[Any]]:
    """Audit lines about what did not agree in a batch, oldest first."""
    since = numbers.first_at(datetime.datetime.fromisoformat(row.opened).timestamp())
    mine = audit.c.tid == row.tid, audit.c.number >= since
    near = select(audit.c.tid, audit.c.number).where(*mine).order_by(audit.c.number).limit(_LOOKED_AT).subquery()
    key = (audit.c.tid == near.c.tid) & (audit.c.number == near.c.number)
    found = select(audit).select_from(near).join(audit, key)
    what = or_(audit.c.what.in_(DIFFERENCES), audit.c.what.startswith(f"{HELD}:"))
    named = what, audit.c.detail.contains(f"batch {row.number}")
    return list(db.execute(found.where(*named).order_by(audit.c.number).limit(500)).all())
