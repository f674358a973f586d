# SPDX-License-Identifier: MIT
"""The payment chain: each record names its predecessor's seal tag. Records come in any order; gaps are shown."""

from typing import Any

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from tools.host.schema import link, payment
from tools.host.seal import Record

PAYMENT, VOID, REVERSAL = "payment", "void", "reversal"
_NO_TAG = "0" * 16


def add(db: Connection, tid: str, record: Record, recomputed: bytes, kind: str) -> str | None:
    """Store a record's link and verify it with its neighbours.

    Returns what it proves against the terminal (a rolled-back or cloned chip), or None.
    """
    near = or_(
        link.c.sequence.between(record.sequence - 1, record.sequence + 1),
        link.c.uid == record.uid.hex(),
    )
    rows = db.execute(select(link).where(link.c.tid == tid, link.c.epoch == record.epoch, near)).all()
    if any(row.uid == record.uid.hex() and row.sequence == record.sequence for row in rows):
        return None
    intact = record.seal_tag == recomputed
    before = [row for row in rows if row.sequence == record.sequence - 1]
    own = {record.seal_tag.hex(), recomputed.hex()}
    state = "damaged" if not intact else _state(record.previous_tag.hex(), record.sequence, before)
    db.execute(
        insert(link).values(
            tid=tid,
            epoch=record.epoch,
            sequence=record.sequence,
            uid=record.uid.hex(),
            previous_tag=record.previous_tag.hex(),
            tag=record.seal_tag.hex(),
            recomputed_tag=recomputed.hex(),
            kind=kind,
            state=state,
        )
    )
    broken_after = _verify_next(db, [row for row in rows if row.sequence == record.sequence + 1], own)
    if any(row.sequence == record.sequence for row in rows):
        return f"two records have sequence {record.sequence}"
    if state == "broken" or broken_after:
        return f"the chain does not hold at sequence {record.sequence}"
    return None


def highest(db: Connection, tid: str, epoch: int) -> tuple[int, set[str], str]:
    """Highest sequence held of an epoch, every tag it may be known by, the one it came with; (0, zero tag) if none."""
    top = select(func.max(link.c.sequence)).where(link.c.tid == tid, link.c.epoch == epoch).scalar_subquery()
    rows = db.execute(select(link).where(link.c.tid == tid, link.c.epoch == epoch, link.c.sequence == top)).all()
    if not rows:
        return 0, {_NO_TAG}, _NO_TAG
    return rows[0].sequence, {tag for row in rows for tag in (row.tag, row.recomputed_tag)}, rows[0].tag


def gaps(db: Connection, tid: str, epoch: int, newest: int) -> list[tuple[int, int]]:
    """Missing sequences of an epoch as (first, last), up to `newest` or the highest held, whichever is later."""
    held = select(link.c.sequence).where(link.c.tid == tid, link.c.epoch == epoch).distinct().order_by(link.c.sequence)
    missing: list[tuple[int, int]] = []
    expected = 1
    for sequence in db.execute(held).scalars():
        if sequence > expected:
            missing.append((expected, sequence - 1))
        expected = sequence + 1
    if newest >= expected:
        missing.append((expected, newest))
    return missing


def body_key_reused(db: Connection, tid: str, record: Record) -> bool:
    """Whether another payment was sealed under the same body KSN: it belongs to one uid for ever."""
    other = and_(payment.c.tid == tid, payment.c.body_counter == record.counter, payment.c.uid != record.uid.hex())
    return db.execute(select(payment.c.id).where(other).limit(1)).first() is not None


def _state(previous: str, sequence: int, before: list[Row[Any]]) -> str:
    if sequence == 1:
        return "holds" if previous == _NO_TAG else "broken"
    if not before:
        return "waits"
    return "holds" if any(previous in (row.tag, row.recomputed_tag) for row in before) else "broken"


def _verify_next(db: Connection, after: list[Row[Any]], own: set[str]) -> bool:
    """Settle the links that waited for this record; True when one of them does not hold."""
    broken = False
    for row in after:
        if row.state == "waits":
            holds = row.previous_tag in own
            db.execute(update(link).where(link.c.id == row.id).values(state="holds" if holds else "broken"))
            broken = broken or not holds
    return broken
