# SPDX-License-Identifier: MIT
"""What a batch comes to: card payments with a final yes. Cash is outside; a voided sale counts, and its void against it."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, select

from tools.host.schema import payment

_VOID, _CASH = "23", "71"


class Totals(NamedTuple):
    """Sums (minor units) and counts: sales, and what was taken back."""

    debit_amount: int = 0
    debit_count: int = 0
    credit_amount: int = 0
    credit_count: int = 0


def in_batch(tid: str, epoch: int, number: str) -> ColumnElement[bool]:
    """The payments that count in a batch."""
    return and_(payment.c.tid == tid, payment.c.epoch == epoch, payment.c.settled_in == number)


def of_batch(db: Connection, tid: str, epoch: int, number: str) -> Totals:
    """The totals as the host has them."""
    counted = in_batch(tid, epoch, number) & (payment.c.state == "APPROVED")

    def of(which: ColumnElement[bool]) -> tuple[int, int]:
        amount, count = db.execute(
            select(func.coalesce(func.sum(payment.c.amount), 0), func.count()).where(counted, which)
        ).one()
        return amount, count

    return Totals(*of(payment.c.type.not_in((_CASH, _VOID))), *of(payment.c.type == _VOID))
