# SPDX-License-Identifier: MIT
"""The host is behind its terminal, as after a backup was restored: it says so, and has everything sent again.

A terminal never opens a batch that its host has not ended. So a terminal whose open batch is ahead of the host's shows
that the host has forgotten. The host adopts that batch, and the terminal uploads every record above `after` that it
still holds (upload.py). What it holds no more is lost, and listed by sequence.
"""

from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, select, update

from tools.host.books import clearing, double_entry, totals
from tools.host.keys.seal import Record
from tools.host.store.schema import batch, beginning, payment
from tools.host.store.schema_behind import held, lost, lost_batch
from tools.host.store.schema_behind import restore as table
from tools.host.store.sums import total
from tools.host.store.upsert import insert_new, put
from tools.host.transactions import chain, epochs, terminals
from tools.host.transactions.request_context import RequestContext
from tools.host.transactions.terminals import LAST_BATCH, Terminal
from tools.host.wire import answers, kinds
from tools.host.wire.answers import Answer

MOST_BATCHES = 1000  # that a host may be behind: more than a year of two a day; a number further off is no next one
MOST_RECORDS = 1_000_000  # the same in records
MOST_EPOCHS = 8  # the same in epochs: each is an act of a supervisor
_STATUS_SIZE = 11


def behind_by(terminal: Terminal, shown: int) -> int:
    """How many batches the terminal, which has batch `shown` open, is ahead of the host; 0 if it is not."""
    ahead = (shown - terminal.batch) % LAST_BATCH
    return ahead if ahead <= MOST_BATCHES and 0 < shown <= LAST_BATCH else 0


def current(db: Connection, tid: str) -> Row[Any] | None:
    """The terminal's restore that has not ended."""
    mine = select(table).where(table.c.tid == tid, table.c.ended.is_(None))
    return db.execute(mine.order_by(table.c.number.desc()).limit(1)).one_or_none()


def notice(request: RequestContext, newest: int) -> Row[Any] | None:
    """Compare the batch that the terminal has open with the host's. `newest`: its newest sequence.

    Returns the restore that is under way, a new one included; None if the host is not behind.
    """
    db, terminal, shown = request.db, request.terminal, int(request.message.batch)
    open_now, ahead = current(db, terminal.tid), behind_by(terminal, shown)
    if open_now is not None:
        _change(db, open_now, newest=max(newest, open_now.newest), **({"open_batch": shown} if ahead else {}))
    elif ahead:
        ask(db, terminal, terminal.epoch, newest, shown)
    if ahead:
        terminals.change(db, terminal, batch=shown)
    return current(db, terminal.tid)


def notice_epoch(request: RequestContext, epoch: int, newest: int) -> None:
    """The terminal is in a later epoch than the host. Only a host begins one, so it has forgotten that.

    The host goes over to that epoch. Where it starts is learned from its first record (epochs.learn_start).
    """
    db, terminal, shown = request.db, request.terminal, int(request.message.batch)
    known, open_now = terminal.epoch, current(db, terminal.tid)
    if open_now is None:
        ask(db, terminal, known, chain.highest(db, terminal.tid, known)[0], shown)
    after = open_now.after if open_now is not None else _known_up_to(db, terminal.tid, known, 0)
    _change(db, current(db, terminal.tid), epoch=epoch, newest=newest, open_batch=shown)  # type: ignore[arg-type]
    for number in range(known + 1, epoch + 1):
        put(db, beginning, {"tid": terminal.tid, "epoch": number, "after": after, "begun": 1})
    terminals.change(db, terminal, epoch=epoch, batch=shown, reported_sequence=0, reported_tag=terminals.NO_TAG)
    terminal.start, terminal.begun = after, True


def covers(row: Row[Any] | None, record: Record) -> bool:
    """Whether a restore asks for this record."""
    return row is not None and row.first_epoch <= record.epoch <= row.epoch and record.sequence > row.after


def ask(db: Connection, terminal: Terminal, epoch: int, newest: int, shown: int | None = None) -> None:
    """Have the terminal send again what is missing of an epoch. `shown`: the batch that it has open, if not the host's."""
    number = db.execute(select(func.max(table.c.number)).where(table.c.tid == terminal.tid)).scalar_one() or 0
    after = _known_up_to(db, terminal.tid, epoch, newest)
    row = {
        "tid": terminal.tid, "number": number + 1, "at": double_entry.now(), "first_epoch": epoch, "epoch": epoch, "after": after,
        "newest": newest, "first_batch": terminal.batch, "open_batch": shown or terminal.batch,
    }  # fmt: skip
    db.execute(insert(table).values(row))
    what = f"It is to send everything above record {after} again"
    if shown is None:
        double_entry.note(db, terminal.tid, "records are asked for again", what)
        return
    seen = f"restored from an old backup? The terminal has batch {shown:06} open and record {newest}"
    detail = f"{seen}; here it was batch {terminal.batch:06}. {what}"
    double_entry.note(db, terminal.tid, "the host is behind its terminal", detail)


def _known_up_to(db: Connection, tid: str, epoch: int, newest: int) -> int:
    """The sequence up to which nothing is missing and every batch is closed."""
    below = [first - 1 for first, _ in chain.gaps(db, tid, epoch, newest)]
    below.append(chain.highest(db, tid, epoch)[0])
    theirs = and_(
        batch.c.tid == payment.c.tid, batch.c.epoch == payment.c.epoch, batch.c.number == payment.c.settled_in
    )
    first = select(func.min(payment.c.sequence)).select_from(payment.join(batch, theirs))
    mine = payment.c.tid == tid, payment.c.epoch == epoch, batch.c.state == "open"
    lowest = db.execute(first.where(*mine)).scalar_one()
    return max(0, min([*below, lowest - 1] if lowest is not None else below))


def came_back(request: RequestContext, kind: str, amount: int) -> bool:
    """Count a payment that was taken in during a restore. False if none is under way."""
    row = current(request.db, request.tid)
    if row is not None:
        _change(request.db, row, back=row.back + 1, amount=row.amount + kinds.signed(kind, amount))
    return row is not None


def postpone(request: RequestContext) -> None:
    """A record could not be decided: the restore goes on with the terminal's next connection."""
    row = current(request.db, request.tid)
    if row is not None:
        _change(request.db, row, waiting=1)


def end(request: RequestContext) -> Answer:
    """0820 with 60.3 = 901: the terminal has sent what it holds. DE 62: as a status; up to its watermark all is final.

    What is missing up to there is lost. What is missing above it has still to come, from the terminal's queue.
    """
    db, row = request.db, current(request.db, request.tid)
    if row is None:
        return request.answer(answers.APPROVED)
    if row.waiting:
        _change(db, row, waiting=0)
        return request.answer(answers.ISSUER_DOWN, "Some payments are not decided yet")
    watermark = min(int.from_bytes(request.message.body[_STATUS_SIZE - 4 :], "big"), row.newest)
    gone = chain.between(db, row.tid, (row.first_epoch, row.epoch), row.after + 1, watermark)
    forgotten = (
        row.first_batch != row.open_batch
    )  # a backup was restored; else a supervisor decides about what is missing
    for first, last in gone if forgotten else ():
        put(db, lost, {"tid": row.tid, "epoch": row.epoch, "first": first, "last": last, "at": double_entry.now(),
                       "why": "lost with a backup"})  # fmt: skip
    _close_batches(request, row)
    pending = int.from_bytes(request.message.body[1:3], "big")
    _change(db, row, ended=double_entry.now(), pending=pending)
    detail = f"{row.back} payments for {row.amount} came back"
    if gone:
        detail += f"; missing: {chain.count(gone)} records, {chain.words(gone)} of epoch {row.epoch}"
    what = "records lost with a backup" if forgotten else "records that the terminal holds no more"
    double_entry.note(db, row.tid, what if gone else "the host has caught up", detail)
    return request.answer(answers.APPROVED)


def _close_batches(request: RequestContext, row: Row[Any]) -> None:
    """Close the batches that the terminal closed in the time that the host forgot, with what came back."""
    db, number = request.db, row.first_batch
    while number != row.open_batch:
        mine = batch.c.tid == row.tid, batch.c.number == f"{number:06}"
        epochs = batch.c.epoch.between(row.first_epoch, row.epoch)
        here = db.execute(select(batch.c.epoch).where(*mine, epochs)).scalars().all()
        for epoch in here or [row.epoch]:
            _close(request, row, epoch, f"{number:06}")
        number = number % LAST_BATCH + 1


def _close(request: RequestContext, row: Row[Any], epoch: int, number: str) -> None:
    db = request.db
    which = {"tid": row.tid, "epoch": epoch, "number": number}
    if epochs.is_waiting(db, row.tid, epoch, number):  # it closes with its epoch, or by an operator
        why = "a payment in it has no final answer, or is in quarantine"
        double_entry.note(db, row.tid, "batch stays open after a restore", f"{number} of epoch {epoch}: {why}")
        return
    sums = totals.of_batch(db, row.tid, epoch, number)
    approved = totals.in_batch(row.tid, epoch, number) & (payment.c.state == "APPROVED")
    worth = select(func.count(), total(payment.c.worth)).where(approved)
    back, amount = db.execute(worth).one()
    opened = {"mid": request.terminal.mid, "state": "open", "opened": double_entry.now()}
    insert_new(db, batch, {**which, **opened})
    mine = batch.c.tid == row.tid, batch.c.epoch == epoch, batch.c.number == number
    done = {"state": "closed", **sums._asdict(), "uploaded": back, "closed": double_entry.now()}
    if db.execute(update(batch).where(*mine, batch.c.state == "open").values(**done)).rowcount:
        clearing.close(db, row.tid, epoch, number, request.day)
        insert_new(db, lost_batch, {**which, "restore": row.number, "back": back, "amount": amount})


def view(db: Connection, tid: str) -> dict[str, Any]:
    """What the page shows of one terminal: restores, what was lost, and what is held. Amounts in minor units."""
    mine = select(table).where(table.c.tid == tid).order_by(table.c.number.desc()).limit(20)
    gone = select(lost).where(lost.c.tid == tid).order_by(lost.c.epoch, lost.c.first)
    batches = select(lost_batch).where(lost_batch.c.tid == tid).order_by(lost_batch.c.epoch, lost_batch.c.number)
    waiting = select(held).where(held.c.tid == tid, held.c.ended.is_(None)).order_by(held.c.epoch, held.c.sequence)
    return {
        "restores": [
            {name: getattr(row, name) for name in ("at", "epoch", "after", "newest", "back", "amount", "ended")}
            for row in db.execute(mine)
        ],
        "lost": [
            {"epoch": row.epoch, "first": first, "last": last, "why": row.why}
            for row in db.execute(gone).all()
            for first, last in chain.between(
                db, tid, (row.epoch, row.epoch), row.first, row.last
            )  # some were handed in
        ],
        "lost_batches": [
            {"epoch": row.epoch, "number": row.number, "back": row.back, "amount": row.amount}
            for row in db.execute(batches)
        ],
        "held": [
            {"epoch": row.epoch, "sequence": row.sequence, "amount": kinds.signed(row.type, row.amount), "why": row.why}
            for row in db.execute(waiting)
        ],
    }


def _change(db: Connection, row: Row[Any], **values: int | str) -> None:
    db.execute(update(table).where(table.c.tid == row.tid, table.c.number == row.number).values(**values))
