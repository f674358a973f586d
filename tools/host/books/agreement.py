# SPDX-License-Identifier: MIT
"""Whether the running sums agree with each other: cheap enough for a page. The whole is checked by full_audit.py."""

from sqlalchemy import Connection, and_, func, select

from tools.host.books.clearing import NOT_CLEARED
from tools.host.books.double_entry import CLEARING, PAYABLE, QUARANTINE, SALES, TILL
from tools.host.store.schema import balance, batch, turnover
from tools.host.store.schema_books import settlement


def disagreements(db: Connection) -> list[str]:
    """What does not agree, one line each; empty if all does. Reads running sums alone."""
    return [*_not_zero(db), *_open_batches(db), *_settlements(db)]


def _not_zero(db: Connection) -> list[str]:
    sums = select(balance.c.mid, func.sum(balance.c.amount)).group_by(balance.c.mid)
    rows = db.execute(sums.having(func.sum(balance.c.amount) != 0)).all()
    return [f"accounts of merchant {mid or '-'} sum to {amount}" for mid, amount in rows]


def _open_batches(db: Connection) -> list[str]:
    """Clearing and quarantine of each terminal hold what its open batches took by card and code."""
    this = and_(batch.c.tid == turnover.c.tid, batch.c.epoch == turnover.c.epoch, batch.c.number == turnover.c.batch)
    taken = select(turnover.c.tid, func.sum(turnover.c.worth)).select_from(batch).join(turnover, this)
    counted = batch.c.state == "open", turnover.c.type.not_in(NOT_CLEARED)
    expected = {tid: int(worth) for tid, worth in db.execute(taken.where(*counted).group_by(turnover.c.tid))}
    wanted = balance.c.account.in_((CLEARING, QUARANTINE, TILL, SALES))  # till and sales: cash held in quarantine
    sums = select(balance.c.tid, func.sum(balance.c.amount)).where(wanted).group_by(balance.c.tid)
    held = {tid: -int(amount) for tid, amount in db.execute(sums)}
    return [
        f"terminal {tid or '-'}: accounts hold {held.get(tid, 0)}, its open batches {expected.get(tid, 0)}"
        for tid in sorted(held.keys() | expected.keys())
        if held.get(tid, 0) != expected.get(tid, 0)
    ]


def _settlements(db: Connection) -> list[str]:
    """What was settled adds up, and what is payable is what was not paid out or was never settled."""
    total = settlement.c.carried + settlement.c.sales - settlement.c.refunds - settlement.c.fee
    wrong = select(settlement.c.mid, settlement.c.day).where(total != settlement.c.net)
    found = [f"settlement of {mid}, {day} does not add up" for mid, day in db.execute(wrong)]
    closed = select(balance.c.mid, -func.sum(balance.c.amount)).group_by(balance.c.mid)
    owed = dict(db.execute(closed.where(balance.c.account == PAYABLE, balance.c.tid != "")).all())
    sales = select(settlement.c.mid, func.sum(settlement.c.sales)).group_by(settlement.c.mid)
    return found + [
        f"merchant {mid}: {amount} was settled, but only {owed.get(mid, 0)} was in closed batches"
        for mid, amount in db.execute(sales)
        if amount > owed.get(mid, 0)
    ]
