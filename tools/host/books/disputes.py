# SPDX-License-Identifier: MIT
"""Disputed payments: the money is withheld from the merchant until the dispute is won or lost. One for each payment."""

from typing import Any

from sqlalchemy import Connection, Row, select

from tools.host.books import merchants, statement
from tools.host.books.double_entry import DISPUTES, PAYABLE, TILL, accounts_of, note, now
from tools.host.books.money import text
from tools.host.errors import OperatorError
from tools.host.store.schema import payment
from tools.host.store.schema_books import statement as posted

WON, LOST = "won", "lost"


def begin(db: Connection, reference: str, amount: int, by: str, why: str) -> None:
    """Withhold an amount (minor units) because of a payment, by RRN. Raises OperatorError."""
    row = _payment(db, reference)
    if not 0 < amount <= row.worth:
        raise OperatorError(f"{reference} was {text(row.worth)}: no more than that can be disputed")
    if accounts_of(row.type)[0] == TILL:
        raise OperatorError(f"{reference} was paid in cash, which the merchant has: there is nothing to withhold")
    merchants.lock(db, row.mid)
    if _legs(db, row, ""):
        raise OperatorError(f"{reference} is or was disputed already")
    statement.post(db, row.mid, _name(row), "dispute", now()[:10], {PAYABLE: amount, DISPUTES: -amount})
    note(db, row.tid, "dispute", f"{reference}, {text(amount)}, by {by}: {why}")


def end(db: Connection, reference: str, how: str, by: str, why: str) -> None:
    """`how`: WON, the merchant gets it back; LOST, the acquirer or wallet takes it. Raises OperatorError."""
    row = _payment(db, reference)
    merchants.lock(db, row.mid)
    held = -_legs(db, row, "").get(DISPUTES, 0)
    if not held or _legs(db, row, " ended"):
        raise OperatorError(f"{reference} is not disputed")
    to = PAYABLE if how == WON else accounts_of(row.type)[0]
    statement.post(db, row.mid, f"{_name(row)} ended", f"dispute {how}", now()[:10], {DISPUTES: held, to: -held})
    note(db, row.tid, f"dispute {how}", f"{reference}, {text(held)}, by {by}: {why}")


def _payment(db: Connection, reference: str) -> Row[Any]:
    approved = payment.c.rrn == reference, payment.c.state == "APPROVED"
    rows = db.execute(select(payment).where(*approved)).all()
    if len(rows) != 1:
        raise OperatorError(f"no approved payment has the reference {reference}")
    return rows[0]


def _name(row: Row[Any]) -> str:
    return f"dispute {row.tid} {row.uid}"


def _legs(db: Connection, row: Row[Any], end: str) -> dict[str, int]:
    mine = posted.c.mid == row.mid, posted.c.posting == f"{_name(row)}{end}"
    return {account: amount for account, amount in db.execute(select(posted.c.account, posted.c.amount).where(*mine))}
