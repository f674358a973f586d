# SPDX-License-Identifier: MIT
"""What the host already knows about a record before storing it: tombstone, body key, batch, position in the chain."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, exists, func, select

from tools.host.books import double_entry
from tools.host.errors import SealError
from tools.host.keys import seal
from tools.host.store import upsert
from tools.host.store.schema import batch, payment, tombstone
from tools.host.store.schema_behind import damaged
from tools.host.transactions import chain, epochs, restore, terminals
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
_IS_HERE = exists().where(payment.c.tid == bindparam("tid"), payment.c.uid == bindparam("uid"))
_LOOK = select(
    _HAS_TOMBSTONE.label("has_tombstone"),
    _REUSED.label("reused"),
    _STATE.scalar_subquery().label("batch"),
    _IS_HERE.label("is_here"),
)
_MOST_DAMAGED = 1000  # records listed of each terminal; more are only counted


@dataclass(frozen=True, slots=True)
class RecordChecks:
    """What is known about a record.

    `has_tombstone`: reversed before it arrived. `reused`: another uid used its body key. `batch`: open, closed or None.
    `is_here`: it is stored as a payment.
    """

    has_tombstone: bool
    reused: bool
    batch: str | None
    is_here: bool


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
    return RecordChecks(bool(row.has_tombstone), bool(row.reused), row.batch, bool(row.is_here))


def highest_counter(db: Connection, tid: str, ikid: bytes) -> int:
    """The highest transaction counter of any payment's body key below the terminal's initial key id; 0 = none."""
    mine = payment.c.tid == tid, func.coalesce(payment.c.ikid, ikid.hex()) == ikid.hex()
    return db.execute(select(func.max(payment.c.body_counter)).where(*mine)).scalar_one() or 0


def has_body(db: Connection, tid: str, ikid: bytes, counter: int) -> bool:
    """Whether the body of a payment here is sealed under this counter's key below the terminal's initial key id."""
    below = func.coalesce(payment.c.ikid, ikid.hex()) == ikid.hex()
    mine = payment.c.tid == tid, payment.c.body_counter == counter, below
    return bool(db.execute(select(exists().where(*mine))).scalar_one())


def is_sealed(request: RequestContext, record: seal.Record) -> bool:
    """Whether a record carries the seal of its terminal. If not, it is listed as damaged, and nothing it says counts."""
    try:
        recomputed = seal.recomputed_tag(record, request.keys, request.key_of(record))
    except SealError:
        recomputed = bytes(8)
    if seal.holds(record, recomputed):
        return True
    request.counters["damaged_records"] += 1
    mine = select(func.count()).where(damaged.c.tid == request.tid).select_from(damaged)
    if request.db.execute(mine).scalar_one() < _MOST_DAMAGED:
        row = {
            "tid": request.tid, "digest": hashlib.sha256(record.raw).hexdigest(), "epoch": record.epoch,
            "sequence": record.sequence, "uid": record.uid.hex(), "amount": record.amount,
            "tag": record.seal_tag.hex(), "recomputed": recomputed.hex(), "at": double_entry.now(),
        }  # fmt: skip
        if upsert.insert_new(request.db, damaged, row):
            request.alarm("record damaged")
    return False


def note_record(request: RequestContext, record: seal.Record, kind: str, known: RecordChecks) -> None:
    """Add a record to the chain. Its seal must hold (is_sealed).

    If the record proves a rolled-back or cloned chip, the terminal is quarantined. Records of a device that was replaced
    come late, when a later epoch has begun; they say nothing about the device in use.
    """
    ikid = request.key_of(record)
    own = record.epoch == request.terminal.epoch
    start = request.terminal.start if own else epochs.start(request.db, request.tid, record.epoch)
    suspicion = chain.add(request.db, request.tid, record, kind, start)
    if not suspicion:
        if record.epoch > request.terminal.epoch:
            suspicion = f"epoch {record.epoch} was never begun"
        elif (
            epochs.is_over(request.terminal, record.epoch)
            and ikid not in request.terminal.replaced
            and not restore.covers(restore.current(request.db, request.tid), record)
        ):
            suspicion = f"epoch {record.epoch} is over, {request.terminal.epoch} was begun"
        elif known.reused:
            suspicion = f"body key {record.counter} used for two payments"
    if suspicion:
        terminals.quarantine(request.db, request.terminal, suspicion)
    elif ikid in request.terminal.replaced:
        pass
    elif own:
        epochs.begin(request.db, request.terminal)
    else:
        epochs.move_start(request.db, request.terminal, record.sequence)


def settlement_batch(request: RequestContext, record: seal.Record, known: RecordChecks) -> str:
    """The batch a payment counts in: its own, or one that is open if its own was closed before it arrived."""
    number = record.batch
    if known.batch == "closed":
        request.alarm("payment for a closed batch")
        number = epochs.open_number(request.db, request.terminal, record.epoch)
    elif not request.late and is_foreign_batch(request, record, known):
        request.alarm("payment for a batch that was never opened")
        number = epochs.open_number(request.db, request.terminal, record.epoch)
    if known.batch != "open" or number != record.batch:
        row = {
            "tid": request.tid,
            "epoch": record.epoch,
            "number": number,
            "mid": request.merchant_of(record),
            "state": "open",
            "opened": double_entry.now(),
        }
        upsert.insert_new(request.db, batch, row)
    return number


def is_foreign_batch(request: RequestContext, record: seal.Record, known: RecordChecks) -> bool:
    """Whether a record of the terminal's epoch is of a batch that is neither the open one nor one from before."""
    own = record.epoch == request.terminal.epoch
    return own and known.batch is None and int(record.batch) != request.terminal.batch
