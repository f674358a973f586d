# SPDX-License-Identifier: MIT
"""Works through a file of an acquirer or a wallet, in many short transactions. It can be cut short and started again."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select, update

from tools.host.books import reconciliation, report_file
from tools.host.books.double_entry import note, now
from tools.host.errors import OperatorError
from tools.host.store import upsert
from tools.host.store.ledger import Ledger
from tools.host.store.schema_books import report

_TOGETHER = 200  # lines in a transaction: payments do not wait long for it


class Done(NamedTuple):
    """How many lines, their sum (minor units), and whether the file was done before."""

    lines: int
    amount: int
    before: bool


class Bill(NamedTuple):
    """Whose bill a file is: the wallet's name, its day, and the basis points that it should keep; None: nobody says."""

    wallet: str
    day: str
    fee: int | None


def run(
    ledger: Ledger,
    path: Path,
    source: str,
    by: str,
    progress: Callable[[int, int], None] = lambda done, all: None,
    bill: Bill | None = None,
) -> Done:
    """Reconcile a file. `source`: "card" or "wallet". Nothing is booked if one line cannot be understood.

    `bill`: the file is a bill of one wallet. Raises OperatorError.
    """
    if not by.strip():
        raise OperatorError("say who does it (--by)")
    digest = report_file.digest(path)
    count = amount = 0
    days: set[str] = set()
    named: set[str] = set()
    for line in report_file.read(path):
        count, amount = count + 1, amount + line.amount
        days.add(line.day)
        named.add(line.reference)
    with ledger.write() as db:
        row = {"mid": "", "digest": digest, "source": source, "at": now(), "by": by, "lines": count}
        upsert.insert_new(db, report, row)
        known = db.execute(select(report).where(report.c.mid == "", report.c.digest == digest)).one()
    if known.source != source:
        raise OperatorError(f"this file was reconciled as one of a {known.source}")
    if known.done is not None:
        if bill:  # the bill of another wallet or day may have the same content, if it is empty
            _missing(ledger, source, days | {bill.day}, bill.wallet)
        return Done(count, amount, True)
    fee = bill.fee if bill else None
    _book(ledger, path, digest, source, frozenset(named), lambda done: progress(done, count), fee)
    _missing(ledger, source, days | ({bill.day} if bill else set()), bill.wallet if bill else "")
    with ledger.write() as db:
        mine = report.c.mid == "", report.c.digest == digest, report.c.done.is_(None)
        db.execute(update(report).where(*mine).values(done=now()))
        note(db, None, "reconciled", f"{source}, {count} lines, {digest[:16]}, by {by}")
    return Done(count, amount, False)


def _book(
    ledger: Ledger,
    path: Path,
    digest: str,
    source: str,
    named: frozenset[str],
    progress: Callable[[int], None],
    fee: int | None,
) -> None:
    with ledger.read() as db:
        uids = reconciliation.find_uids(db, (reference for reference in named if len(reference) == 32))
    lines, done = report_file.read(path), 0
    while some := list(itertools.islice(lines, _TOGETHER)):
        with ledger.write() as db:
            mine = report.c.mid == "", report.c.digest == digest
            db.execute(select(report.c.done).where(*mine).with_for_update())  # whoever else works on the file waits
            reconciliation.Slice(db, digest, source, uids, named, fee).work(some)
        done += len(some)
        progress(done)


def _missing(ledger: Ledger, source: str, days: set[str], wallet: str) -> None:
    """List what the file should have had: the payments of its days."""
    with ledger.read() as db:
        mids = reconciliation.mids(db, source)
    for mid, day in itertools.product(mids, sorted(days)):
        after: reconciliation.Key | None = ("", "")
        while after is not None:
            with ledger.write() as db:
                after = reconciliation.missing_there(db, source, mid, day, after, wallet)
