# SPDX-License-Identifier: MIT
"""0400: undo a payment whose answer never reached the terminal, whether or not the host received the payment."""

from typing import Any

from sqlalchemy import Connection, Row, select

from tools.host.books import double_entry
from tools.host.errors import StateError
from tools.host.keys import seal
from tools.host.outside import outbox
from tools.host.store import upsert
from tools.host.store.schema import batch, payment, tombstone
from tools.host.transactions import chain, decisions, idempotency, originals, record_checks, terminals
from tools.host.transactions.request_context import RequestContext, is_asked
from tools.host.wire import answers, kinds
from tools.host.wire.answers import Answer


def handle(request: RequestContext) -> Answer:
    """The answer to a reversal. A final answer is stored together with its effects."""
    db, message, record = request.db, request.message, request.message.record
    original = message.fields["61"]
    if record is None or record.uid != message.uid or original[:12] != record.batch + record.stan:
        return request.answer(answers.FORMAT_ERROR, "Names no payment")
    verdict = idempotency.look(db, message, record.epoch)
    if verdict.clash == "uid":
        request.alarm("same reversal, other content")
        return request.answer(answers.DUPLICATE, "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    if verdict.clash == "stan":
        request.alarm("two reversals share a STAN")  # both are carried out: each identifies its payment by uid
    mine = (payment.c.tid == request.tid, payment.c.uid == message.uid.hex())
    row = db.execute(select(payment).where(*mine).with_for_update()).one_or_none()
    if row is not None and is_asked(row):
        return request.answer(answers.IN_PROGRESS)
    if row is None:
        answer = _store_tombstone(request, record)
    elif row.state == "APPROVED" and (what := reason_not_reversible(db, row)):
        reason = f"record {row.sequence} is to be reversed after {what[0]}"
        terminals.quarantine(db, request.terminal, reason)  # the terminal knew the approval and has forgotten it
        answer = request.answer(answers.INVALID, what[1])
    else:
        if row.state in ("RECEIVED", "APPROVED") and not decisions.undo(db, row, request.now):
            raise StateError("a payment changed while it was reversed")
        answer = request.answer(answers.APPROVED)
    idempotency.open_(db, message, record.epoch, answer)
    return answer


def reason_not_reversible(db: Connection, row: Row[Any]) -> tuple[str, str] | None:
    """Why a payment can no longer be undone: (reason, text for the terminal). None if it still can."""
    mine = (batch.c.tid == row.tid, batch.c.epoch == row.epoch, batch.c.number == row.settled_in)
    if db.execute(select(batch.c.state).where(*mine)).scalar_one_or_none() == "closed":
        return "its batch was closed", "Settled already"
    if originals.is_named(db, row):
        return "another payment named it", "Another payment is about it"
    if originals.is_relied_on(db, row):
        return "what it freed was used again", "Something was done because of it"
    return None


def _store_tombstone(request: RequestContext, record: seal.Record) -> Answer:
    """The payment never arrived: store a tombstone, so that it is refused if it still arrives.

    The message names the payment by its uid, under its MAC; the record counts only if its seal holds.
    """
    known = record_checks.look(request, record)
    if record_checks.is_sealed(request, record):
        record_checks.note_record(request, record, chain.REVERSAL, known)
    row = {"tid": request.tid, "uid": record.uid.hex(), "at": double_entry.now()}
    upsert.insert_new(request.db, tombstone, row)
    undo_unknown(request, record)
    return request.answer(answers.NOT_FOUND)


def undo_unknown(request: RequestContext, record: seal.Record) -> None:
    """The terminal says that a payment is not paid which this host does not have. Before a backup was restored, it may
    have asked outside about it: so that is undone there.
    """
    message = request.message
    if message.type in kinds.REVERSED:
        amount = int(message.fields["4"])
        about = outbox.Unknown(request.tid, record.uid.hex(), request.terminal.mid, message.type, amount)
        outbox.undo(request.db, about)
