# SPDX-License-Identifier: MIT
"""Double-entry bookkeeping: entries for approved payments, their reversals, and the audit log. See docs/books.md.

Entries are append-only, sum to zero, and are unique for each payment, account and reason: nothing can be posted twice.
What belongs to no single payment is in statement.py.
"""

import datetime
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from tools.host.errors import BooksError
from tools.host.store import numbers, upsert
from tools.host.store.schema import audit, balance, entry, payment
from tools.host.store.sums import total
from tools.host.wire import kinds

CARDS = "card receivable"  # owed to us by card issuers
WALLETS = "wallet receivable"  # owed to us by wallets
TILL = "cash in till"
SALES = "cash sales"
QUARANTINE = "quarantine"  # holds money from both until a supervisor clears the terminal
CLEARING = "terminal clearing"  # card and code payments of batches that are not closed yet
PAYABLE = "merchant payable"  # of closed batches, owed to the merchant
REFUNDS = "refunds"  # of closed batches, owed by the merchant, until they are set off in a settlement
FEES = "fees"  # what merchants pay us
COSTS = "acquirer fees"  # what we pay acquirers and wallets
DISPUTES = "disputes"  # withheld from merchants while a payment is disputed
PAYOUTS = "payouts under way"  # ordered, and not confirmed by the bank
BANK = "bank"
SUSPENSE = "suspense"  # money that nobody could assign yet
ACCOUNTS = (CARDS, WALLETS, TILL, SALES, QUARANTINE, CLEARING, PAYABLE, REFUNDS, FEES, COSTS, DISPUTES, PAYOUTS, BANK,
            SUSPENSE)  # fmt: skip

_CASH, _CODES, _CARDS = (TILL, SALES), (WALLETS, CLEARING), (CARDS, CLEARING)  # (debited, credited)
_ACCOUNTS = {kinds.IN_CASH: _CASH, kinds.OUT_OF_CASH: _CASH, kinds.IN_QR: _CODES, kinds.OUT_OF_QR: _CODES}


class Posted(NamedTuple):
    """What is posted: a payment by terminal and uid, and the merchant it was taken for."""

    tid: str
    uid: str
    mid: str


def now() -> str:
    """The time for the host's own records: UTC, to the millisecond."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def note(db: Connection, tid: str | None, what: str, detail: str) -> None:
    """Append a line to the audit, which is append-only. Never pass keys or card data. `tid`: None = the host itself."""
    db.execute(
        insert(audit), {"tid": tid or "", "number": numbers.new(), "at": now(), "what": what, "detail": detail[:500]}
    )


def legs(of: Posted, kind: str, worth: int, quarantined: bool, day: str) -> list[dict[str, Any]]:
    """Both legs of an approved payment; none if no money moves. `worth`: net value to the merchant, minor units."""
    debit, credit = accounts_of(kind)
    return _legs(of, worth, debit, QUARANTINE if quarantined else credit, kinds.KINDS[kind].name, day)


def accounts_of(kind: str) -> tuple[str, str]:
    """The accounts that a payment of this kind debits and credits."""
    return _ACCOUNTS.get(kinds.KINDS[kind].effect, _CARDS)


def post(db: Connection, legs: Iterable[dict[str, Any]]) -> None:
    """Write legs made by this module, both sides in one statement, and add them to the running balances.

    Raises IntegrityError if one of them was posted before, BooksError if a payment's do not sum to zero.
    """
    rows = list(legs)
    if rows:
        sums: dict[tuple[str, str, str], int] = {}
        for row in rows:
            key = row["tid"], row["uid"], row["reason"]
            sums[key] = sums.get(key, 0) + row["amount"]
        if any(sums.values()):
            raise BooksError(f"entries that do not sum to zero: {[key for key, amount in sums.items() if amount]}")
        db.execute(insert(entry), rows)
        add_up(db, rows)


def add_up(db: Connection, rows: Iterable[dict[str, Any]]) -> None:
    """Add entries to the running balances."""
    sums: dict[tuple[str, str, str], int] = {}
    for row in rows:
        key = row["tid"], row["mid"], row["account"]
        sums[key] = sums.get(key, 0) + row["amount"]
    changes = [{"tid": key[0], "mid": key[1], "account": key[2], "amount": sums[key]} for key in sorted(sums)]
    upsert.add(db, balance, changes, "amount")


def reverse(db: Connection, of: Posted, day: str) -> None:
    """Reverse everything a payment has on the books, account by account."""
    mine = entry.c.tid == of.tid, entry.c.uid == of.uid
    held = select(entry.c.account, total(entry.c.amount)).where(*mine).group_by(entry.c.account)
    post(db, [_leg(of, name, -int(amount), "reversal", day) for name, amount in db.execute(held) if amount])


def release(db: Connection, tid: str, day: str) -> None:
    """Move a terminal's quarantined money to the accounts it belongs to.

    Its payments are locked before their entries are read: one that is being approved has its entries by then, or finds
    itself outside quarantine.
    """
    withheld = payment.c.tid == tid, payment.c.quarantined == 1
    db.execute(select(payment.c.uid).where(*withheld).order_by(payment.c.uid).with_for_update()).all()
    held = select(payment.c.uid, payment.c.mid, payment.c.type, total(entry.c.amount).label("held"))
    joined = held.join(entry, (entry.c.tid == payment.c.tid) & (entry.c.uid == payment.c.uid))
    mine = *withheld, entry.c.account == QUARANTINE
    for row in db.execute(joined.where(*mine).group_by(payment.c.uid, payment.c.mid, payment.c.type)).all():
        _, credit = accounts_of(row.type)
        post(db, _legs(Posted(tid, row.uid, row.mid), -int(row.held), QUARANTINE, credit, "release", day))
    db.execute(update(payment).where(*withheld).values(quarantined=0))


def balances(db: Connection) -> dict[str, int]:
    """The balance of each account in minor units; debits are positive. Read from the running sums."""
    sums = dict(db.execute(select(balance.c.account, total(balance.c.amount)).group_by(balance.c.account)).all())
    return {name: int(sums.get(name, 0)) for name in ACCOUNTS}


def unbalanced(db: Connection) -> list[str]:
    """Uids of payments whose entries do not sum to zero. Reads all entries: for tests and the audit."""
    wrong = select(entry.c.uid).group_by(entry.c.tid, entry.c.uid).having(func.sum(entry.c.amount) != 0)
    return list(db.execute(wrong).scalars())


def _legs(of: Posted, amount: int, debit: str, credit: str, reason: str, day: str) -> list[dict[str, Any]]:
    if not amount:
        return []
    return [_leg(of, debit, amount, reason, day), _leg(of, credit, -amount, reason, day)]


def _leg(of: Posted, name: str, amount: int, reason: str, day: str) -> dict[str, Any]:
    return {**of._asdict(), "account": name, "amount": amount, "reason": reason, "at": now(), "day": day}
