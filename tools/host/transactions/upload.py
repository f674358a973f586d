# SPDX-License-Identifier: MIT
"""0320: records sent again, because the totals of a batch differed (0500 answered 2) or the host is behind (restore.py).

The terminal's journal says what was paid; but a payment that is missing here passes the same checks as online before it
is posted, and what fails them is held. Each record gets an answer of its own, the same one on every repeat.
"""

import itertools
import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Row, exists, select, update

from tools.host.books import double_entry, totals
from tools.host.errors import FrameError, StateError
from tools.host.keys.seal import Record
from tools.host.store.schema import payment
from tools.host.store.schema_behind import asked, held
from tools.host.store.upsert import put
from tools.host.transactions import (
    batch,
    chain,
    decisions,
    epochs,
    idempotency,
    originals,
    record_checks,
    requests,
    restore,
    reversal,
)
from tools.host.transactions.request_context import RequestContext, is_asked
from tools.host.wire import answers, kinds
from tools.host.wire.answers import Answer
from tools.host.wire.message import PAID, Message

_ALONE = (kinds.SALE, kinds.CASH, kinds.QR_SCANNED, kinds.QR_SHOWN, kinds.BALANCE, kinds.PREAUTH)


def together(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Messages in groups to be decided together: a payment may be about another one only if that is in a group before."""
    part = 0

    def number(message: Message) -> int:
        nonlocal part
        part += message.type not in _ALONE
        return part

    for _, group in itertools.groupby(messages, key=number):
        yield list(group)


def handle(request: RequestContext) -> Answer | Message:
    """The answer to an uploaded record, or to the end of an upload.

    A payment that is to be decided first is returned as the request in which the terminal would send it: then `finish`
    has the answer.
    """
    message, record = request.message, request.message.record
    epoch = request.terminal.epoch if record is None else record.epoch
    verdict = idempotency.look(request.db, message, epoch)
    if verdict.clash == "uid":
        request.alarm("same upload, other content")
        return request.answer(answers.DUPLICATE, "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    if not message.body:
        answer: Answer | Message = _end(request)
    elif record is None or not _fits(message, record):
        request.alarm("unreadable record")
        return request.answer(answers.FORMAT_ERROR, "Record damaged")
    elif not record_checks.is_sealed(request, record):
        return request.answer(answers.FORMAT_ERROR, "Record damaged")
    elif not is_wanted(request.db, request.tid, record):
        request.alarm("uploaded, and nobody asked for it")
        return request.answer(answers.INVALID, "Not asked for")
    else:
        answer = _record(request, record)
    return _keep(request, epoch, answer) if isinstance(answer, dict) else answer


def finish(request: RequestContext, decided: Answer) -> Answer:
    """The answer to a record whose payment was decided. `decided`: the answer to its request."""
    record, code = request.message.record, decided["39"]
    assert record is not None
    if code in answers.YES:
        if not restore.came_back(request, record.type, record.amount):
            request.alarm("taken in from a batch upload")
        return _keep(request, record.epoch, request.answer(answers.APPROVED))
    text = bytes.fromhex(decided["63"])[19:].decode(errors="replace")
    if code in answers.NOT_FINAL:
        restore.postpone(request)
        return request.answer(code, text)
    return _hold(request, record, code, text or f"answered {code}")


def _keep(request: RequestContext, epoch: int, answer: Answer) -> Answer:
    if answer["39"] == answers.APPROVED:
        idempotency.open_(request.db, request.message, epoch, answer)
    return answer


def _fits(message: Message, record: Record) -> bool:
    """Whether the message's data elements match its record."""
    claimed = message.uid, message.type, message.fields["4"], message.fields["61"]
    return claimed == (record.uid, record.type, f"{record.amount:012}", record.batch + record.stan)


def is_wanted(db: Connection, tid: str, record: Record) -> bool:
    """Whether the host asked for this record: for its batch, or in a restore."""
    return _is_asked(db, tid, record.epoch, record.batch) or _is_restored(db, tid, record)


def _is_asked(db: Connection, tid: str, epoch: int, number: str) -> bool:
    which = asked.c.tid == tid, asked.c.epoch == epoch, asked.c.batch == number
    return bool(db.execute(select(exists().where(*which))).scalar_one())


def _is_restored(db: Connection, tid: str, record: Record) -> bool:
    return restore.covers(restore.current(db, tid), record)


def _record(request: RequestContext, record: Record) -> Answer | Message:
    """Compare a record with the host's data: a missing payment is decided, one that was not paid is undone."""
    paid = request.message.fields["60"][8:11] == PAID
    mine = payment.c.tid == request.tid, payment.c.uid == record.uid.hex()
    row = request.db.execute(select(payment).where(*mine).with_for_update()).one_or_none()
    if row is not None and is_asked(row):
        return request.answer(answers.IN_PROGRESS)
    known = record_checks.look(request, record)
    if _is_restored(request.db, request.tid, record):
        epochs.learn_start(request.db, request.terminal, record)
    record_checks.note_record(request, record, chain.PAYMENT if paid else chain.VOID, known)
    if row is not None and paid == (row.state == "APPROVED") and row.state != "RECEIVED":
        return request.answer(answers.APPROVED)  # as it is here
    if batch.closed_with(request, record.batch) is not None and not _is_restored(request.db, request.tid, record):
        return request.answer(answers.INVALID, "Batch is closed")
    if row is None:
        if paid:
            return _missing(request, record, known)
        reversal.undo_unknown(request, record)
        return request.answer(answers.APPROVED)
    if paid:
        return _decide(request, record) if row.state == "RECEIVED" else _dispute(request, row)
    if row.state == "APPROVED" and (what := reversal.reason_not_reversible(request.db, row)):
        request.alarm("uploaded as not paid, but it can no longer be undone")
        return request.answer(answers.INVALID, what[1])
    if not decisions.undo(request.db, row, request.now):
        raise StateError("a payment changed while it was uploaded")
    request.alarm("undone by a batch upload")
    return request.answer(answers.APPROVED)


def _dispute(request: RequestContext, row: Row[Any]) -> Answer:
    request.alarm("uploaded as paid, but is not")
    return request.answer(answers.INVALID, f"Is {row.state.lower()} here")


def _missing(request: RequestContext, record: Record, known: record_checks.RecordChecks) -> Answer | Message:
    """A payment that the terminal has as paid, and the host not at all."""
    if known.has_tombstone:
        request.alarm("uploaded as paid, but was reversed")
        return request.answer(answers.INVALID, "Was reversed")
    if record.type == kinds.BALANCE:
        return request.answer(answers.APPROVED)  # no money, and nobody refers to it
    return _decide(request, record)


def _decide(request: RequestContext, record: Record) -> Answer | Message:
    """The request in which the terminal would send a record; or the answer, if there is none, or not yet."""
    if record.type not in _ALONE and (_follows_open(request, record) or originals.awaits(request, record)):
        restore.postpone(request)
        return request.answer(answers.ISSUER_DOWN, "About a payment that is not decided")
    try:
        return requests.of(request.db, request.terminal, record, request.keys)
    except FrameError:
        what = "About a payment that is not here" if record.type in originals.NAMING else "No terminal sends this"
        return _hold(request, record, answers.NOT_FOUND, what)


def _follows_open(request: RequestContext, record: Record) -> bool:
    """Whether a payment before this record, which it may be about, could not be decided yet."""
    row = restore.current(request.db, request.tid)
    if row is not None:
        return bool(row.waiting)
    open_ones = totals.in_batch(request.tid, record.epoch, record.batch) & (payment.c.state == "RECEIVED")
    before = open_ones & (payment.c.sequence < record.sequence)
    return bool(request.db.execute(select(exists().where(before))).scalar_one())


def _hold(request: RequestContext, record: Record, code: str, why: str) -> Answer:
    """The terminal has it as paid, and it fails the checks: listed, and not on the books."""
    row = {
        "tid": request.tid, "uid": record.uid.hex(), "epoch": record.epoch, "sequence": record.sequence,
        "batch": record.batch, "type": record.type, "amount": record.amount, "code": code, "why": why,
        "at": double_entry.now(), "mid": request.merchant_of(record),
    }  # fmt: skip
    put(request.db, held, row)
    request.alarm(f"uploaded as paid, but held: {why}")
    return request.answer(answers.INVALID, why)


def _end(request: RequestContext) -> Answer:
    """Close the batch with the totals that both sides now have."""
    number = request.message.batch
    if (closed := batch.closed_with(request, number)) is not None:
        return request.answer(answers.APPROVED, _48=batch.de48(closed))
    if trouble := batch.obstacle(request):
        return request.answer(answers.INVALID, trouble)
    if not _is_asked(request.db, request.tid, request.terminal.epoch, number):
        return request.answer(answers.INVALID, "Not asked for")
    if missing := batch.missing(request) or batch.undecided(request):
        gaps = batch.gaps(request)
        which = asked.c.tid == request.tid, asked.c.epoch == request.terminal.epoch, asked.c.batch == number
        told = {"ended": double_entry.now(), "missing": json.dumps(gaps)}
        request.db.execute(update(asked).where(*which).values(**told))
        return request.answer(answers.FORMAT_ERROR, missing)
    ours = totals.of_batch(request.db, request.tid, request.terminal.epoch, number)
    batch.close(request, ours, int(request.message.fields["48"]))
    return request.answer(answers.APPROVED, batch.totals_text(ours), _48=batch.de48(ours))
