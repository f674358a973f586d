# SPDX-License-Identifier: MIT
"""Held payments: the terminal uploaded them as paid, and the checks refused them. People decide, once and for ever.

Settled: the merchant gets the amount, with the next settlement and without a fee; the acquirer or wallet owes it.
Refused: nothing is booked. The payment itself and its batch stay as they are (docs/books.md).
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from tools.host.books import merchants, statement
from tools.host.books.double_entry import CLEARING, PAYABLE, accounts_of, note, now
from tools.host.books.money import text
from tools.host.errors import OperatorError
from tools.host.operations.hand_in import check_name
from tools.host.store import upsert
from tools.host.store.schema import payment, tombstone
from tools.host.store.schema_behind import held as table
from tools.host.transactions import terminals
from tools.host.wire import kinds

SETTLED, REFUSED = "settled", "refused"
_MONEY = kinds.with_effect(
    kinds.DEBIT, kinds.CREDIT, kinds.IN_CASH, kinds.OUT_OF_CASH, kinds.IN_QR, kinds.OUT_OF_QR
) - {kinds.VOID, kinds.COMPLETION_VOID}


def may_settle(kind: str) -> bool:
    """Whether a payment of this kind moves an amount of its own. A void or a tip changes another payment."""
    return kind in _MONEY


def is_open() -> ColumnElement[bool]:
    """The held payments that nobody has decided about, and that were not approved by another way since."""
    mine = payment.c.tid == table.c.tid, payment.c.uid == table.c.uid, payment.c.state == "APPROVED"
    return table.c.ended.is_(None) & ~select(payment.c.uid).where(*mine).exists()


def listed(db: Connection, most: int = 1000, every: bool = False) -> Sequence[Row[Any]]:
    """The held payments without a decision, by terminal and sequence; or all."""
    wanted = select(table).order_by(table.c.tid, table.c.epoch, table.c.sequence).limit(most)
    return db.execute(wanted if every else wanted.where(is_open())).all()


def decide(db: Connection, tid: str, uid: str, verdict: str, by: str, why: str) -> int:
    """Settle or refuse a held payment. Returns what the merchant gets, minor units; negative if it gives back.

    Raises OperatorError if it is not held, was decided before, or cannot be settled.
    """
    check_name(by)
    if verdict not in (SETTLED, REFUSED) or not why.strip():
        raise OperatorError("say what is decided, and why")
    terminal = terminals.load(db, tid)  # locked: its uploads wait
    mine = table.c.tid == tid, table.c.uid == uid
    row = db.execute(select(table).where(*mine).with_for_update()).one_or_none()
    if row is None or terminal is None:
        raise OperatorError(f"{tid} has no held payment {uid}")
    if row.ended:
        raise OperatorError(f"record {row.sequence} of {tid} was {row.verdict} by {row.by} already")
    known = _payment(db, tid, uid)
    worth = kinds.signed(row.type, row.amount)
    if verdict == SETTLED:
        _check(db, row, known, terminal.quarantine)
    done = {"verdict": verdict, "by": by, "reason": why.strip()[:500], "ended": now()}
    if db.execute(update(table).where(*mine, table.c.ended.is_(None)).values(**done)).rowcount != 1:
        raise OperatorError(f"record {row.sequence} of {tid} was decided at the same time")
    if verdict == SETTLED:
        mid = known.mid if known is not None else row.mid
        debit, credit = accounts_of(row.type)
        if credit == CLEARING:
            merchants.lock(db, mid)
            credit = PAYABLE
        legs = {debit: worth, credit: -worth}
        statement.post(db, mid, f"held {tid} {uid}", "held payment settled", now()[:10], legs)
    if known is None:
        upsert.insert_new(db, tombstone, {"tid": tid, "uid": uid, "at": now()})  # it is never taken in as well
    detail = f"record {row.sequence} of epoch {row.epoch}, {text(worth)}, uid {uid}, by {by}: {why.strip()}"
    note(db, tid, f"held payment {verdict}", detail)
    return worth if verdict == SETTLED else 0


def _check(db: Connection, row: Row[Any], known: Row[Any] | None, quarantine: str | None) -> None:
    """Raises OperatorError if a held payment cannot be settled."""
    if not may_settle(row.type):
        raise OperatorError("it has no amount of its own: refuse it, and put the payment that it changes right")
    if quarantine:
        raise OperatorError(f"{row.tid} is in quarantine ({quarantine}): clear it first")
    buried = tombstone.c.tid == row.tid, tombstone.c.uid == row.uid
    if known is None and db.execute(select(tombstone.c.uid).where(*buried)).first():
        raise OperatorError("it was reversed: it can only be refused")
    if known is not None and known.state == "REVERSED":
        raise OperatorError("it was reversed: it can only be refused")


def _payment(db: Connection, tid: str, uid: str) -> Row[Any] | None:
    """The payment itself, locked, if the host has it. Raises OperatorError if it is or may still be paid."""
    mine = payment.c.tid == tid, payment.c.uid == uid
    row = db.execute(select(payment).where(*mine).with_for_update()).one_or_none()
    if row is not None and row.state == "APPROVED":
        raise OperatorError("it was approved since: nothing is left to decide")
    if row is not None and row.state == "RECEIVED":
        raise OperatorError("it has no final answer yet: wait for that")
    return row
