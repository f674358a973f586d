# SPDX-License-Identifier: MIT
"""What does not agree with an acquirer or wallet: a list that a person works off. A difference is listed once."""

import hashlib
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from tools.host.books import double_entry, merchants, statement
from tools.host.books.double_entry import BANK, CARDS, COSTS, PAYABLE, SUSPENSE, WALLETS, now
from tools.host.errors import OperatorError
from tools.host.store import upsert
from tools.host.store.schema_books import difference as table
from tools.host.store.schema_books import statement as posted

MISSING_HERE, MISSING_THERE, OTHER_AMOUNT = "missing here", "missing there", "other amount"
OTHER_FEE, TWICE, UNDONE, UNDECIDED = "other fee", "twice", "undone but paid", "undecided but paid"
OPEN, EXPLAINED, FOUND = "open", "explained", "found"
DESTINATIONS = (BANK, CARDS, WALLETS, COSTS, PAYABLE)


def add(db: Connection, mid: str, subject: str, what: str, **values: Any) -> None:
    """List a difference, unless it is there. `values`: source, reference, tid, uid, ours, theirs, day, detail."""
    row = {"mid": mid, "subject": subject, "what": what, "state": OPEN, "at": now(), **values}
    upsert.insert_new(db, table, row)


def found(db: Connection, mid: str, subject: str, by: str) -> None:
    """It has cleared itself: what was missing has come."""
    mine = table.c.mid == mid, table.c.subject == subject, table.c.state == OPEN
    db.execute(update(table).where(*mine).values(state=FOUND, by=by, ended=now()))


def listed(db: Connection, most: int = 1000, every: bool = False) -> Sequence[Row[Any]]:
    """The open differences, oldest first; or all, also those that have ended."""
    wanted = select(table).order_by(table.c.at, table.c.mid, table.c.subject).limit(most)
    return db.execute(wanted if every else wanted.where(table.c.state == OPEN)).all()


def number(row: Row[Any]) -> str:
    """The short number that a person types: eight hex digits."""
    return hashlib.sha256(f"{row.mid} {row.subject}".encode()).hexdigest()[:8]


def explain(db: Connection, short: str, by: str, why: str, to: str | None = None) -> int:
    """Close a difference with a reason. `to`: the account that its money in suspense belongs to, one of DESTINATIONS.

    Returns the amount moved, minor units. Raises OperatorError if it is not open, or its money has no destination.
    """
    rows = [row for row in listed(db, 1 << 30) if number(row) == short]
    if len(rows) != 1:
        raise OperatorError(f"no open difference has the number {short}")
    return explain_one(db, rows[0], by, why, to)


def one(db: Connection, mid: str, subject: str) -> Row[Any] | None:
    """One difference, open or not."""
    return db.execute(select(table).where(table.c.mid == mid, table.c.subject == subject)).one_or_none()


def explain_one(db: Connection, row: Row[Any], by: str, why: str, to: str | None = None) -> int:
    """See explain; `row`: the difference."""
    if not by.strip() or not why.strip():
        raise OperatorError("say who explains it, and why")
    mine = table.c.mid == row.mid, table.c.subject == row.subject, table.c.state == OPEN
    done = {"state": EXPLAINED, "by": by, "why": why[:500], "ended": now()}
    if db.execute(update(table).where(*mine).values(**done)).rowcount != 1:
        raise OperatorError(f"{number(row)} is not open any more")
    held = in_suspense(db, row)
    if bool(held) != (to is not None):
        raise OperatorError("say where its money in suspense belongs" if held else "it has no money in suspense")
    if to is not None:
        if to not in DESTINATIONS or (to == PAYABLE and not row.mid):
            raise OperatorError(f"money in suspense cannot go to {to}")
        if to == PAYABLE:
            merchants.lock(db, row.mid)
        legs = {SUSPENSE: held, to: -held}
        statement.post(db, row.mid, f"{row.subject} explained", "difference explained", now()[:10], legs)
    double_entry.note(db, row.tid, "difference explained", f"{row.what}, {row.reference}, by {by}: {why}")
    return held


def in_suspense(db: Connection, row: Row[Any]) -> int:
    """What is in suspense because of a difference, minor units."""
    mine = posted.c.mid == row.mid, posted.c.posting == row.subject, posted.c.account == SUSPENSE
    return -(db.execute(select(posted.c.amount).where(*mine)).scalar_one_or_none() or 0)
