# SPDX-License-Identifier: MIT
"""What was sent to the acquirer, as stored before it is sent. Each change names the state it expects.

    ASKED -> YES, NO             the acquirer's final answer
    ASKED, YES -> UNDOING -> UNDONE   a reversal: sent, and repeated until it is answered

A payment is UNDONE from the start if it was undone before it came here. Nothing of a card is stored.
"""

import datetime
import json
import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, or_, select, update

from tools.host.acquirers.card.dialect import Form
from tools.host.store import upsert
from tools.host.store.ledger import Ledger
from tools.host.store.schema import payment
from tools.host.store.schema_upstream import upstream as table
from tools.host.store.schema_upstream import upstream_number, upstream_settlement
from tools.host.wire import answers

ASKED, YES, NO, UNDOING, UNDONE = "ASKED", "YES", "NO", "UNDOING", "UNDONE"
_TOGETHER, _LAST = 100, 999_999
_HOST = ""  # rows that are of no terminal


def now() -> int:
    """ms since 1970, whole seconds, as DE 7 has them."""
    return time.time_ns() // 1_000_000_000 * 1000


class Numbers:
    """STANs of one connection, from 1 to 999999 and round. They are taken from the database in blocks, and used once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lock = threading.Lock()
        self._next = self._end = 0

    def take(self) -> str:
        """The next one, 6 digits. From any thread."""
        with self._lock:
            if self._next == self._end:
                with self._ledger.write() as db:
                    upsert.insert_new(db, upstream_number, {"tid": _HOST, "last": 0})
                    mine = upstream_number.c.tid == _HOST
                    last = db.execute(select(upstream_number.c.last).where(mine).with_for_update()).scalar_one()
                    db.execute(update(upstream_number).where(mine).values(last=last + _TOGETHER))
                self._next, self._end = last, last + _TOGETHER
            self._next += 1
            return f"{(self._next - 1) % _LAST + 1:06}"


class New(NamedTuple):
    """A transaction that is to be sent. `worth`: minor units that it brings the merchant."""

    tid: str
    uid: bytes
    mid: str
    form: Form
    amount: int
    currency: str
    worth: int
    stan: str


def open_(db: Connection, new: New) -> tuple[Row[Any], bool]:
    """Store a transaction before it is sent. Returns its row, locked, and whether it is new."""
    sent = now()
    row = _empty(new.tid, new.uid) | {
        "mid": new.mid,
        "state": ASKED,
        "kind": new.form.name,
        "amount": new.amount,
        "currency": new.currency,
        "worth": new.worth,
        "stan": new.stan,
        "sent": sent,
    }
    is_new = upsert.insert_new(db, table, row)
    return _one(db, new.tid, new.uid.hex()), bool(is_new)


def find(db: Connection, tid: str, uid: bytes) -> Row[Any] | None:
    """What was sent about a payment."""
    return db.execute(select(table).where(table.c.tid == tid, table.c.uid == uid.hex())).one_or_none()


def original(db: Connection, tid: str, uid: bytes) -> Row[Any] | None:
    """What was sent about the payment that a refund or completion is about."""
    mine = select(payment.c.original_tid, payment.c.original).where(payment.c.tid == tid, payment.c.uid == uid.hex())
    named = db.execute(mine).one_or_none()
    return find(db, named.original_tid, bytes.fromhex(named.original)) if named and named.original else None


def end(db: Connection, row: Row[Any], state: str, values: dict[str, Any]) -> Row[Any]:
    """Store the acquirer's answer, if it is still wanted: YES, NO, ASKED (not final), or UNDOING."""
    mine = table.c.tid == row.tid, table.c.uid == row.uid, table.c.state == ASKED
    db.execute(update(table).where(*mine).values(state=state, **values))
    return _one(db, row.tid, row.uid)


def begin_undo(db: Connection, tid: str, uid: bytes, stan: str) -> Row[Any]:
    """A payment comes to nothing. `stan`: of its reversal, if it has none yet."""
    gone = _empty(tid, uid) | {"state": UNDONE, "code": answers.INVALID}
    upsert.insert_new(db, table, gone)
    mine = table.c.tid == tid, table.c.uid == uid.hex()
    db.execute(update(table).where(*mine, table.c.state.in_((ASKED, YES))).values(state=UNDOING))
    db.execute(update(table).where(*mine, table.c.state == UNDOING, table.c.undo_stan.is_(None)).values(undo_stan=stan))
    return _one(db, tid, uid.hex())


def send_undo(db: Connection, row: Row[Any]) -> tuple[Row[Any], bool]:
    """The reversal is about to be sent. Returns its row, and whether for the first time."""
    mine = table.c.tid == row.tid, table.c.uid == row.uid
    first = db.execute(update(table).where(*mine, table.c.undo_sent.is_(None)).values(undo_sent=now())).rowcount
    return _one(db, row.tid, row.uid), bool(first)


def end_undo(db: Connection, row: Row[Any], day: str, their_code: str) -> None:
    """The reversal was answered."""
    mine = table.c.tid == row.tid, table.c.uid == row.uid, table.c.state == UNDOING
    values = {"state": UNDONE, "undo_day": day, "code": answers.INVALID, "their_code": their_code}
    db.execute(update(table).where(*mine).values(values))


def of_day(db: Connection, day: str) -> tuple[list[Row[Any]], list[Row[Any]]]:
    """What was approved on a day and not reversed on it; and what was reversed on it and approved before."""
    there = or_(table.c.state.in_((YES, UNDOING)), table.c.undo_day > day)
    approved = select(table).where(table.c.day == day, there)
    taken_back = select(table).where(table.c.undo_day == day, table.c.state == UNDONE, table.c.day < day)
    return list(db.execute(approved).all()), list(db.execute(taken_back).all())


def open_rows(db: Connection, before: int) -> list[Row[Any]]:
    """What was sent before a time (ms since 1970) and has no final answer."""
    waiting = select(table).where(table.c.state.in_((ASKED, UNDOING)), table.c.sent < before)
    return list(db.execute(waiting.order_by(table.c.sent)).all())


def by_rrn(db: Connection, numbers: Iterable[str]) -> list[Row[Any]]:
    """What has these reference numbers of the acquirer."""
    return list(db.execute(select(table).where(table.c.rrn.in_(list(numbers)))).all())


def open_settlement(
    db: Connection, day: str, currency: str, totals: dict[str, int], stan: str
) -> tuple[Row[Any], bool]:
    """Store a day's totals before they are sent. Returns the row, and whether it was sent before.

    One that was not answered stays as it is; one that differed is made anew.
    """
    key = {"tid": _HOST, "day": day, "currency": currency}
    row = {**key, "stan": stan, "sent": now(), "totals": json.dumps(totals), "answer": None, "result": None}
    new = upsert.insert_new(db, upstream_settlement, row)
    mine = [upstream_settlement.c[name] == value for name, value in key.items()]
    found = db.execute(select(upstream_settlement).where(*mine).with_for_update()).one()
    if found.result == "differs":
        db.execute(update(upstream_settlement).where(*mine).values(row))
        return db.execute(select(upstream_settlement).where(*mine)).one(), False
    return found, not new


def end_settlement(db: Connection, row: Row[Any], answer: dict[str, int], result: str) -> None:
    """Store the acquirer's totals. `result`: balanced or differs."""
    mine = [upstream_settlement.c[name] == getattr(row, name) for name in ("tid", "day", "currency")]
    open_only = upstream_settlement.c.result.is_(None)
    db.execute(update(upstream_settlement).where(*mine, open_only).values(answer=json.dumps(answer), result=result))


def day_of(sent: int, text: str, form: str) -> str:
    """The acquirer's day (YYYY-MM-DD) that `text` says in an answer, near the time `sent` (ms); without it, that time's.

    Raises ValueError.
    """
    near = datetime.datetime.fromtimestamp(sent / 1000).date()
    if not text:
        return f"{near}"
    years = (near.year - 1, near.year, near.year + 1)
    found: list[datetime.date] = []
    for year in years:
        try:
            if "%y" in form.lower():
                found.append(datetime.datetime.strptime(text, form).date())
            else:  # with its year, or else 29 February could not be read
                found.append(datetime.datetime.strptime(f"{year} {text}", f"%Y {form}").date())
        except ValueError:
            continue
    if not found:
        raise ValueError("a day that is none")
    return f"{min(found, key=lambda day: abs((day - near).days))}"


def _empty(tid: str, uid: bytes) -> dict[str, Any]:
    words = dict.fromkeys(("mid", "kind", "currency", "stan", "rrn", "their_code", "text_en", "text_zh"), "")
    return {"tid": tid, "uid": uid.hex(), "amount": 0, "worth": 0, "sent": 0, **words}


def _one(db: Connection, tid: str, uid: str) -> Row[Any]:
    return db.execute(select(table).where(table.c.tid == tid, table.c.uid == uid).with_for_update()).one()
