# SPDX-License-Identifier: MIT
"""Settlements, newest first: what was taken, kept and paid out, the batches in each, and the others of its payment file."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, func, or_, select

from tools.host.books import payment_file, settlement
from tools.host.books.double_entry import PAYABLE, REFUNDS
from tools.host.page.queries import Query
from tools.host.page.viewer import Viewer
from tools.host.store.schema_books import settled, statement
from tools.host.store.schema_books import settlement as table

SHOWN = 40
BATCHES = 200  # of one settlement
OWED = "owed"  # what the merchant owes is no payout; the next settlement takes it off
STATES = (settlement.ORDERED, settlement.PAID, settlement.FAILED, OWED, settlement.NONE)

Key = tuple[str, int, str]  # day, run, merchant: of the last one seen


class Batch(NamedTuple):
    """What a closed batch brought to a settlement, minor units."""

    tid: str
    epoch: int
    number: str
    sales: int
    refunds: int


def newest(db: Connection, viewer: Viewer, after: Key | None = None) -> Sequence[Row[Any]]:
    """Settlements from the newest day on, one more than SHOWN."""
    return db.execute(statement_of(viewer, after)).all()


def statement_of(viewer: Viewer, after: Key | None) -> Query:
    columns = table.c.day, table.c.run, table.c.mid
    found = select(table).where(viewer.sees(table.c.mid))
    if after:
        older = [and_(*(columns[i] == after[i] for i in range(n)), columns[n] < after[n]) for n in range(len(columns))]
        found = found.where(table.c.day <= after[0], or_(*older))
    return found.order_by(*(column.desc() for column in columns)).limit(SHOWN + 1)


def one(db: Connection, viewer: Viewer, mid: str, day: str) -> Row[Any] | None:
    """One settlement, or None."""
    mine = table.c.mid == mid, table.c.day == day, viewer.sees(table.c.mid)
    return db.execute(select(table).where(*mine)).one_or_none()


def batches(db: Connection, row: Row[Any]) -> list[Batch]:
    """The batches of a settlement, by terminal, one more than BATCHES."""
    same = (statement.c.mid == settled.c.mid) & (statement.c.posting == settled.c.posting)
    key = statement.c.tid, statement.c.epoch, statement.c.batch
    sums = [
        func.coalesce(func.sum(statement.c.amount).filter(statement.c.account == account), 0)
        for account in (PAYABLE, REFUNDS)
    ]
    mine = settled.c.mid == row.mid, settled.c.day == row.day
    found = select(*key, *sums).select_from(settled).join(statement, same).where(*mine).group_by(*key)
    rows: Sequence[Any] = db.execute(found.order_by(*key).limit(BATCHES + 1)).all()
    return [Batch(row[0], row[1], row[2], -int(row[3]), int(row[4])) for row in rows]


def payout_times(db: Connection, row: Row[Any]) -> dict[str, str]:
    """When the bank had paid it, and when it failed: ISO time by state."""
    names = {f"payout {row.day} {state}": state for state in (settlement.PAID, settlement.FAILED)}
    mine = statement.c.mid == row.mid, statement.c.posting.in_(names)
    found = db.execute(select(statement.c.posting, statement.c.at).where(*mine)).all()
    return {names[posting]: at for posting, at in found}


def state(row: Row[Any]) -> str:
    """What became of the payout, one of STATES."""
    return OWED if row.payout == settlement.NONE and row.net < 0 else row.payout


def file_of(db: Connection, row: Row[Any]) -> list[Row[Any]]:
    """The settlements in the same payment file; none if nothing is paid out."""
    for together in payment_file.groups(settlement.of_day(db, row.day)):
        if any(one.mid == row.mid for one in together):
            return together
    return []
