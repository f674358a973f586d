# SPDX-License-Identifier: MIT
"""Double-entry bookkeeping: entries for approved payments, their reversals, and the audit log."""

import datetime
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from tools.host.store.schema import audit, entry, payment
from tools.host.wire import kinds

CARDS = "card receivable"  # owed to us by card issuers
WALLETS = "wallet receivable"  # owed to us by wallets
TILL = "cash in till"
MERCHANT = "merchant payable"  # card and code sales we owe the merchant
SALES = "cash sales"
QUARANTINE = "quarantine"  # holds money from both until a supervisor clears the terminal
ACCOUNTS = (CARDS, WALLETS, TILL, MERCHANT, SALES, QUARANTINE)


_CASH, _CODES, _CARDS = (TILL, SALES), (WALLETS, MERCHANT), (CARDS, MERCHANT)  # (debited, credited)
_ACCOUNTS = {kinds.IN_CASH: _CASH, kinds.OUT_OF_CASH: _CASH, kinds.IN_QR: _CODES, kinds.OUT_OF_QR: _CODES}


def now() -> str:
    """The time for the host's own records: UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def note(db: Connection, tid: str | None, what: str, detail: str) -> None:
    """Append a line to the audit, which is append-only. Never pass keys or card data."""
    db.execute(insert(audit), {"at": now(), "tid": tid, "what": what, "detail": detail})


def legs(payment_id: int, kind: str, worth: int, quarantined: bool) -> list[dict[str, Any]]:
    """Both legs of an approved payment; none if no money moves. `worth`: net value to the merchant, minor units."""
    debit, credit = _ACCOUNTS.get(kinds.KINDS[kind].effect, _CARDS)
    return _legs(payment_id, worth, debit, QUARANTINE if quarantined else credit, kinds.KINDS[kind].name)


def post(db: Connection, legs: Iterable[dict[str, Any]]) -> None:
    """Write legs made by this module, both sides in one statement."""
    rows = list(legs)
    if rows:
        db.execute(insert(entry), rows)


def reverse(db: Connection, payment_id: int) -> None:
    """Reverse everything a payment has on the books, account by account."""
    balance = func.sum(entry.c.amount)
    held = select(entry.c.account, balance).where(entry.c.payment_id == payment_id).group_by(entry.c.account)
    post(db, [_leg(payment_id, name, -amount, "reversal") for name, amount in db.execute(held) if amount])


def release(db: Connection, tid: str) -> None:
    """Move a terminal's quarantined money to the accounts it belongs to."""
    held = select(payment.c.id, payment.c.type, func.sum(entry.c.amount))
    mine = payment.c.tid == tid, payment.c.quarantined == 1, entry.c.account == QUARANTINE
    rows = db.execute(held.join(entry, entry.c.payment_id == payment.c.id).where(*mine).group_by(payment.c.id)).all()
    for number, kind, amount in rows:
        _, credit = _ACCOUNTS.get(kinds.KINDS[kind].effect, _CARDS)
        post(db, _legs(number, -amount, QUARANTINE, credit, "release"))
    db.execute(update(payment).where(payment.c.tid == tid).values(quarantined=0))


def balances(db: Connection) -> dict[str, int]:
    """The balance of each account in minor units; debits are positive."""
    sums = dict(db.execute(select(entry.c.account, func.sum(entry.c.amount)).group_by(entry.c.account)).all())
    return {name: sums.get(name, 0) for name in ACCOUNTS}


def unbalanced(db: Connection) -> list[int]:
    """Ids of payments whose entries do not sum to zero. A non-empty list means the books are wrong."""
    wrong = select(entry.c.payment_id).group_by(entry.c.payment_id).having(func.sum(entry.c.amount) != 0)
    return list(db.execute(wrong).scalars())


def _legs(payment_id: int, amount: int, debit: str, credit: str, reason: str) -> list[dict[str, Any]]:
    if not amount:
        return []
    return [_leg(payment_id, debit, amount, reason), _leg(payment_id, credit, -amount, reason)]


def _leg(payment_id: int, name: str, amount: int, reason: str) -> dict[str, Any]:
    return {"payment_id": payment_id, "account": name, "amount": amount, "reason": reason, "at": now()}
