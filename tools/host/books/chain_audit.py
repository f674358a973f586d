# SPDX-License-Identifier: MIT
"""Each payment's header against its link in the chain, and each link's state against its neighbours."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, and_, select

from tools.host.store.schema import beginning, link, payment

_SLICE = 1000
_NO_TAG = "0" * 16


def chains(db: Connection) -> Iterator[str]:
    """What does not hold, one line each. A chain that is known to be broken is not a difference: its links say so."""
    epochs = sorted(db.execute(select(link.c.tid, link.c.epoch).distinct()).all())
    for tid, epoch in epochs:
        mine = select(beginning.c.after).where(beginning.c.tid == tid, beginning.c.epoch == epoch)
        start = db.execute(mine).scalar_one_or_none() or 0
        yield from _chain(db, tid, epoch, start)
    mine = link.c.tid == payment.c.tid, link.c.epoch == payment.c.epoch, link.c.sequence == payment.c.sequence
    lacking = select(payment.c.tid, payment.c.uid).where(
        payment.c.state == "APPROVED",
        ~select(link.c.tid).where(*mine, link.c.uid == payment.c.uid).exists(),
    )
    for tid, uid in db.execute(lacking):
        yield f"payment {tid} {uid} is not in the chain"


def _chain(db: Connection, tid: str, epoch: int, start: int) -> Iterator[str]:
    before: list[Row[Any]] = []  # the links with the sequence before
    same: list[Row[Any]] = []
    for row in _links(db, tid, epoch):
        name = f"record {row.sequence} of {tid}, epoch {epoch}"
        yield from _header(row, name)
        if same and same[0].sequence != row.sequence:
            before = same if same[0].sequence == row.sequence - 1 else []
            same = []
        same.append(row)
        state = _state(row, before, start)
        if row.state != state and row.state in ("holds", "waits"):
            yield f"{name} {row.uid}: its link is stored as {row.state}, but it is {state}"


def _links(db: Connection, tid: str, epoch: int) -> Iterator[Row[Any]]:
    """The links of an epoch by sequence, each with the header of its payment if there is one; in slices."""
    its = and_(payment.c.tid == link.c.tid, payment.c.uid == link.c.uid)
    wanted = select(link, payment.c.header).outerjoin(payment, its).where(link.c.tid == tid, link.c.epoch == epoch)
    last: tuple[int, str] = (-1, "")
    while True:
        further = (link.c.sequence > last[0]) | (link.c.sequence == last[0]) & (link.c.uid > last[1])
        rows = db.execute(wanted.where(further).order_by(link.c.sequence, link.c.uid).limit(_SLICE)).all()
        yield from rows
        if len(rows) < _SLICE:
            return
        last = rows[-1].sequence, rows[-1].uid


def _header(row: Row[Any], name: str) -> Iterator[str]:
    """A header says epoch (2 bytes at 2), sequence (4 at 4), uid (16 at 8), tag of the record before (8 at 56)."""
    if row.header is None:
        return
    header = bytes(row.header)
    said = int.from_bytes(header[2:4]), int.from_bytes(header[4:8]), header[8:24].hex(), header[56:64].hex()
    if said != (row.epoch, row.sequence, row.uid, row.previous_tag):
        yield f"{name}: its header says {said}"


def _state(row: Row[Any], before: list[Row[Any]], start: int) -> str:
    previous = row.previous_tag
    if row.sequence <= start + 1 or previous == _NO_TAG:
        return "holds" if row.sequence == start + 1 and previous == _NO_TAG else "broken"
    if not before:
        return "waits"
    return "holds" if any(previous in (one.tag, one.recomputed_tag) for one in before) else "broken"
