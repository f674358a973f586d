# SPDX-License-Identifier: MIT
"""0320: a batch that did not balance, record by record. The terminal's journal decides; missing payments are added.

Each record gets an answer of its own, the same one on every repeat. At the end the batch closes if none is missing.
"""

from typing import Any

from sqlalchemy import Row, insert, select, update

from tools.host.books import double_entry, totals
from tools.host.keys.seal import Record
from tools.host.store.schema import payment
from tools.host.transactions import batch, chain, idempotency, originals, record_checks, reversal, rrn
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import PAID, Message


def handle(request: RequestContext) -> Answer:
    """The answer to an uploaded record, or to the end of an upload."""
    message, record = request.message, request.message.record
    epoch = request.terminal.epoch if record is None else record.epoch
    verdict = idempotency.look(request.db, message, epoch)
    if verdict.clash == "uid":
        request.alarm("same upload, other content")
        return request.answer(answers.DUPLICATE, "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    if not message.body:
        answer = _end(request)
    elif record is None or not _fits(message, record):
        request.alarm("unreadable record")
        return request.answer(answers.FORMAT_ERROR, "Record damaged")
    else:
        answer = _record(request, record)
    if answer["39"] == answers.APPROVED:
        idempotency.open_(request.db, message, epoch, answer)
    return answer


def _fits(message: Message, record: Record) -> bool:
    """Whether the message's data elements match its record."""
    claimed = message.uid, message.type, message.fields["4"], message.fields["61"]
    return claimed == (record.uid, record.type, f"{record.amount:012}", record.batch + record.stan)


def _record(request: RequestContext, record: Record) -> Answer:
    """Compare a record with the host's data: add a missing payment, undo one the terminal knows was not paid."""
    paid = request.message.fields["60"][8:11] == PAID
    mine = payment.c.tid == request.tid, payment.c.uid == record.uid.hex()
    row = request.db.execute(select(payment).where(*mine)).one_or_none()
    known = record_checks.look(request, record)
    if not record_checks.note_record(request, record, chain.PAYMENT if paid else chain.VOID, known):
        return request.answer(answers.FORMAT_ERROR, "Record damaged")
    if batch.closed_with(request, record.batch) is not None:
        return request.answer(answers.INVALID, "Batch is closed")
    if row is None and paid:
        if known.has_tombstone:
            request.alarm("uploaded as paid, but was reversed")
            return request.answer(answers.INVALID, "Was reversed")
        _take_in(request, record, known)
    elif row is not None and row.state == "RECEIVED" and (request.tid, record.uid) not in request.busy:
        _decide(request, row, record, paid)
    elif row is not None and paid and row.state != "APPROVED":
        request.alarm("uploaded as paid, but is not")
        return request.answer(answers.INVALID, f"Is {row.state.lower()} here")
    elif row is not None and not paid and row.state == "APPROVED":
        if what := reversal.reason_not_reversible(request.db, row):
            request.alarm("uploaded as not paid, but another payment is about it")
            return request.answer(answers.INVALID, what[1])
        _undo(request, row)
    return request.answer(answers.APPROVED)


def _take_in(request: RequestContext, record: Record, known: record_checks.RecordChecks) -> None:
    """Add an approved payment that the host has lost. Its seal tag has been verified."""
    row = {
        "tid": request.tid, "uid": record.uid.hex(), "epoch": record.epoch, "sequence": record.sequence,
        "batch": record.batch, "settled_in": record_checks.settlement_batch(request, record, known),
        "stan": record.stan, "type": record.type, "amount": record.amount, "currency": record.currency,
        "first6": record.first6, "last4": record.last4, "taken_at": record.taken_at, "header": record.header,
        "body_hash": record.body_hash.hex(), "body_counter": record.counter, "state": "APPROVED",
        "ikid": request.key_of(record).hex(),
        "rrn": rrn.give(request.db, [record])[0],
        "text": "From a batch upload", "quarantined": int(request.terminal.quarantine is not None),
        "received": double_entry.now(), "answered": double_entry.now(),
    }  # fmt: skip
    number = request.db.execute(insert(payment).values(row).returning(payment.c.id)).scalar_one()
    worth = originals.link_uploaded(request, record, number)
    double_entry.post(
        request.db, double_entry.legs(number, record.type, worth, request.terminal.quarantine is not None)
    )
    request.alarm("taken in from a batch upload")


def _decide(request: RequestContext, row: Row[Any], record: Record, paid: bool) -> None:
    """Store the result of a payment the host never answered, as the terminal reports it."""
    done = {"state": "APPROVED" if paid else "REVERSED", "text": "From a batch upload", "answered": double_entry.now()}
    if paid:
        done["rrn"] = rrn.give(request.db, [record])[0]
    request.db.execute(update(payment).where(payment.c.id == row.id).values(**done))
    if paid:
        worth = originals.link_uploaded(request, record, row.id)
        double_entry.post(request.db, double_entry.legs(row.id, row.type, worth, bool(row.quarantined)))
    request.alarm("decided by a batch upload")


def _undo(request: RequestContext, row: Row[Any]) -> None:
    """Reverse a payment that the terminal has as declined, reversed or never paid."""
    double_entry.reverse(request.db, row.id)
    request.db.execute(update(payment).where(payment.c.id == row.id).values(state="REVERSED"))
    request.alarm("undone by a batch upload")


def _end(request: RequestContext) -> Answer:
    """Close the batch with the totals that both sides now have."""
    if batch.closed_with(request, request.message.batch) is not None:
        return request.answer(answers.APPROVED)
    if trouble := batch.obstacle(request):
        return request.answer(answers.INVALID, trouble)
    if missing := batch.missing(request) or batch.undecided(request):
        return request.answer(answers.FORMAT_ERROR, missing)
    ours = totals.of_batch(request.db, request.tid, request.terminal.epoch, request.message.batch)
    batch.close(request, ours, int(request.message.fields["48"]))
    return request.answer(answers.APPROVED, batch.totals_text(ours))
