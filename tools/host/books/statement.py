# SPDX-License-Identifier: MIT
"""Entries that belong to no single payment: closed batches, settlements, payouts, disputes, what acquirers paid."""

from collections.abc import Mapping

from sqlalchemy import Connection, insert

from tools.host.books import double_entry
from tools.host.errors import BooksError
from tools.host.store.schema_books import statement as table

BATCH = "batch closed"


def post(
    db: Connection,
    mid: str,
    posting: str,
    reason: str,
    day: str,
    legs: Mapping[str, int],
    batch: tuple[str, int, str] | None = None,
) -> bool:
    """Post once. `posting`: what it is about, unique for the merchant. `legs`: account -> amount, debits positive.

    `batch`: terminal, epoch and number, if it is about one. Returns False if no money moves. Raises BooksError if the
    legs do not sum to zero, IntegrityError if this was posted before.
    """
    if sum(legs.values()):
        raise BooksError(f"{posting}: its entries do not sum to zero")
    tid, epoch, number = batch or ("", None, None)
    about = {"mid": mid, "posting": posting, "reason": reason, "tid": tid, "epoch": epoch, "batch": number}
    when = {"at": double_entry.now(), "day": day}
    rows = [{**about, **when, "account": name, "amount": amount} for name, amount in sorted(legs.items()) if amount]
    if not rows:
        return False
    db.execute(insert(table), rows)
    double_entry.add_up(db, rows)
    return True
