# SPDX-License-Identifier: MIT
"""What the host already knows about a record before storing it: tombstone, body key, batch, position in the chain."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, exists, func, select
from sqlalchemy.dialects.sqlite import insert

from tools.host.books import double_entry
from tools.host.errors import SealError
from tools.host.keys import seal
from tools.host.store.schema import batch, payment, tombstone
from tools.host.transactions import chain, epochs, terminals
from tools.host.transactions.request_context import RequestContext

_HAS_TOMBSTONE = exists().where(tombstone.c.tid == bindparam("tid"), tombstone.c.uid == bindparam("uid"))
_REUSED = exists().where(
    payment.c.tid == bindparam("tid"),
    payment.c.body_counter == bindparam("counter"),
    payment.c.uid != bindparam("uid"),
    func.coalesce(payment.c.ikid, bindparam("current")) == bindparam("ikid"),
)
_STATE = select(batch.c.state).where(
    batch.c.tid == bindparam("tid"), batch.c.epoch == bindparam("epoch"), batch.c.number == bindparam("number")
)
_LOOK = select(_HAS_TOMBSTONE.label("has_tombstone"), _REUSED.label("reused"), _STATE.scalar_subquery().label("batch"))
_OPEN_BATCH = insert(batch).on_conflict_do_nothing()


@dataclass(frozen=True, slots=True)
class RecordChecks:
    """What is known about a record.

    `has_tombstone`: reversed before it arrived. `reused`: another uid used its body key. `batch`: open, closed or None.
    """

    has_tombstone: bool
    reused: bool
    batch: str | None


def look(request: RequestContext, record: seal.Record) -> RecordChecks:
    """Look everything up in one query, because this runs for every payment of a drain."""
    key = {
        "tid": request.tid,
        "uid": record.uid.hex(),
        "counter": record.counter,
        "ikid": request.key_of(record).hex(),
        "current": request.terminal.ikid.hex(),
        "epoch": record.epoch,
        "number": record.batch,
    }
    row = request.db.execute(_LOOK, key).one()
    return RecordChecks(row.has_tombstone, row.reused, row.batch)


def highest_counter(db: Connection, tid: str, ikid: bytes) -> int:
    """The highest transaction counter of any payment's body key below the terminal's initial key id; 0 = none."""
    mine = payment.c.tid == tid, func.coalesce(payment.c.ikid, ikid.hex()) == ikid.hex()
    return db.execute(select(func.max(payment.c.body_counter)).where(*mine)).scalar_one() or 0


def note_record(request: RequestContext, record: seal.Record, kind: str, known: RecordChecks) -> bool:
    """Add a record to the chain. Returns whether its seal tag is right.

    If the record proves a rolled-back or cloned chip, the terminal is quarantined. Records of a device that was replaced
    come late, when a later epoch has begun; they say nothing about the device in use.
    """
    ikid = request.key_of(record)
    try:
        recomputed = seal.recomputed_tag(record, request.keys, ikid)
    except SealError:
        recomputed = bytes(8)
    intact = seal.holds(record, recomputed)
    own = record.epoch == request.terminal.epoch
    start = request.terminal.start if own else epochs.start(request.db, request.tid, record.epoch)
    suspicion = chain.add(request.db, request.tid, record, recomputed, kind, start)
    if intact and not suspicion:
        if record.epoch > request.terminal.epoch:
            suspicion = f"epoch {record.epoch} was never begun"
        elif epochs.is_over(request.terminal, record.epoch) and ikid not in request.terminal.replaced:
            suspicion = f"epoch {record.epoch} is over, {request.terminal.epoch} was begun"
        elif known.reused:
            suspicion = f"body key {record.counter} used for two payments"
    if suspicion:
        terminals.quarantine(request.db, request.terminal, suspicion)
    elif ikid in request.terminal.replaced:
        pass
    elif intact and own:
        epochs.begin(request.db, request.terminal)
    elif intact:
        epochs.move_start(request.db, request.terminal, record.sequence)
    return intact


def settlement_batch(request: RequestContext, record: seal.Record, known: RecordChecks) -> str:
    """The batch a payment counts in: its own, or the open one if its own was closed before it arrived."""
    number = record.batch
    if known.batch == "closed":
        request.alarm("payment for a closed batch")
        number = f"{request.terminal.batch:06}"
    if known.batch != "open":
        row = {
            "tid": request.tid,
            "epoch": record.epoch,
            "number": number,
            "state": "open",
            "opened": double_entry.now(),
        }
        request.db.execute(_OPEN_BATCH, row)
    return number
