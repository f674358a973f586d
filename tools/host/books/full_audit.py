# SPDX-License-Identifier: MIT
"""Recomputes everything from raw rows, and compares it with what is stored. Reads in slices, in one consistent view.

Payments against entries, entries and statements against running sums, closed batches against their payments, the chain
against the headers of the payments, settlements against closed batches.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, select

from tools.host.books import agreement, clearing, double_entry, totals
from tools.host.books.chain_audit import chains
from tools.host.books.double_entry import CLEARING, PAYABLE, QUARANTINE, REFUNDS
from tools.host.books.totals import Totals
from tools.host.store.schema import balance, batch, entry, payment, terminal, turnover
from tools.host.store.schema_books import settled, settlement, statement
from tools.host.wire import kinds

SLICE = 1000

Progress = Callable[[int, int], None]
Cell = tuple[Any, ...]


def differences(db: Connection, progress: Progress = lambda done, all: None) -> Iterator[str]:
    """Everything that does not agree, one line each. `progress`: gets payments looked at, and how many there are."""
    count = int(db.execute(select(func.count()).select_from(payment)).scalar_one())
    terminals = sorted(set(db.execute(select(payment.c.tid).distinct()).scalars()) | _tids(db, terminal))
    done = 0
    for tid in terminals:
        turns: dict[Cell, list[int]] = {}
        for rows in slices(db, select(payment).where(payment.c.tid == tid), payment, "uid"):
            yield from _payments(db, tid, rows, turns)
            done += len(rows)
            progress(done, count)
        yield from _running(db, turnover, tid, ("epoch", "batch", "day", "type", "mid"), ("count", "worth"), turns)
        yield from _batches(db, tid)
        yield from _held_without_reason(db, tid)
    for tid in sorted(_tids(db, balance) | _tids(db, entry) | _tids(db, statement)):
        yield from _running(db, balance, tid, ("mid", "account"), ("amount",), _entries_of(db, tid))
    yield from chains(db)
    yield from _unique(db)
    yield from _statements(db)
    yield from _settlements(db)
    yield from agreement.disagreements(db)


def slices(db: Connection, wanted: Select[Any], table: Table, column: str) -> Iterator[list[Row[Any]]]:
    """The rows of a query in slices, in the order of a column that is unique in it."""
    last: Any = None
    key = table.c[column]
    while True:
        further = wanted if last is None else wanted.where(key > last)
        rows = list(db.execute(further.order_by(key).limit(SLICE)).all())
        if rows:
            yield rows
            last = getattr(rows[-1], column)
        if len(rows) < SLICE:
            return


def _payments(db: Connection, tid: str, rows: list[Row[Any]], turns: dict[Cell, list[int]]) -> Iterator[str]:
    """Each payment's entries against its row; adds it to the turnover of its terminal."""
    first, last = rows[0].uid, rows[-1].uid
    mine = entry.c.tid == tid, entry.c.uid >= first, entry.c.uid <= last
    sums = select(entry.c.uid, entry.c.account, entry.c.mid, func.sum(entry.c.amount))
    held: dict[str, dict[str, int]] = {}
    for uid, account, mid, amount in db.execute(sums.where(*mine).group_by(entry.c.uid, entry.c.account, entry.c.mid)):
        held.setdefault(uid, {})[f"{account} of {mid}"] = int(amount)
    for row in rows:
        found = {name: amount for name, amount in held.pop(row.uid, {}).items() if amount}
        expected = _expected(row)
        if found != expected:
            yield f"payment {tid} {row.uid} ({row.state}): entries {found}, expected {expected}"
        if row.state == "APPROVED":
            cell = turns.setdefault((row.epoch, row.settled_in, row.day or "", row.type, row.mid), [0, 0])
            cell[0], cell[1] = cell[0] + 1, cell[1] + row.worth
    for uid in held:
        yield f"entries of {tid} {uid}, which is no payment"


def _expected(row: Row[Any]) -> dict[str, int]:
    """What a payment has on the books: account and merchant -> amount."""
    if row.state != "APPROVED" or not row.worth:
        return {}
    debit, credit = double_entry.accounts_of(row.type)
    credit = QUARANTINE if row.quarantined else credit
    return {f"{debit} of {row.mid}": row.worth, f"{credit} of {row.mid}": -row.worth}


def _entries_of(db: Connection, tid: str) -> dict[Cell, list[int]]:
    sums: dict[Cell, list[int]] = {}
    for table in (entry, statement):
        rows = select(table.c.mid, table.c.account, func.sum(table.c.amount)).where(table.c.tid == tid)
        for mid, account, amount in db.execute(rows.group_by(table.c.mid, table.c.account)):
            cell = sums.setdefault((mid, account), [0])
            cell[0] += int(amount)
    return sums


def _running(
    db: Connection, table: Table, tid: str, keys: tuple[str, ...], sums: tuple[str, ...], real: dict[Cell, list[int]]
) -> Iterator[str]:
    """A terminal's running sums against the real ones."""
    stored = {
        tuple(getattr(row, name) for name in keys): [int(getattr(row, name)) for name in sums]
        for row in db.execute(select(table).where(table.c.tid == tid))
    }
    for key in sorted(stored.keys() | real.keys()):
        there, here = stored.get(key, [0] * len(sums)), real.get(key, [0] * len(sums))
        if there != here:
            yield f"{table.name} of {tid or '-'} {key}: {there} is stored, {here} is right"


def _batches(db: Connection, tid: str) -> Iterator[str]:
    """Closed batches: their totals and what they brought, against their payments; none of which is still open."""
    for row in db.execute(select(batch).where(batch.c.tid == tid, batch.c.state == "closed")).all():
        name = f"batch {tid} {row.epoch} {row.number}"
        ours = totals.of_batch(db, tid, row.epoch, row.number)
        stored = Totals(*(getattr(row, field) or 0 for field in Totals._fields))
        if ours != stored:
            yield f"{name}: closed with {tuple(stored)}, its payments are {tuple(ours)}"
        real = {mid: one for mid, one in clearing.of_batch(db, tid, row.epoch, row.number).items() if any(one)}
        posted = _posted(db, tid, row.epoch, row.number)
        if real != posted:
            yield f"{name}: {posted} was posted, its payments are {real}"
        waits = totals.in_batch(tid, row.epoch, row.number) & (
            (payment.c.state == "RECEIVED") | (payment.c.quarantined == 1)
        )
        if count := db.execute(select(func.count()).select_from(payment).where(waits)).scalar_one():
            yield f"{name} is closed, but {count} of its payments have no final answer or are in quarantine"
    mine = statement.c.tid == tid, statement.c.batch.is_not(None)
    closed = batch.c.tid == statement.c.tid, batch.c.epoch == statement.c.epoch, batch.c.number == statement.c.batch
    lacking = select(statement.c.posting).where(
        *mine, ~select(batch.c.tid).where(*closed, batch.c.state == "closed").exists()
    )
    for posting in db.execute(lacking.distinct()).scalars():
        yield f"{posting} was posted, but is not closed"


def _posted(db: Connection, tid: str, epoch: int, number: str) -> dict[str, clearing.Cleared]:
    mine = statement.c.tid == tid, statement.c.epoch == epoch, statement.c.batch == number
    found: dict[str, clearing.Cleared] = {}
    for row in db.execute(select(statement).where(*mine)):
        so_far = found.get(row.mid, clearing.Cleared())
        if row.account == PAYABLE:
            so_far = so_far._replace(sales=-row.amount)
        elif row.account == REFUNDS:
            so_far = so_far._replace(refunds=row.amount)
        elif row.account != CLEARING:
            so_far = clearing.Cleared(0, 0)
        found[row.mid] = so_far
    return found


def _held_without_reason(db: Connection, tid: str) -> Iterator[str]:
    here = select(terminal.c.quarantine).where(terminal.c.tid == tid)
    mine = payment.c.tid == tid, payment.c.quarantined == 1
    count = db.execute(select(func.count()).select_from(payment).where(*mine)).scalar_one()
    if count and db.execute(here).scalar_one_or_none() is None:
        yield f"terminal {tid} is not in quarantine, but {count} of its payments are"


def _unique(db: Connection) -> Iterator[str]:
    twice = select(payment.c.rrn, func.count()).where(payment.c.rrn.is_not(None)).group_by(payment.c.rrn)
    for number, count in db.execute(twice.having(func.count() > 1)):
        yield f"reference {number} belongs to {count} payments"
    used = payment.c.pan_token, payment.c.atc
    proven = payment.c.atc.is_not(None), payment.c.state == "APPROVED", payment.c.type.in_(_TAPPED)
    cards = select(*used, func.count()).where(*proven).group_by(*used).having(func.count() > 1)
    for token, counter, count in db.execute(cards):
        yield f"card {token}: its counter {counter} was approved {count} times"


_TAPPED = (kinds.SALE, kinds.DEFERRED_SALE, kinds.OFFLINE_SALE)


def _statements(db: Connection) -> Iterator[str]:
    sums = select(statement.c.mid, statement.c.posting, func.sum(statement.c.amount))
    skewed = sums.group_by(statement.c.mid, statement.c.posting).having(func.sum(statement.c.amount) != 0)
    for mid, posting, amount in db.execute(skewed):
        yield f"{posting} of {mid or '-'} sums to {amount}"


def _settlements(db: Connection) -> Iterator[str]:
    """Each settlement against the closed batches in it."""
    same = (statement.c.mid == settled.c.mid) & (statement.c.posting == settled.c.posting)
    brought: dict[Cell, dict[str, int]] = {}
    sums = select(settled.c.mid, settled.c.day, statement.c.account, func.sum(statement.c.amount)).join(statement, same)
    for mid, day, account, amount in db.execute(sums.group_by(settled.c.mid, settled.c.day, statement.c.account)):
        brought.setdefault((mid, day), {})[account] = int(amount)
    for row in db.execute(select(settlement)):
        real = brought.get((row.mid, row.day), {})
        if (row.sales, row.refunds) != (-real.get(PAYABLE, 0), real.get(REFUNDS, 0)):
            yield f"settlement of {row.mid}, {row.day}: its batches are {real}"
        if row.fee != (max(row.sales, 0) * row.rate + 5000) // 10_000:
            yield f"settlement of {row.mid}, {row.day}: its fee is not {row.rate} basis points"
    lost = select(settled.c.mid, settled.c.posting).where(~select(statement.c.mid).where(same).exists())
    for mid, posting in db.execute(lost):
        yield f"settlement of {mid} has {posting}, which was never posted"


def _tids(db: Connection, table: Table) -> set[str]:
    return set(db.execute(select(table.c.tid).distinct()).scalars())
