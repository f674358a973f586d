# SPDX-License-Identifier: MIT
"""Settlement: what a merchant gets for the batches that closed on a day, once for each merchant and day.

A closed batch is in one settlement. What cannot be paid out, or comes back from the bank, is carried to the next. Days
to come, which a wrong clock made, do not hold back those of today.
"""

import datetime
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select, update

from tools.host.books import merchants, statement
from tools.host.books.clearing import Cleared
from tools.host.books.double_entry import BANK, FEES, PAYABLE, PAYOUTS, REFUNDS, note, now
from tools.host.books.money import text
from tools.host.errors import OperatorError
from tools.host.store.schema import balance
from tools.host.store.schema_books import settled, settlement
from tools.host.store.schema_books import statement as posted

NONE, ORDERED, PAID, FAILED = "none", "ordered", "paid", "failed"
_UNIT = 10_000  # basis points


def open_mids(db: Connection, day: str) -> list[str]:
    """The merchants with closed batches of this day or earlier that are in no settlement, or with money from before."""
    closed = select(posted.c.mid).where(posted.c.reason == statement.BATCH, _is_over(day), ~_is_settled())
    owing = select(balance.c.mid).where(balance.c.account == PAYABLE, balance.c.tid == "", balance.c.amount != 0)
    return sorted(set(db.execute(closed.distinct()).scalars()) | set(db.execute(owing).scalars()))


def make(db: Connection, mid: str, day: str, run: int) -> bool:
    """Settle one merchant's day. `run`: of those that share a payment file. False if it was done, or there is nothing.

    Raises OperatorError if the merchant is not known, or a later day is settled already.
    """
    merchant = merchants.lock(db, mid)
    before_now = or_(settlement.c.day == day, settlement.c.day <= f"{datetime.date.today()}")
    mine = select(settlement.c.day).where(settlement.c.mid == mid, settlement.c.day >= day, before_now)
    later = db.execute(mine.order_by(settlement.c.day)).scalars().all()
    if day in later:
        return False
    if later:
        raise OperatorError(f"{mid}: {later[0]} is settled already, so {day} is over")
    closed = _closed(db, mid, day)
    sales, refunds = sum(one.sales for one in closed.values()), sum(one.refunds for one in closed.values())
    carried = _carried(db, mid)
    if not closed and carried <= 0:
        return False
    fee = (max(sales, 0) * merchant.fee + _UNIT // 2) // _UNIT
    net = carried + sales - refunds - fee
    row = {
        "mid": mid, "day": day, "run": run, "sales": sales, "refunds": refunds, "rate": merchant.fee, "fee": fee,
        "carried": carried, "net": net, "name": merchant.name, "account": merchant.account, "bic": merchant.bic,
        "currency": merchant.currency, "payout": ORDERED if net > 0 else NONE, "at": now(),
    }  # fmt: skip
    db.execute(insert(settlement).values(row))
    if closed:
        db.execute(insert(settled), [{"mid": mid, "posting": posting, "day": day} for posting in sorted(closed)])
    legs = {PAYABLE: refunds + fee, REFUNDS: -refunds, FEES: -fee}
    statement.post(db, mid, f"settlement {day}", "settlement", day, legs)
    if net > 0:
        statement.post(db, mid, f"payout {day}", "payout", day, {PAYABLE: net, PAYOUTS: -net})
    note(db, None, "settled", f"{mid}, {day}: {len(closed)} batches, {text(net)} {merchant.currency}")
    return True


def paid(db: Connection, mid: str, day: str, by: str) -> None:
    """The bank has paid out a settlement. Raises OperatorError if it was not ordered."""
    row = _take(db, mid, day, PAID, (ORDERED,), None)
    statement.post(db, mid, f"payout {day} paid", "payout paid", now()[:10], {PAYOUTS: row.net, BANK: -row.net})
    note(db, None, "payout paid", f"{mid}, {day}: {text(row.net)} {row.currency}, by {by}")


def failed(db: Connection, mid: str, day: str, by: str, why: str) -> None:
    """The bank did not pay out, or the money came back: it is owed again. Raises OperatorError if it was not ordered."""
    row = _take(db, mid, day, FAILED, (ORDERED, PAID), why)
    source = PAYOUTS if row.payout == ORDERED else BANK
    legs = {source: row.net, PAYABLE: -row.net}
    statement.post(db, mid, f"payout {day} failed", "payout failed", now()[:10], legs)
    note(db, None, "payout failed", f"{mid}, {day}: {text(row.net)} {row.currency}, by {by}: {why}")


def of_day(db: Connection, day: str, mid: str | None = None) -> Sequence[Row[Any]]:
    """The settlements of a day, by merchant; or the one of a merchant."""
    wanted = select(settlement).where(settlement.c.day == day).order_by(settlement.c.mid)
    return db.execute(wanted if mid is None else wanted.where(settlement.c.mid == mid)).all()


def _take(db: Connection, mid: str, day: str, state: str, states: tuple[str, ...], why: str | None) -> Row[Any]:
    """Change the state of a payout from one of `states`; returns the row as it was."""
    merchants.lock(db, mid)
    mine = settlement.c.mid == mid, settlement.c.day == day
    row = db.execute(select(settlement).where(*mine).with_for_update()).one_or_none()
    if row is None:
        raise OperatorError(f"{mid} has no settlement of {day}")
    if row.payout not in states:
        raise OperatorError(f"the payout of {mid}, {day} is {row.payout}, not {' or '.join(states)}")
    db.execute(update(settlement).where(*mine, settlement.c.payout == row.payout).values(payout=state, why=why))
    return row


def _closed(db: Connection, mid: str, day: str) -> dict[str, Cleared]:
    """What closed batches that are in no settlement bring, by posting. `day`: the newest."""
    rows = select(posted.c.posting, posted.c.account, posted.c.amount)
    mine = posted.c.mid == mid, posted.c.reason == statement.BATCH, _is_over(day), ~_is_settled()
    found: dict[str, Cleared] = {}
    for posting, account, amount in db.execute(rows.where(*mine)):
        so_far = found.get(posting, Cleared())
        if account == PAYABLE:
            so_far = so_far._replace(sales=-amount)
        elif account == REFUNDS:
            so_far = so_far._replace(refunds=amount)
        found[posting] = so_far
    return found


def _is_over(day: str) -> ColumnElement[bool]:
    """Whether a batch closed on this day or before; or on a day to come, when the host's clock was wrong."""
    return or_(posted.c.day <= day, posted.c.day > f"{datetime.date.today()}")


def _is_settled() -> Any:
    return select(settled.c.mid).where(settled.c.mid == posted.c.mid, settled.c.posting == posted.c.posting).exists()


def _carried(db: Connection, mid: str) -> int:
    """What is owed from before, whatever closes meanwhile: sales of all settlements, less what was posted since.

    Closed batches are posted to the merchant under their terminal, all else without one.
    """
    sales = db.execute(select(func.sum(settlement.c.sales)).where(settlement.c.mid == mid)).scalar_one() or 0
    mine = balance.c.mid == mid, balance.c.tid == "", balance.c.account == PAYABLE
    return int(sales) - (db.execute(select(balance.c.amount).where(*mine)).scalar_one_or_none() or 0)
