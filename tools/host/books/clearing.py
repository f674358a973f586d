# SPDX-License-Identifier: MIT
"""When a batch closes, its money moves from terminal clearing to the merchant: one posting for a batch and merchant."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from tools.host.books import statement, totals
from tools.host.books.double_entry import CLEARING, PAYABLE, REFUNDS
from tools.host.store.schema import payment
from tools.host.wire import kinds

NOT_CLEARED = kinds.with_effect(kinds.NOTHING, kinds.IN_CASH, kinds.OUT_OF_CASH)  # never on terminal clearing
_REFUNDS = (kinds.REFUND, kinds.QR_REFUND)


class Cleared(NamedTuple):
    """What a batch brings a merchant, minor units: sales less voids, and refunds (positive)."""

    sales: int = 0
    refunds: int = 0


def posting_of(tid: str, epoch: int, number: str) -> str:
    """What the posting of a closed batch is called."""
    return f"batch {tid} {epoch} {number}"


def close(db: Connection, tid: str, epoch: int, number: str, day: str) -> None:
    """Move what a batch holds, in the transaction that closes it. `day`: the host's local date."""
    for mid, (sales, refunds) in sorted(of_batch(db, tid, epoch, number).items()):
        legs = {CLEARING: sales - refunds, PAYABLE: -sales, REFUNDS: refunds}
        statement.post(db, mid, posting_of(tid, epoch, number), statement.BATCH, day, legs, (tid, epoch, number))


def of_batch(db: Connection, tid: str, epoch: int, number: str) -> dict[str, Cleared]:
    """What a batch brings, by merchant, added up from its payments."""
    sums = select(payment.c.mid, payment.c.type, func.sum(payment.c.worth)).group_by(payment.c.mid, payment.c.type)
    counted = totals.in_batch(tid, epoch, number) & (payment.c.state == "APPROVED") & (payment.c.quarantined == 0)
    found: dict[str, Cleared] = {}
    for mid, kind, worth in db.execute(sums.where(counted, payment.c.type.not_in(NOT_CLEARED))):
        so_far = found.get(mid, Cleared())
        if kind in _REFUNDS:
            found[mid] = so_far._replace(refunds=so_far.refunds - int(worth))
        else:
            found[mid] = so_far._replace(sales=so_far.sales + int(worth))
    return found
