# SPDX-License-Identifier: MIT
"""The totals of a batch: card payments with a final yes, without cash and codes. A void counts as credit."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select

from tools.host.store.schema import payment
from tools.host.store.sums import total
from tools.host.wire import kinds

_DEBIT = kinds.with_effect(kinds.DEBIT)
_DEBIT_SUM = kinds.with_effect(kinds.DEBIT, kinds.REPLACES)
_CREDIT = kinds.with_effect(kinds.CREDIT)


class Totals(NamedTuple):
    """Amounts (minor units) and counts. Debit: sales and completions; credit: voids and refunds."""

    debit_amount: int = 0
    debit_count: int = 0
    credit_amount: int = 0
    credit_count: int = 0


def in_batch(tid: str, epoch: int, number: str) -> ColumnElement[bool]:
    """The payments that count in a batch, as a condition."""
    return and_(payment.c.tid == tid, payment.c.epoch == epoch, payment.c.settled_in == number)


def of_batch(db: Connection, tid: str, epoch: int, number: str) -> Totals:
    """The host's totals of a batch."""
    sums = select(payment.c.type, total(payment.c.worth), func.count())
    counted = in_batch(tid, epoch, number) & (payment.c.state == "APPROVED")
    rows = db.execute(sums.where(counted).group_by(payment.c.type)).all()
    return Totals(
        sum(worth for kind, worth, _ in rows if kind in _DEBIT_SUM),
        sum(count for kind, _, count in rows if kind in _DEBIT),
        -sum(worth for kind, worth, _ in rows if kind in _CREDIT),
        sum(count for kind, _, count in rows if kind in _CREDIT),
    )
