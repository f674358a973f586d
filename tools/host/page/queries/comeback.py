# SPDX-License-Identifier: MIT
"""What a terminal sends again, or what is brought in its place: restores, uploads, held payments, hand-ins, closings."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from tools.host.operations import held_payments
from tools.host.page.queries import Query
from tools.host.page.viewer import MERCHANT, Viewer
from tools.host.store.schema import audit, hand_in, terminal
from tools.host.store.schema_behind import asked, held, lost, lost_batch, restore

SHOWN = 10
HELD = 50
CLOSED = "batch closed by an operator"  # see operations/closing.py
_LOOKED_AT = 300  # audit lines of a terminal


class Upload(NamedTuple):
    """A batch whose records were asked for. `missing`: sequences that the terminal did not have, as (first, last)."""

    epoch: int
    batch: str
    at: str
    ended: str | None
    missing: list[tuple[int, int]]


class HandIn(NamedTuple):
    """Records that an operator handed in. `report`: see hand_in.run; None if it did not end. `counts`: by outcome."""

    number: int
    at: str
    by: str
    report: dict[str, Any] | None
    counts: dict[str, int]


class Comeback(NamedTuple):
    """`restores`: the newest first. `lost`: sequences that exist nowhere any more."""

    restores: Sequence[Row[Any]]
    uploads: list[Upload]
    lost: Sequence[Row[Any]]
    lost_batches: Sequence[Row[Any]]
    held: Sequence[Row[Any]]
    hand_ins: list[HandIn]
    closings: Sequence[Row[Any]]

    @property
    def current(self) -> Row[Any] | None:
        """The restore that has not ended."""
        return next((row for row in self.restores if row.ended is None), None)


def read(db: Connection, viewer: Viewer, tid: str) -> Comeback:
    """All of it, of a terminal that the viewer may see. What may be of an earlier merchant is not for merchants."""
    is_merchant = viewer.role == MERCHANT
    gone = select(lost).where(lost.c.tid == tid).order_by(lost.c.epoch.desc(), lost.c.first.desc()).limit(SHOWN)
    return Comeback(
        [row for row in db.execute(_restores(tid)).all() if row.ended is None or not is_merchant],
        uploads(db, tid),
        db.execute(gone).all(),
        [] if is_merchant else db.execute(_lost_batches(tid)).all(),
        db.execute(held_of(viewer, tid)).all(),
        [one for one in hand_ins(db, tid) if not is_merchant or is_of(viewer, one)],
        [] if is_merchant else closings(db, tid),
    )


def restoring(viewer: Viewer) -> Query:
    """Restores that have not ended."""
    mine = restore.c.ended.is_(None), viewer.sees(terminal.c.mid)
    joined = select(restore, terminal.c.heard).join(terminal, terminal.c.tid == restore.c.tid).where(*mine)
    return joined.order_by(restore.c.tid).limit(SHOWN + 1)


def held_open(viewer: Viewer) -> Query:
    """Held payments that nobody has decided about."""
    mine = held_payments.is_open(), viewer.sees(held.c.mid)
    return select(held).where(*mine).order_by(held.c.tid, held.c.epoch, held.c.sequence).limit(SHOWN + 1)


def held_of(viewer: Viewer, tid: str) -> Query:
    """The same of one terminal."""
    mine = held.c.tid == tid, held_payments.is_open(), viewer.sees(held.c.mid)
    return select(held).where(*mine).order_by(held.c.epoch, held.c.sequence).limit(HELD + 1)


def held_one(db: Connection, viewer: Viewer, tid: str, uid: str) -> Row[Any] | None:
    """One held payment, decided or not, or None."""
    mine = held.c.tid == tid, held.c.uid == uid, viewer.sees(held.c.mid)
    return db.execute(select(held).where(*mine)).one_or_none()


def uploads(db: Connection, tid: str) -> list[Upload]:
    """The newest batches that were asked for."""
    newest = asked.c.epoch.desc(), asked.c.batch.desc()
    rows = db.execute(select(asked).where(asked.c.tid == tid).order_by(*newest).limit(SHOWN)).all()
    return [Upload(row.epoch, row.batch, row.at, row.ended, _ranges(row.missing)) for row in rows]


def hand_ins(db: Connection, tid: str) -> list[HandIn]:
    """The newest hand-ins."""
    mine = select(hand_in).where(hand_in.c.tid == tid).order_by(hand_in.c.number.desc())
    return [_hand_in(row) for row in db.execute(mine.limit(SHOWN)).all()]


def hand_in_one(db: Connection, viewer: Viewer, tid: str, number: int) -> HandIn | None:
    """One hand-in, or None."""
    row = db.execute(select(hand_in).where(hand_in.c.tid == tid, hand_in.c.number == number)).one_or_none()
    found = _hand_in(row) if row is not None else None
    return found if found is not None and is_of(viewer, found) else None


def is_of(viewer: Viewer, one: HandIn) -> bool:
    """Whether a viewer may see a hand-in: a merchant, if the terminal was its own then."""
    return viewer.role != MERCHANT or one.report is not None and one.report["merchant"] == viewer.mid


def closings(db: Connection, tid: str) -> list[Row[Any]]:
    """Audit lines about batches of a terminal that operators closed, among its newest lines."""
    newest = select(audit).where(audit.c.tid == tid).order_by(audit.c.number.desc()).limit(_LOOKED_AT).subquery()
    found = select(newest).where(newest.c.what == CLOSED).order_by(newest.c.number.desc())
    return list(db.execute(found.limit(SHOWN)).all())


def _restores(tid: str) -> Query:
    return select(restore).where(restore.c.tid == tid).order_by(restore.c.number.desc()).limit(SHOWN)


def _lost_batches(tid: str) -> Query:
    newest = lost_batch.c.epoch.desc(), lost_batch.c.number.desc()
    return select(lost_batch).where(lost_batch.c.tid == tid).order_by(*newest).limit(SHOWN)


def _hand_in(row: Row[Any]) -> HandIn:
    report = json.loads(row.report) if row.report else None
    sums = report["sums"] if report else {}
    counts = {what: sum(count for count, _ in kinds.values()) for what, kinds in sums.items()}
    return HandIn(row.number, row.at, row.operator, report, counts)


def _ranges(text: str | None) -> list[tuple[int, int]]:
    return [(first, last) for first, last in json.loads(text)] if text else []
