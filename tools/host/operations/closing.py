# SPDX-License-Identifier: MIT
"""An operator closes the open batch of a terminal that never comes back, with what the host has.

A new epoch begins, so that a terminal that does come back sends what it still holds, and closes its batch by itself.
"""

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, select, update

from tools.host.books import clearing, double_entry, totals
from tools.host.errors import OperatorError
from tools.host.operations.hand_in import check_name
from tools.host.store import upsert
from tools.host.store.schema import batch as table
from tools.host.store.schema import payment
from tools.host.transactions import chain, epochs, terminals
from tools.host.transactions.request_context import is_asked
from tools.host.transactions.terminals import Terminal
from tools.host.wire import kinds

_LISTED = 200


def run(db: Connection, tid: str, by: str, despite: bool) -> dict[str, Any]:
    """Close every open batch of a terminal. Returns the report, amounts in minor units.

    `despite`: close although records are missing or payments have no final answer; such payments move to the next
    batch. Raises OperatorError, with everything that is in the way.
    """
    check_name(by)
    terminal = terminals.load(db, tid)
    if terminal is None:
        raise OperatorError(f"terminal {tid} is not registered here")
    mine = table.c.tid == tid, table.c.state == "open"
    rows = db.execute(select(table).where(*mine).order_by(table.c.epoch, table.c.number)).all()
    if not rows:
        raise OperatorError(f"{tid} has no open batch")
    if terminal.quarantine:
        raise OperatorError(f"{tid} is in quarantine ({terminal.quarantine}): clear it first (tools.host clear)")
    if not terminal.begun and not _holds_money(db, tid, rows):
        raise OperatorError(f"{tid} is closed already: epoch {terminal.epoch} begins when it comes back")
    undecided = [one for row in rows for one in _undecided(db, tid, row.epoch, row.number)]
    if any(is_asked(one) for one in undecided):
        raise OperatorError("a payment is being decided: try again")
    missing = _missing(db, terminal)
    if (undecided or missing) and not despite:
        raise OperatorError("; ".join([*_words(undecided, missing)]) + ". Hand in its journal, or close despite that")
    closed = [_close(db, tid, row.epoch, row.number) for row in rows]
    terminals.next_epoch(db, terminal)
    for one in undecided:
        _move(db, one, epochs.open_number(db, terminal, one.epoch))
    for one in closed:
        what = f"by {by}: {one['batch']} of epoch {one['epoch']}, {one['debit_count']} for {one['debit_amount']}"
        double_entry.note(db, tid, "batch closed by an operator", "; ".join([what, *_words(undecided, missing)]))
    return {
        "at": double_entry.now(),
        "by": by,
        "terminal": tid,
        "merchant": terminal.mid,
        "batches": closed,
        "missing": missing[:_LISTED],
        "moved": [{"sequence": one.sequence, "amount": kinds.signed(one.type, one.amount)} for one in undecided],
        "next": {"epoch": terminal.epoch, "batch": f"{terminal.batch:06}"},
    }


def _holds_money(db: Connection, tid: str, batches: Sequence[Any]) -> bool:
    """Whether any of these batches has an approved payment."""
    for row in batches:
        approved = totals.in_batch(tid, row.epoch, row.number), payment.c.state == "APPROVED"
        if db.execute(select(func.count()).select_from(payment).where(*approved)).scalar_one():
            return True
    return False


def _undecided(db: Connection, tid: str, epoch: int, number: str) -> list[Any]:
    """Payments without a final answer, locked: a decision that comes now finds them in the next batch."""
    where = totals.in_batch(tid, epoch, number), payment.c.state == "RECEIVED"
    return list(db.execute(select(payment).where(*where).order_by(payment.c.sequence).with_for_update()).all())


def _missing(db: Connection, terminal: Terminal) -> list[tuple[int, int]]:
    """Sequences that never arrived, as (first, last), in the epoch that the terminal was last in."""
    if not terminal.begun:
        return chain.gaps(db, terminal.tid, terminal.epoch - 1, terminal.start)
    return chain.gaps(db, terminal.tid, terminal.epoch, terminal.reported_sequence)


def _words(undecided: list[Any], missing: list[tuple[int, int]]) -> list[str]:
    """What is in the way of closing, one part each."""
    parts = []
    if undecided:
        parts.append(f"{len(undecided)} payments for {sum(one.amount for one in undecided)} have no final answer")
    if missing:
        ranges = ", ".join(str(first) if first == last else f"{first} to {last}" for first, last in missing[:10])
        parts.append(f"records {ranges}{' and more' * (len(missing) > 10)} never arrived")
    return parts


def _close(db: Connection, tid: str, epoch: int, number: str) -> dict[str, Any]:
    """Close one batch with the host's totals. Returns them, and the sums by kind."""
    sums = totals.of_batch(db, tid, epoch, number)
    which = table.c.tid == tid, table.c.epoch == epoch, table.c.number == number
    done = {"state": "closed", **sums._asdict(), "closed": double_entry.now()}
    db.execute(update(table).where(*which, table.c.state == "open").values(**done))
    clearing.close(db, tid, epoch, number, f"{datetime.date.today()}")
    by_kind: dict[str, list[int]] = {}
    approved = totals.in_batch(tid, epoch, number), payment.c.state == "APPROVED"
    for one in db.execute(select(payment.c.type, payment.c.worth).where(*approved)):
        cell = by_kind.setdefault(kinds.KINDS[one.type].name, [0, 0])
        cell[0], cell[1] = cell[0] + 1, cell[1] + (one.worth or 0)
    return {"epoch": epoch, "batch": number, **sums._asdict(), "kinds": by_kind}


def _move(db: Connection, row: Any, number: str) -> None:
    """Let a payment without a final answer count in another batch of its epoch."""
    values = {"tid": row.tid, "epoch": row.epoch, "number": number, "state": "open", "opened": double_entry.now()}
    upsert.insert_new(db, table, {**values, "mid": row.mid})
    mine = payment.c.tid == row.tid, payment.c.uid == row.uid, payment.c.state == "RECEIVED"
    db.execute(update(payment).where(*mine).values(settled_in=number))
