# SPDX-License-Identifier: MIT
"""What those outside are still to be told, until they have answered. Rows are written with what they are about.

`tell`: the host decided a void, tip or adjustment of a card payment. `undo`: a payment that somebody outside was asked
about came to nothing; that is done whether or not they ever received it (outside/issuer.py).
"""

import time
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from tools.host.store import upsert
from tools.host.store.schema import outbox as table
from tools.host.wire import kinds

TELL, UNDO = "tell", "undo"
_LEASE = 60_000  # ms: one process tells it; after that another may
_FIRST, _LONGEST = 2_000, 600_000  # ms between attempts
_TOGETHER = 50


class Unknown(NamedTuple):
    """A payment that this host does not have; one that was lost may have asked about it. `amount`: minor units."""

    tid: str
    uid: str
    mid: str
    type: str
    amount: int
    original: str | None = None


def tell(db: Connection, row: Row[Any]) -> None:
    """A payment that the host decided itself: tell the issuer if it changes a card payment."""
    if kinds.KINDS[row.type].source == kinds.NAMED:
        _put(db, row, TELL)


def undo(db: Connection, row: Row[Any] | Unknown) -> None:
    """A payment came to nothing: undo it outside if anybody there may know it."""
    if kinds.KINDS[row.type].source in (kinds.CARD, kinds.CODE, kinds.PAID_CODE, kinds.NAMED):
        _put(db, row, UNDO)


def is_anything_due(db: Connection) -> bool:
    """Whether there is a row to tell now."""
    waiting = select(table.c.uid).where(table.c.done.is_(None), _is_due(_now()))
    return db.execute(waiting.limit(1)).first() is not None


def due(db: Connection) -> list[Row[Any]]:
    """Take rows that are due, oldest first; nobody else gets them for a minute."""
    now = _now()
    waiting = select(table).where(table.c.done.is_(None), _is_due(now)).order_by(table.c.next_at, table.c.act)
    rows = list(db.execute(waiting.limit(_TOGETHER).with_for_update(skip_locked=True)).all())
    for row in rows:
        db.execute(update(table).where(*_key(row)).values(next_at=now + _LEASE, attempts=row.attempts + 1))
    return rows


def finish(db: Connection, row: Row[Any], at: str, trouble: str | None = None) -> None:
    """Store that a row is done, or the trouble and when it is tried again. `at`: the time now, as in the audit."""
    if trouble is None:
        db.execute(update(table).where(*_key(row)).values(done=at, trouble=None))
        return
    wait = min(_FIRST * 2 ** min(row.attempts, 10), _LONGEST)
    db.execute(update(table).where(*_key(row)).values(next_at=_now() + wait, trouble=trouble[:200]))


def open_rows(db: Connection, most: int = 200) -> list[Row[Any]]:
    """What is still to be told, oldest first, for the page."""
    return list(db.execute(select(table).where(table.c.done.is_(None)).order_by(table.c.at).limit(most)).all())


def hurry(db: Connection) -> None:
    """Let everything that waits for another attempt be due now."""
    db.execute(update(table).where(table.c.done.is_(None)).values(next_at=0))


def _put(db: Connection, row: Row[Any] | Unknown, act: str) -> None:
    values = {
        "tid": row.tid,
        "uid": row.uid,
        "act": act,
        "mid": row.mid,
        "type": row.type,
        "amount": row.amount,
        "original": row.original,
        "at": _at(),
        "attempts": 0,
        "next_at": 0,
    }
    upsert.insert_new(db, table, values)


def _is_due(now: int) -> ColumnElement[bool]:
    """Whether the time of a row has come; or is so far off that it was set by a clock that was wrong."""
    return or_(table.c.next_at <= now, table.c.next_at > now + 2 * _LONGEST)


def _key(row: Row[Any]) -> tuple[Any, ...]:
    return table.c.tid == row.tid, table.c.uid == row.uid, table.c.act == row.act, table.c.done.is_(None)


def _now() -> int:
    return time.time_ns() // 1_000_000


def _at() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
