# SPDX-License-Identifier: MIT
"""Double entry: what an approved payment does to the accounts, how a reversal undoes it; and the audit."""

import datetime
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from tools.host.schema import audit, entry, payment

CARDS = "card receivable"  # owed to us by card issuers
TILL = "cash in till"
MERCHANT = "merchant payable"  # card sales we owe the merchant
SALES = "cash sales"
QUARANTINE = "quarantine"  # either, until a supervisor clears the terminal
ACCOUNTS = (CARDS, TILL, MERCHANT, SALES, QUARANTINE)


def now() -> str:
    """The time of the host's own records: UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def note(db: Connection, tid: str | None, what: str, detail: str) -> None:
    """One line in the audit, which nobody can change afterwards. Never keys or card data."""
    db.execute(insert(audit), {"at": now(), "tid": tid, "what": what, "detail": detail})


def sale(payment_id: int, amount: int, cash: bool, quarantined: bool) -> list[dict[str, Any]]:
    """Both legs of an approved payment; none for an amount of zero. Of a void the amount is below zero."""
    debit, credit = (TILL, SALES) if cash else (CARDS, MERCHANT)
    return _legs(payment_id, amount, debit, QUARANTINE if quarantined else credit, "sale" if amount > 0 else "void")


def post(db: Connection, legs: Iterable[dict[str, Any]]) -> None:
    """Write legs made by this module; both sides in one statement."""
    rows = list(legs)
    if rows:
        db.execute(insert(entry), rows)


def reverse(db: Connection, payment_id: int) -> None:
    """Undo whatever a payment has on the books, account by account."""
    balance = func.sum(entry.c.amount)
    held = select(entry.c.account, balance).where(entry.c.payment_id == payment_id).group_by(entry.c.account)
    post(db, [_leg(payment_id, name, -amount, "reversal") for name, amount in db.execute(held) if amount])


def release(db: Connection, tid: str) -> None:
    """Move a terminal's quarantined money to where it would have gone."""
    waiting = select(payment).where(payment.c.tid == tid, payment.c.quarantined == 1)
    for row in db.execute(waiting).all():
        if row.state == "APPROVED":
            target = SALES if row.type == "71" else MERCHANT
            post(db, _legs(row.id, -row.amount if row.type == "23" else row.amount, QUARANTINE, target, "release"))
    db.execute(update(payment).where(payment.c.tid == tid).values(quarantined=0))


def balances(db: Connection) -> dict[str, int]:
    """Balance of each account, minor units, debits above zero."""
    sums = dict(db.execute(select(entry.c.account, func.sum(entry.c.amount)).group_by(entry.c.account)).all())
    return {name: sums.get(name, 0) for name in ACCOUNTS}


def unbalanced(db: Connection) -> list[int]:
    """Ids of payments whose entries do not sum to zero. Always empty, or the books are wrong."""
    wrong = select(entry.c.payment_id).group_by(entry.c.payment_id).having(func.sum(entry.c.amount) != 0)
    return list(db.execute(wrong).scalars())


def _legs(payment_id: int, amount: int, debit: str, credit: str, reason: str) -> list[dict[str, Any]]:
    if not amount:
        return []
    return [_leg(payment_id, debit, amount, reason), _leg(payment_id, credit, -amount, reason)]


def _leg(payment_id: int, name: str, amount: int, reason: str) -> dict[str, Any]:
    return {"payment_id": payment_id, "account": name, "amount": amount, "reason": reason, "at": now()}
