# SPDX-License-Identifier: MIT
"""What a person does about words that cannot be told to those outside: gives the money back by hand, and says so."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from tools.host.books.double_entry import note, now
from tools.host.errors import OperatorError
from tools.host.outside import outbox
from tools.host.store.schema import outbox as table


def listed(db: Connection) -> list[Row[Any]]:
    """What is still to be told, oldest first."""
    return outbox.open_rows(db)


def end(db: Connection, tid: str, uid: str, act: str, by: str, why: str) -> int:
    """Nobody outside is told any more: a person has seen to it. Returns the amount, minor units.

    Nothing is booked: money that moved outside shows in the next bill or file, as a difference. Raises OperatorError.
    """
    if not by.strip() or not why.strip():
        raise OperatorError("say who ends it, and why")
    mine = table.c.tid == tid, table.c.uid == uid, table.c.act == act, table.c.done.is_(None)
    row = db.execute(select(table).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise OperatorError(f"nothing is still to be told about {tid} {uid}")
    if not row.trouble:
        raise OperatorError("it has not been tried yet: wait until the host has told it, or says why it cannot")
    done = f"{now()} by {by.strip()}"
    db.execute(update(table).where(*mine).values(done=done))
    note(db, tid, "told by hand", f"{act} {uid}, by {by.strip()}: {why.strip()[:300]}")
    return int(row.amount)
