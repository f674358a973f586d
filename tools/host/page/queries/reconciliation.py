# SPDX-License-Identifier: MIT
"""What does not agree with acquirers and wallets, and disputed payments. A merchant sees those of its own payments."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, and_, literal_column, or_, select

from tools.host.books import differences
from tools.host.books.double_entry import DISPUTES
from tools.host.page.queries import Query, payments
from tools.host.page.viewer import Viewer
from tools.host.store.schema_books import difference, statement

SHOWN = 40
STATES = (differences.OPEN, differences.EXPLAINED, differences.FOUND)
WHATS = (
    differences.MISSING_HERE, differences.MISSING_THERE, differences.OTHER_AMOUNT, differences.TWICE, differences.UNDONE,
    differences.UNDECIDED,
)  # fmt: skip
_DISPUTE = literal_column("'dispute'")  # as it stands in the index: a parameter would not be served by it

Key = tuple[str, str, str]  # of the last one seen: at, merchant, and subject or posting


class Dispute(NamedTuple):
    """`amount`: withheld, minor units. `state`: open, won or lost. `payment`: None if the viewer may not see it."""

    amount: int
    since: str
    ended: str | None
    state: str
    mid: str
    payment: Row[Any] | None


def listed(db: Connection, viewer: Viewer, state: str, after: Key | None = None) -> Sequence[Row[Any]]:
    """Differences of one of STATES, one more than SHOWN: open ones the oldest first, others the newest."""
    return db.execute(statement_of(viewer, state, after)).all()


def statement_of(viewer: Viewer, state: str, after: Key | None = None) -> Query:
    mine = difference.c.state == state, viewer.sees(difference.c.mid)
    columns = difference.c.at, difference.c.mid, difference.c.subject
    return _from(select(difference).where(*mine), columns, after, state == differences.OPEN).limit(SHOWN + 1)


def one(db: Connection, viewer: Viewer, mid: str, subject: str) -> Row[Any] | None:
    """One difference, or None."""
    row = differences.one(db, mid, subject)
    return row if row is not None and (not viewer.mid or row.mid == viewer.mid) else None


def disputes(db: Connection, viewer: Viewer, after: Key | None = None) -> tuple[list[Dispute], Key | None]:
    """Disputes, the newest first, and the key to go on from."""
    rows = db.execute(disputes_statement(viewer, after)).all()
    last = rows[SHOWN - 1] if len(rows) > SHOWN else None
    return [_dispute(db, viewer, row) for row in rows[:SHOWN]], (last.at, last.mid, last.posting) if last else None


def disputes_statement(viewer: Viewer, after: Key | None = None) -> Query:
    mine = statement.c.reason == _DISPUTE, statement.c.account == DISPUTES, viewer.sees(statement.c.mid)
    columns = statement.c.at, statement.c.mid, statement.c.posting
    return _from(select(statement).where(*mine), columns, after, False).limit(SHOWN + 1)


def _dispute(db: Connection, viewer: Viewer, row: Row[Any]) -> Dispute:
    mine = statement.c.mid == row.mid, statement.c.posting == f"{row.posting} ended", statement.c.account == DISPUTES
    end = db.execute(select(statement.c.reason, statement.c.at).where(*mine)).one_or_none()
    tid, uid = row.posting.removeprefix("dispute ").rsplit(" ", 1)
    state = end.reason.rpartition(" ")[2] if end else "open"
    return Dispute(-row.amount, row.at, end.at if end else None, state, row.mid, payments.one(db, viewer, tid, uid))


def _from(found: Query, columns: Sequence[Any], after: Key | None, rising: bool) -> Query:
    """In the order of these columns, from behind a key on."""
    if after:
        further = [
            and_(
                *(columns[i] == after[i] for i in range(n)),
                columns[n] > after[n] if rising else columns[n] < after[n],
            )
            for n in range(len(columns))
        ]
        edge = columns[0] >= after[0] if rising else columns[0] <= after[0]
        found = found.where(edge, or_(*further))
    return found.order_by(*(column if rising else column.desc() for column in columns))
