# SPDX-License-Identifier: MIT
"""Epochs: when a supervisor clears a quarantine, a new epoch begins, with its own chain and batch.

The terminal adopts it once nothing of the old epoch is left to send. The old epoch is then over and its batches close.
"""

import datetime

from sqlalchemy import Connection, or_, select, update

from tools.host.books import clearing, double_entry, totals
from tools.host.keys.seal import Record
from tools.host.store.schema import batch, beginning, payment
from tools.host.transactions.terminals import LAST_BATCH, Terminal


def start(db: Connection, tid: str, epoch: int) -> int:
    """The sequence after which this epoch's chain starts."""
    mine = select(beginning.c.after).where(beginning.c.tid == tid, beginning.c.epoch == epoch)
    return db.execute(mine).scalar_one_or_none() or 0


def is_over(terminal: Terminal, epoch: int) -> bool:
    """Whether the terminal has left this epoch. A chip that still reports it is an older one or a clone."""
    return epoch < terminal.epoch and terminal.begun


def set_start(db: Connection, terminal: Terminal, newest: int) -> None:
    """The terminal reports an earlier epoch, up to sequence `newest`; the current epoch starts after that."""
    _change(db, terminal, after=newest)
    terminal.start = newest


def move_start(db: Connection, terminal: Terminal, sequence: int) -> None:
    """Another record of the earlier epoch has arrived."""
    if sequence > terminal.start:
        set_start(db, terminal, sequence)


def learn_start(db: Connection, terminal: Terminal, record: Record) -> None:
    """In a restore, the first record of an epoch has come back: it has no predecessor. The epoch starts before it."""
    if any(record.previous_tag) or record.sequence - 1 <= start(db, terminal.tid, record.epoch):
        return
    mine = beginning.c.tid == terminal.tid, beginning.c.epoch == record.epoch
    db.execute(update(beginning).where(*mine).values(after=record.sequence - 1))
    if record.epoch == terminal.epoch:
        terminal.start = record.sequence - 1


def begin(db: Connection, terminal: Terminal) -> None:
    """The terminal has adopted the current epoch: close what is left of older ones."""
    if not terminal.begun:
        _change(db, terminal, begun=1)
        terminal.begun = True
        close_older(db, terminal)


def open_number(db: Connection, terminal: Terminal, epoch: int) -> str:
    """The number of a batch of this epoch that is not closed: the one that the terminal has open, or the next."""
    mine = batch.c.tid == terminal.tid, batch.c.epoch == epoch, batch.c.state == "closed"
    number = terminal.batch
    while db.execute(select(batch.c.tid).where(*mine, batch.c.number == f"{number:06}")).first() is not None:
        number = number % LAST_BATCH + 1
    return f"{number:06}"


def is_waiting(db: Connection, tid: str, epoch: int, number: str) -> bool:
    """Whether a batch has a payment without a final answer or in quarantine. It cannot close then: it would still change."""
    waits = or_(payment.c.state == "RECEIVED", payment.c.quarantined == 1)
    return db.execute(select(payment.c.uid).where(totals.in_batch(tid, epoch, number), waits)).first() is not None


def close_older(db: Connection, terminal: Terminal) -> None:
    """Close open batches of epochs that are over, with the totals the host has.

    Not those with a payment that has no final answer or is in quarantine, because a closed batch never changes.
    """
    if not terminal.begun:
        return
    older = (batch.c.tid == terminal.tid, batch.c.epoch < terminal.epoch, batch.c.state == "open")
    for row in db.execute(select(batch).where(*older)).all():
        if is_waiting(db, row.tid, row.epoch, row.number):
            continue
        sums = totals.of_batch(db, row.tid, row.epoch, row.number)
        done = {"state": "closed", **sums._asdict(), "closed": double_entry.now()}
        this = (batch.c.tid == row.tid, batch.c.epoch == row.epoch, batch.c.number == row.number)
        db.execute(update(batch).where(*this).values(**done))
        clearing.close(db, row.tid, row.epoch, row.number, f"{datetime.date.today()}")
        double_entry.note(
            db,
            row.tid,
            "batch closed with its epoch",
            f"{row.number} of epoch {row.epoch}: {sums.debit_count}, {sums.debit_amount}",
        )


def _change(db: Connection, terminal: Terminal, **values: int) -> None:
    mine = (beginning.c.tid == terminal.tid, beginning.c.epoch == terminal.epoch)
    db.execute(update(beginning).where(*mine).values(**values))
