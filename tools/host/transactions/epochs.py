# SPDX-License-Identifier: MIT
"""Epochs: when a supervisor clears a quarantine, a new epoch begins, with its own chain and batch.

The terminal adopts it once nothing of the old epoch is left to send. The old epoch is then over and its batches close.
"""

import datetime

from sqlalchemy import Connection, or_, select, update

from tools.host.books import clearing, double_entry, totals
from tools.host.store.schema import batch, beginning, payment
from tools.host.transactions.terminals import Terminal


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


def begin(db: Connection, terminal: Terminal) -> None:
    """The terminal has adopted the current epoch: close what is left of older ones."""
    if not terminal.begun:
        _change(db, terminal, begun=1)
        terminal.begun = True
        close_older(db, terminal)


def close_older(db: Connection, terminal: Terminal) -> None:
    """Close open batches of epochs that are over, with the totals the host has.

    Not those with a payment that has no final answer or is in quarantine, because a closed batch never changes.
    """
    if not terminal.begun:
        return
    older = (batch.c.tid == terminal.tid, batch.c.epoch < terminal.epoch, batch.c.state == "open")
    for row in db.execute(select(batch).where(*older)).all():
        waits = or_(payment.c.state == "RECEIVED", payment.c.quarantined == 1)
        if db.execute(select(payment.c.uid).where(totals.in_batch(row.tid, row.epoch, row.number), waits)).first():
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
