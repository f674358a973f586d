# SPDX-License-Identifier: MIT
"""The payment chain: each record carries its predecessor's seal tag. Records arrive in any order; gaps are reported."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from tools.host.keys.seal import Record
from tools.host.store.schema import link
from tools.host.transactions import epochs
from tools.host.transactions.terminals import NO_TAG

PAYMENT, VOID, REVERSAL = "payment", "void", "reversal"
_OF_EPOCH = (link.c.tid == bindparam("tid"), link.c.epoch == bindparam("epoch"))
_NEAR = select(link).where(*_OF_EPOCH, link.c.sequence.between(bindparam("first"), bindparam("last")))
_ADD = insert(link)
_SETTLE = update(link).where(
    link.c.tid == bindparam("of_tid"),
    link.c.epoch == bindparam("of_epoch"),
    link.c.sequence == bindparam("of_sequence"),
    link.c.uid == bindparam("of_uid"),
)
_HELD = select(link.c.sequence).where(*_OF_EPOCH).distinct().order_by(link.c.sequence)
_TOP = select(func.max(link.c.sequence)).where(*_OF_EPOCH).scalar_subquery()
_HIGHEST = select(link).where(*_OF_EPOCH, link.c.sequence == _TOP)


def add(db: Connection, tid: str, record: Record, recomputed: bytes, kind: str, start: int) -> str | None:
    """Store a record's link and check it against its neighbours. `start`: see epochs.start.

    Returns the evidence of a rolled-back or cloned chip, or None.
    """
    at = record.sequence
    rows = db.execute(_NEAR, {"tid": tid, "epoch": record.epoch, "first": at - 1, "last": at + 1}).all()
    same = [row for row in rows if row.sequence == at]
    if any(row.uid == record.uid.hex() for row in same):
        return None
    intact = record.seal_tag == recomputed
    before = [row for row in rows if row.sequence == at - 1]
    state = _state(record, before, start) if intact else "damaged"
    db.execute(
        _ADD,
        {
            "tid": tid,
            "epoch": record.epoch,
            "sequence": at,
            "uid": record.uid.hex(),
            "previous_tag": record.previous_tag.hex(),
            "tag": record.seal_tag.hex(),
            "recomputed_tag": recomputed.hex(),
            "kind": kind,
            "state": state,
        },
    )
    own = {record.seal_tag.hex(), recomputed.hex()}
    broken_after = _verify_next(db, [row for row in rows if row.sequence == at + 1], own)
    if same:
        return f"two records have sequence {at}"
    if state == "broken" or broken_after:
        return f"the chain does not hold at sequence {at}"
    return None


def highest(db: Connection, tid: str, epoch: int) -> tuple[int, set[str], str]:
    """The highest stored sequence of an epoch, every tag it may have, and the tag it arrived with.

    (0, {zero tag}, zero tag) if the epoch has no records.
    """
    rows = db.execute(_HIGHEST, {"tid": tid, "epoch": epoch}).all()
    if not rows:
        return 0, {NO_TAG}, NO_TAG
    return rows[0].sequence, {tag for row in rows for tag in (row.tag, row.recomputed_tag)}, rows[0].tag


def gaps(db: Connection, tid: str, epoch: int, newest: int) -> list[tuple[int, int]]:
    """Missing sequences of an epoch as (first, last), up to `newest` or the highest stored, whichever is higher."""
    missing: list[tuple[int, int]] = []
    expected = epochs.start(db, tid, epoch) + 1
    for sequence in db.execute(_HELD, {"tid": tid, "epoch": epoch}).scalars():
        if sequence > expected:
            missing.append((expected, sequence - 1))
        expected = sequence + 1
    if newest >= expected:
        missing.append((expected, newest))
    return missing


def _state(record: Record, before: Sequence[Row[Any]], start: int) -> str:
    """Whether an intact record's link to its predecessor holds, is broken, or waits for the predecessor.

    The first record after the epoch's start has no predecessor; every later one has.
    """
    previous = record.previous_tag.hex()
    if record.sequence <= start + 1 or previous == NO_TAG:
        return "holds" if record.sequence == start + 1 and previous == NO_TAG else "broken"
    if not before:
        return "waits"
    return "holds" if any(previous in (row.tag, row.recomputed_tag) for row in before) else "broken"


def _verify_next(db: Connection, after: Sequence[Row[Any]], own: set[str]) -> bool:
    """Check the links that waited for this record. True if one of them is broken."""
    broken = False
    for row in after:
        if row.state == "waits":
            holds = row.previous_tag in own
            key = {"of_tid": row.tid, "of_epoch": row.epoch, "of_sequence": row.sequence, "of_uid": row.uid}
            db.execute(_SETTLE, {**key, "state": "holds" if holds else "broken"})
            broken = broken or not holds
    return broken
