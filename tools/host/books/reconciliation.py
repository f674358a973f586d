# SPDX-License-Identifier: MIT
"""Compares what an acquirer or a wallet says it paid with the payments, line by line, and books the money.

Money that belongs to no payment goes to suspense. A file is worked through once; if that is cut short, it goes on where
it was. A void is expected together with its sale, or neither of them; a tip or an adjustment in the sale's amount.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from tools.host.books import differences, money, statement
from tools.host.books.differences import MISSING_HERE, MISSING_THERE, OTHER_AMOUNT, OTHER_FEE, TWICE, UNDECIDED, UNDONE
from tools.host.books.double_entry import BANK, CARDS, COSTS, SUSPENSE, WALLETS, accounts_of
from tools.host.books.report_file import Line
from tools.host.store import lock
from tools.host.store.schema import balance, entry, outbox, payment
from tools.host.store.schema_books import reported
from tools.host.store.schema_wallets import wallet_order, wallet_refund
from tools.host.wire import kinds

RECEIVABLE = {"card": CARDS, "wallet": WALLETS}
_REPLACES = kinds.with_effect(kinds.REPLACES)
_VOIDS = (kinds.VOID, kinds.COMPLETION_VOID)
_SLICE = 500

Key = tuple[str, str]  # terminal and uid of a payment


class Slice:
    """Some lines of a file, with all that the database knows about them. Used in one write transaction.

    `uids`: the keys of payments by uid, of the whole file. `named`: all references of the file. `fee`: the basis points
    that should be kept of each line; None: nobody says.
    """

    def __init__(
        self,
        db: Connection,
        digest: str,
        source: str,
        uids: dict[str, Key],
        named: frozenset[str],
        fee: int | None = None,
    ) -> None:
        self._db, self._digest, self._source, self._uids, self._named = db, digest, source, uids, named
        self._fee = fee
        self._rows: dict[str, Row[Any]] = {}
        self._about: dict[Key, list[Row[Any]]] = {}
        self._before: set[Key] = set()

    def work(self, lines: Sequence[Line]) -> None:
        """Book these lines, except those that were booked before. Another file waits: it may have the same payments."""
        lock.one_at_a_time(self._db, lock.RECONCILING)
        mine = reported.c.digest == self._digest, reported.c.line.in_([line.number for line in lines])
        done = set(self._db.execute(select(reported.c.line).where(*mine)).scalars())
        lines = [line for line in lines if line.number not in done]
        self._look(lines)
        new: list[dict[str, Any]] = []
        for line in lines:
            row = self._rows.get(line.reference)
            self._one(line, row)
            key = (row.tid, row.uid) if row else (None, None)
            about = {"mid": row.mid if row else "", "digest": self._digest, "line": line.number}
            new.append({**about, "tid": key[0], "uid": key[1], **line._asdict()})
            if row is not None:
                self._before.add((row.tid, row.uid))
        for one in new:
            del one["number"]
        if new:
            self._db.execute(reported.insert(), new)

    def _look(self, lines: Sequence[Line]) -> None:
        """Find the payments of these lines, those that are about them, and which were reported before."""
        keys = [self._uids[line.reference] for line in lines if line.reference in self._uids]
        rows = _by_keys(self._db, keys)
        self._rows = {row.uid: row for row in rows}
        numbers = [line.reference for line in lines if not line.is_uid]
        for row in self._db.execute(select(payment).where(payment.c.rrn.in_(numbers))):
            if accounts_of(row.type)[0] == RECEIVABLE[self._source]:
                self._rows[row.rrn] = row
        roots = _by_keys(self._db, [_root(row) for row in self._rows.values() if row.type in _REPLACES])
        of = {(row.tid, row.uid): row for row in roots}
        self._rows = {name: of.get(_root(row), row) for name, row in self._rows.items()}
        self._about = _about(self._db, [(row.tid, row.uid) for row in self._rows.values()])
        self._before = _reported(self._db, [(row.tid, row.uid) for row in self._rows.values()])

    def _one(self, line: Line, row: Row[Any] | None) -> None:
        posting = f"report {self._digest[:16]} {line.number}"
        what, ours, assigned, detail = self._judge(line, row)
        legs = {
            BANK: line.amount - line.fee,
            COSTS: line.fee,
            RECEIVABLE[self._source]: -assigned,
            SUSPENSE: assigned - line.amount,
        }
        mid = row.mid if row else ""
        statement.post(self._db, mid, posting, "reported", line.day, legs)
        if what is not None:
            values = {"source": self._source, "reference": line.reference, "day": line.day, "detail": detail}
            about = {"tid": row.tid if row else None, "uid": row.uid if row else None}
            differences.add(self._db, mid, posting, what, ours=ours, theirs=line.amount, **about, **values)
        self._compare_fee(line, row, posting)
        if row is not None:
            self._end(row, f"line {line.number} of {self._digest[:16]}")

    def _compare_fee(self, line: Line, row: Row[Any] | None, posting: str) -> None:
        """List a fee that is not what was agreed. It is booked as it was kept; nothing of it is in suspense."""
        if self._fee is None or row is None:
            return
        ours = money.share(line.amount, self._fee)
        if line.fee != ours:
            values = {
                "source": self._source,
                "reference": line.reference,
                "day": line.day,
                "tid": row.tid,
                "uid": row.uid,
            }
            detail = f"{self._fee} basis points of {line.amount}"
            subject = f"{posting} fee"
            differences.add(self._db, row.mid, subject, OTHER_FEE, ours=ours, theirs=line.fee, detail=detail, **values)

    def _judge(self, line: Line, row: Row[Any] | None) -> tuple[str | None, int, int, str]:
        """What is wrong with a line, or None; what we expect; how much of it the receivable takes; and more about it."""
        if row is None:
            return MISSING_HERE, 0, 0, "no payment has this reference"
        if accounts_of(row.type)[0] != RECEIVABLE[self._source]:
            return MISSING_HERE, 0, 0, f"that is a payment of kind {kinds.KINDS[row.type].name}"
        if row.state == "RECEIVED":
            return UNDECIDED, row.amount, 0, "it has no final answer here"
        if row.state != "APPROVED":
            return UNDONE, 0, 0, f"{row.state.lower()} here; {self._told(row, 'undo')}"
        about = self._about.get((row.tid, row.uid), [])
        ours = row.worth + sum(one.worth for one in about if one.type in _REPLACES)
        if (row.tid, row.uid) in self._before:
            return TWICE, ours, 0, "reported before"
        if line.amount != ours:
            most, least = max(ours, 0), min(ours, 0)
            tips = [one for one in about if one.type in _REPLACES]
            detail = "; ".join(f"{kinds.KINDS[one.type].name}: {self._told(one, 'tell')}" for one in tips)
            return OTHER_AMOUNT, ours, min(max(line.amount, least), most), detail or "no tip or adjustment is known"
        void = next((one for one in about if one.type in _VOIDS), None)
        if void is not None and not self._comes(void):
            return UNDONE, 0, line.amount, f"voided here; {self._told(void, 'tell')}"
        return None, ours, ours, ""

    def _comes(self, row: Row[Any]) -> bool:
        """Whether a payment is in this file, or was in one before."""
        key = row.tid, row.uid
        return row.uid in self._named or row.rrn in self._named or key in _reported(self._db, [key])

    def _told(self, row: Row[Any], act: str) -> str:
        """Whether those outside know, as words."""
        mine = outbox.c.tid == row.tid, outbox.c.uid == row.uid, outbox.c.act == act
        told = self._db.execute(select(outbox).where(*mine)).one_or_none()
        if told is None:
            return "nobody outside had to be told"
        if told.done is None:
            return f"not told yet: {told.trouble or 'waiting'}"
        return f"told {told.done[:16]}"

    def _end(self, row: Row[Any], by: str) -> None:
        """End differences that this line clears: its payment was missing, or it is the void that was missing."""
        differences.found(self._db, row.mid, missing_subject(row.tid, row.uid), by)
        if row.type in _VOIDS and row.original:
            mine = reported.c.mid == row.mid, reported.c.tid == row.original_tid, reported.c.uid == row.original
            for one in self._db.execute(select(reported).where(*mine)):
                differences.found(self._db, row.mid, f"report {one.digest[:16]} {one.line}", by)


def missing_subject(tid: str, uid: str) -> str:
    """What a payment that is missing there is called in the list."""
    return f"missing there {tid} {uid}"


def missing_there(db: Connection, source: str, mid: str, day: str, after: Key, wallet: str = "") -> Key | None:
    """List payments of a merchant and day that nobody reported. Returns where to go on, or None at the end.

    `wallet`: only what went to this one.
    """
    lock.one_at_a_time(db, lock.RECONCILING)
    account = RECEIVABLE[source]
    mine = entry.c.mid == mid, entry.c.day == day, entry.c.account == account, entry.c.reason != "reversal"
    known = select(reported.c.line).where(
        reported.c.mid == payment.c.mid, reported.c.tid == payment.c.tid, reported.c.uid == payment.c.uid
    )
    joined = select(payment).join(entry, (entry.c.tid == payment.c.tid) & (entry.c.uid == payment.c.uid))
    further = (payment.c.tid > after[0]) | (payment.c.tid == after[0]) & (payment.c.uid > after[1])
    wanted = joined.where(*mine, payment.c.state == "APPROVED", ~known.exists(), further)
    if wallet:
        wanted = wanted.where(or_(*(_went_to(table, wallet) for table in (wallet_order, wallet_refund))))
    unexpected = payment.c.type.in_([*_REPLACES, *_VOIDS])
    rows = db.execute(wanted.where(~unexpected).order_by(payment.c.tid, payment.c.uid).limit(_SLICE)).all()
    about = _about(db, [(row.tid, row.uid) for row in rows])
    for row in rows:
        others = about.get((row.tid, row.uid), [])
        voids = [(one.tid, one.uid) for one in others if one.type in _VOIDS]
        if voids and not _reported(db, voids):
            continue  # neither the sale nor its void: nothing is missing
        ours = row.worth + sum(one.worth for one in others if one.type in _REPLACES)
        values = {"source": source, "reference": row.rrn or row.uid, "day": day, "detail": "not reported"}
        subject = missing_subject(row.tid, row.uid)
        differences.add(db, mid, subject, MISSING_THERE, tid=row.tid, uid=row.uid, ours=ours, theirs=0, **values)
    return (rows[-1].tid, rows[-1].uid) if len(rows) == _SLICE else None


def _went_to(table: Table, wallet: str) -> ColumnElement[bool]:
    mine = table.c.tid == payment.c.tid, table.c.uid == payment.c.uid, table.c.wallet == wallet
    return select(table.c.uid).where(*mine).exists()


def mids(db: Connection, source: str) -> list[str]:
    """The merchants that ever had payments of this source."""
    wanted = select(balance.c.mid).where(balance.c.account == RECEIVABLE[source], balance.c.tid != "")
    return sorted(db.execute(wanted.distinct()).scalars())


def find_uids(db: Connection, wanted: Iterable[str]) -> dict[str, Key]:
    """The keys of payments by uid, searched from the newest to the oldest, in slices."""
    missing, keys, before = set(wanted), dict[str, Key](), None
    while missing:
        rows = select(payment.c.tid, payment.c.uid, payment.c.number).order_by(payment.c.number.desc()).limit(10_000)
        some = db.execute(rows if before is None else rows.where(payment.c.number < before)).all()
        for tid, uid, _ in some:
            if uid in missing:
                keys[uid] = tid, uid
                missing.discard(uid)
        if not some:
            break
        before = some[-1].number
    return keys


def _by_keys(db: Connection, keys: Iterable[Key]) -> list[Row[Any]]:
    """Payments by terminal and uid."""
    return [
        row
        for tid, uids in _by_tid(keys)
        for row in db.execute(select(payment).where(payment.c.tid == tid, payment.c.uid.in_(uids)))
    ]


def _about(db: Connection, keys: Iterable[Key]) -> dict[Key, list[Row[Any]]]:
    """The approved payments that name these and that the host decided itself: voids, tips, adjustments."""
    decided = payment.c.state == "APPROVED", payment.c.type.in_([*_REPLACES, *_VOIDS])
    found: dict[Key, list[Row[Any]]] = {}
    for tid, uids in _by_tid(keys):
        named = payment.c.original_tid == tid, payment.c.original.in_(uids), payment.c.original.is_not(None)
        for row in db.execute(select(payment).where(*named, *decided)):
            found.setdefault(_root(row), []).append(row)
    return found


def _root(row: Row[Any]) -> Key:
    """The payment that a void, tip or adjustment is about."""
    return row.original_tid or row.tid, row.original or row.uid


def _reported(db: Connection, keys: Iterable[Key]) -> set[Key]:
    """Those of these payments that some file has a line about."""
    found: set[Key] = set()
    for tid, uids in _by_tid(keys):
        lines = select(reported.c.uid).where(reported.c.tid == tid, reported.c.uid.in_(uids))
        found |= {(tid, uid) for uid in db.execute(lines).scalars()}
    return found


def _by_tid(keys: Iterable[Key]) -> list[tuple[str, list[str]]]:
    by_tid: dict[str, list[str]] = {}
    for tid, uid in sorted(set(keys)):
        by_tid.setdefault(tid, []).append(uid)
    return list(by_tid.items())
