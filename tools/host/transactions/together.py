# SPDX-License-Identifier: MIT
"""Payments that arrive together: plain new ones of one terminal share their queries, all others go one by one.

A drain is mostly this. A payment alone takes seven statements; a window of them shares seven.
What is decided is the same: whatever is not plain, new and in its place in the chain is left to payments.receive.
"""

import dataclasses
import itertools
from collections.abc import Sequence

from sqlalchemy import bindparam, func, literal, select

from tools.host.errors import SealError
from tools.host.keys import seal
from tools.host.store.schema import batch, payment, tombstone
from tools.host.store.schema import message as message_table
from tools.host.transactions import card_checks, chain, epochs, idempotency, payments
from tools.host.transactions.decisions import Booked
from tools.host.transactions.record_checks import RecordChecks
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import kinds
from tools.host.wire.answers import Answer

_PLAIN = frozenset((kinds.SALE, kinds.CASH, kinds.QR_SCANNED, kinds.QR_SHOWN))  # they name no other payment
_NEW = RecordChecks(has_tombstone=False, reused=False, batch="open", is_here=False)

_TID = bindparam("of_tid")
_SAME_UID = bindparam("uids", expanding=True)
# Anything that makes one of them a payment that the host has, has undone, or cannot trust.
_KNOWN = (
    select(literal(1))
    .where(
        message_table.c.tid == _TID, message_table.c["class"] == bindparam("group"), message_table.c.uid.in_(_SAME_UID)
    )
    .union_all(
        select(literal(1)).where(
            message_table.c.tid == _TID,
            message_table.c["class"] == bindparam("group"),
            message_table.c.epoch == bindparam("epoch"),
            message_table.c.batch == bindparam("number"),
            message_table.c.stan.in_(bindparam("stans", expanding=True)),
        ),
        select(literal(1)).where(tombstone.c.tid == _TID, tombstone.c.uid.in_(_SAME_UID)),
        select(literal(1)).where(payment.c.tid == _TID, payment.c.uid.in_(_SAME_UID)),
        select(literal(1)).where(
            payment.c.tid == _TID,
            payment.c.body_counter.in_(bindparam("counters", expanding=True)),
            func.coalesce(payment.c.ikid, bindparam("ikid")) == bindparam("ikid"),
        ),
    )
    .limit(1)
)
_STATE = select(batch.c.state).where(
    batch.c.tid == _TID, batch.c.epoch == bindparam("epoch"), batch.c.number == bindparam("number")
)


def receive(requests: Sequence[RequestContext]) -> list[Answer | Booked]:
    """What payments.receive returns for each of them. They are of one transaction."""
    done: list[Answer | Booked] = []
    for _, group in itertools.groupby(requests, key=lambda request: (request.tid, _is_plain(request))):
        run = list(group)
        shared = _received(run) if len(run) > 1 and _is_plain(run[0]) else None
        done += shared if shared is not None else [payments.receive(request) for request in run]
    return done


def _is_plain(request: RequestContext) -> bool:
    """Whether nothing about a payment is special, as far as it shows before the database is asked."""
    message, record, terminal = request.message, request.message.record, request.terminal
    return (
        record is not None
        and record.uid == message.uid
        and record.type in _PLAIN
        and kinds.carries(message.type, record.type)
        and message.type != kinds.VOID_ENTRY
        and record.batch == message.batch
        and record.epoch == terminal.epoch
        and terminal.quarantine is None
        and not request.late
        and request.hand_in is None
    )


def _received(run: Sequence[RequestContext]) -> list[Answer | Booked] | None:
    """The same, with shared statements; None if one of them needs more care."""
    first = run[0]
    db, terminal = first.db, first.terminal
    records = [request.message.record for request in run if request.message.record is not None]
    if not _follow_each_other(records) or not all(map(_is_own, run, records)) or not _are_new(first, records):
        return None
    opened = _batch(first, records[0])
    if opened not in ("open", None) or opened is None and int(records[0].batch) != terminal.batch:
        return None
    near = chain.near(db, terminal.tid, terminal.epoch, records[0].sequence, records[-1].sequence)
    if any(row.sequence >= records[0].sequence for row in near):
        return None
    state = chain.state_of(records[0], near, terminal.start)
    if state == "broken":
        return None
    states = [state] + ["holds"] * (len(records) - 1)
    db.execute(
        chain.ADD,
        [
            chain.row_of(terminal.tid, record, chain.PAYMENT, one)
            for record, one in zip(records, states, strict=True)
        ],
    )  # fmt: skip
    epochs.begin(db, terminal)
    db.execute(idempotency.OPEN, [idempotency.row(request.message, terminal.epoch) for request in run])
    known = itertools.chain([dataclasses.replace(_NEW, batch=opened)], itertools.repeat(_NEW))  # the first one opens it
    judged = [payments.judge(*one) for one in zip(run, records, known, strict=False)]
    for keys in {frozenset(row) for row, _ in judged}:  # a statement names the same columns in every row
        db.execute(payments.INSERT, [row for row, _ in judged if frozenset(row) == keys])
    outcomes = card_checks.refuse_used(db, [outcome for _, outcome in judged])
    stored = [Booked(request.message, record) for request, record in zip(run, records, strict=True)]
    return payments.booked(first, list(zip(stored, outcomes, strict=True)))


def _follow_each_other(records: Sequence[seal.Record]) -> bool:
    """Whether each is the chain's next after the one before, of the same batch, with its own STAN and body key."""
    distinct = {len({record.stan for record in records}), len({record.counter for record in records})}
    return distinct == {len(records)} and all(
        after.sequence == before.sequence + 1
        and after.batch == before.batch
        and after.previous_tag == before.seal_tag
        and any(after.previous_tag)
        for before, after in itertools.pairwise(records)
    )


def _is_own(request: RequestContext, record: seal.Record) -> bool:
    """Whether a record carries the seal of its terminal, under the key that it has now."""
    ikid = request.terminal.ikid
    try:
        return request.key_of(record) == ikid and seal.holds(record, seal.recomputed_tag(record, request.keys, ikid))
    except SealError:
        return False


def _are_new(request: RequestContext, records: Sequence[seal.Record]) -> bool:
    """Whether the host knows none of them in any way."""
    key = {
        "of_tid": request.tid,
        "group": request.message.group,
        "uids": [record.uid.hex() for record in records],
        "epoch": request.terminal.epoch,
        "number": records[0].batch,
        "stans": [record.stan for record in records],
        "counters": [record.counter for record in records],
        "ikid": request.terminal.ikid.hex(),
    }
    return len(set(key["uids"])) == len(records) and request.db.execute(_KNOWN, key).first() is None


def _batch(request: RequestContext, record: seal.Record) -> str | None:
    """Open, closed, or None: the host has no payment of this batch yet."""
    key = {"of_tid": request.tid, "epoch": record.epoch, "number": record.batch}
    return request.db.execute(_STATE, key).scalar_one_or_none()
