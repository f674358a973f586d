# SPDX-License-Identifier: MIT
"""0400: undo a payment whose answer never reached the terminal, whether or not the host received the payment."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from tools.host.books import double_entry
from tools.host.keys import seal
from tools.host.store.schema import batch, payment, tombstone
from tools.host.transactions import chain, idempotency, originals, record_checks, terminals
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers
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
    if message.key in request.busy:
        return request.answer(answers.IN_PROGRESS)
    mine = (payment.c.tid == request.tid, payment.c.uid == message.uid.hex())
    row = db.execute(select(payment).where(*mine)).one_or_none()
    if row is None:
        answer = _store_tombstone(request, record)
    elif row.state == "APPROVED" and (what := reason_not_reversible(db, row)):
        reason = f"record {row.sequence} is to be reversed after {what[0]}"
        terminals.quarantine(db, request.terminal, reason)  # the terminal knew the approval and has forgotten it
        answer = request.answer(answers.INVALID, what[1])
    else:
        if row.state in ("RECEIVED", "APPROVED"):
            double_entry.reverse(db, row.id)
            db.execute(update(payment).where(payment.c.id == row.id).values(state="REVERSED"))
        answer = request.answer(answers.APPROVED)
    idempotency.open_(db, message, record.epoch, answer)
    return answer


def undoes(db: Connection, tid: str, uid: bytes) -> bool:
    """Whether a reversal would undo this payment: it is approved or undecided, and not settled."""
    row = db.execute(select(payment).where(payment.c.tid == tid, payment.c.uid == uid.hex())).one_or_none()
    return row is not None and row.state in ("RECEIVED", "APPROVED") and not reason_not_reversible(db, row)


def reason_not_reversible(db: Connection, row: Row[Any]) -> tuple[str, str] | None:
    """Why a payment can no longer be undone: (reason, text for the terminal). None if it still can."""
    mine = (batch.c.tid == row.tid, batch.c.epoch == row.epoch, batch.c.number == row.settled_in)
    if db.execute(select(batch.c.state).where(*mine)).scalar_one_or_none() == "closed":
        return "its batch was closed", "Settled already"
    if originals.is_named(db, row):
        return "another payment named it", "Another payment is about it"
    return None


def _store_tombstone(request: RequestContext, record: seal.Record) -> Answer:
    """The payment never arrived: store a tombstone, so that it is refused if it still arrives."""
    known = record_checks.look(request, record)
    record_checks.note_record(request, record, chain.REVERSAL, known)
    if not known.has_tombstone:
        request.db.execute(tombstone.insert().values(tid=request.tid, uid=record.uid.hex(), at=double_entry.now()))
    return request.answer(answers.NOT_FOUND)
