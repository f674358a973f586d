# SPDX-License-Identifier: MIT
"""0320: a batch that did not balance, record by record. The terminal's journal decides; missing payments are added.

Each record gets an answer of its own, the same one on every repeat. At the end the batch closes if none is missing.
"""

from typing import Any

from sqlalchemy import Row, insert, select, update

from tools.host import answers, batch, books, chain, idempotency, originals, record_checks, reversal, rrn, totals
from tools.host.answers import Answer
from tools.host.case import Case
from tools.host.message import PAID, Message
from tools.host.schema import payment
from tools.host.seal import Record


def handle(case: Case) -> Answer:
    """The answer to an uploaded record, or to the end of an upload."""
    message, record = case.message, case.message.record
    epoch = case.terminal.epoch if record is None else record.epoch
    verdict = idempotency.look(case.db, message, epoch)
    if verdict.clash == "uid":
        case.alarm("same upload, other content")
        return case.answer(answers.DUPLICATE, "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    if not message.body:
        answer = _end(case)
    elif record is None or not _fits(message, record):
        case.alarm("unreadable record")
        return case.answer(answers.FORMAT_ERROR, "Record damaged")
    else:
        answer = _record(case, record)
    if answer["39"] == answers.APPROVED:
        idempotency.open_(case.db, message, epoch, answer)
    return answer


def _fits(message: Message, record: Record) -> bool:
    """Whether the message's data elements match its record."""
    claimed = message.uid, message.type, message.fields["4"], message.fields["61"]
    return claimed == (record.uid, record.type, f"{record.amount:012}", record.batch + record.stan)


def _record(case: Case, record: Record) -> Answer:
    """Compare a record with the host's data: add a missing payment, undo one the terminal knows was not paid."""
    paid = case.message.fields["60"][8:11] == PAID
    mine = payment.c.tid == case.tid, payment.c.uid == record.uid.hex()
    row = case.db.execute(select(payment).where(*mine)).one_or_none()
    known = record_checks.look(case.db, case.tid, record)
    if not record_checks.note_record(case, record, chain.PAYMENT if paid else chain.VOID, known):
        return case.answer(answers.FORMAT_ERROR, "Record damaged")
    if batch.closed_with(case, record.batch) is not None:
        return case.answer(answers.INVALID, "Batch is closed")
    if row is None and paid:
        if known.has_tombstone:
            case.alarm("uploaded as paid, but was reversed")
            return case.answer(answers.INVALID, "Was reversed")
        _take_in(case, record, known)
    elif row is not None and row.state == "RECEIVED" and (case.tid, record.uid) not in case.busy:
        _decide(case, row, record, paid)
    elif row is not None and paid and row.state != "APPROVED":
        case.alarm("uploaded as paid, but is not")
        return case.answer(answers.INVALID, f"Is {row.state.lower()} here")
    elif row is not None and not paid and row.state == "APPROVED":
        if what := reversal.stands(case.db, row):
            case.alarm("uploaded as not paid, but another payment is about it")
            return case.answer(answers.INVALID, what[1])
        _undo(case, row)
    return case.answer(answers.APPROVED)


def _take_in(case: Case, record: Record, known: record_checks.RecordChecks) -> None:
    """Add an approved payment that the host has lost. Its seal tag has been verified."""
    row = {
        "tid": case.tid, "uid": record.uid.hex(), "epoch": record.epoch, "sequence": record.sequence,
        "batch": record.batch, "settled_in": record_checks.settlement_batch(case, record, known), "stan": record.stan,
        "type": record.type, "amount": record.amount, "currency": record.currency, "first6": record.first6,
        "last4": record.last4, "taken_at": record.taken_at, "header": record.header,
        "body_hash": record.body_hash.hex(), "body_counter": record.counter, "state": "APPROVED",
        "rrn": rrn.give(case.db, [record])[0],
        "text": "From a batch upload", "quarantined": int(case.terminal.quarantine is not None),
        "received": books.now(), "answered": books.now(),
    }  # fmt: skip
    number = case.db.execute(insert(payment).values(row).returning(payment.c.id)).scalar_one()
    worth = originals.taken_in(case, record, number)
    books.post(case.db, books.legs(number, record.type, worth, case.terminal.quarantine is not None))
    case.alarm("taken in from a batch upload")


def _decide(case: Case, row: Row[Any], record: Record, paid: bool) -> None:
    """Store the result of a payment the host never answered, as the terminal reports it."""
    done = {"state": "APPROVED" if paid else "REVERSED", "text": "From a batch upload", "answered": books.now()}
    if paid:
        done["rrn"] = rrn.give(case.db, [record])[0]
    case.db.execute(update(payment).where(payment.c.id == row.id).values(**done))
    if paid:
        worth = originals.taken_in(case, record, row.id)
        books.post(case.db, books.legs(row.id, row.type, worth, bool(row.quarantined)))
    case.alarm("decided by a batch upload")


def _undo(case: Case, row: Row[Any]) -> None:
    """Reverse a payment that the terminal has as declined, reversed or never paid."""
    books.reverse(case.db, row.id)
    case.db.execute(update(payment).where(payment.c.id == row.id).values(state="REVERSED"))
    case.alarm("undone by a batch upload")


def _end(case: Case) -> Answer:
    """Close the batch with the totals that both sides now have."""
    if batch.closed_with(case, case.message.batch) is not None:
        return case.answer(answers.APPROVED)
    if trouble := batch.obstacle(case):
        return case.answer(answers.INVALID, trouble)
    if missing := batch.missing(case) or batch.undecided(case):
        return case.answer(answers.FORMAT_ERROR, missing)
    ours = totals.of_batch(case.db, case.tid, case.terminal.epoch, case.message.batch)
    batch.close(case, ours, int(case.message.fields["48"]))
    return case.answer(answers.APPROVED, batch.said(ours))
