# SPDX-License-Identifier: MIT
"""Terminals: when they were last heard, what they last reported, what the host holds of them and what is missing."""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from tools.host.page.queries import Query
from tools.host.page.viewer import Viewer
from tools.host.store.schema import audit, link, terminal
from tools.host.store.schema_behind import restore

SHOWN = 100
_LINES = 300  # audit lines of a terminal among which its last status is looked for
_LINKS = 5_000  # records, from the newest, among which gaps are looked for
SILENT = datetime.timedelta(hours=24)
SOON = 30  # days until a certificate ends


class Status(NamedTuple):
    """What a terminal reported (0820, 362). `at`: ISO time, UTC."""

    at: str
    waiting: int
    free_sectors: int
    damaged: int


class Seen(NamedTuple):
    """A terminal. `missing`: newest records that it has and the host has not. `blocked`: the reason, if it is."""

    row: Row[Any]
    status: Status | None
    missing: int
    certificate_days: int | None
    is_silent: bool
    blocked: str | None

    @property
    def waiting(self) -> int | None:
        """How many payments it had still to send, by its newest word; None if it never said."""
        return self.status.waiting if self.status and self._by_status else self.row.waiting

    @property
    def waiting_at(self) -> str:
        """When it said so, ISO time, UTC."""
        return self.status.at if self.status and self._by_status else self.row.heard or ""

    @property
    def _by_status(self) -> bool:
        return self.row.waiting is None or self.status is not None and self.status.at > (self.row.heard or "")


def newest(db: Connection, viewer: Viewer, after: str = "") -> list[Seen]:
    """Terminals in the order of their ids, one more than SHOWN."""
    return [_seen(db, row) for row in db.execute(statement(viewer, after)).all()]


def statement(viewer: Viewer, after: str) -> Query:
    mine = viewer.sees(terminal.c.mid), terminal.c.tid > after
    return select(terminal, _highest(), _restoring()).where(*mine).order_by(terminal.c.tid).limit(SHOWN + 1)


def one(db: Connection, viewer: Viewer, tid: str) -> Seen | None:
    """One terminal, or None."""
    mine = terminal.c.tid == tid, viewer.sees(terminal.c.mid)
    row = db.execute(select(terminal, _highest(), _restoring()).where(*mine)).one_or_none()
    return _seen(db, row) if row else None


def ids(db: Connection, viewer: Viewer, most: int = 200) -> list[str]:
    """Ids of terminals, for a choice."""
    mine = select(terminal.c.tid).where(viewer.sees(terminal.c.mid)).order_by(terminal.c.tid).limit(most)
    return list(db.execute(mine).scalars())


def gaps(db: Connection, row: Row[Any]) -> list[tuple[int, int]]:
    """Records of the current epoch that the host lacks, as (first, last), among the newest."""
    mine = link.c.tid == row.tid, link.c.epoch == row.epoch
    newest = select(link.c.sequence).where(*mine).order_by(link.c.sequence.desc()).limit(_LINKS)
    held = sorted(set(db.execute(newest).scalars()))
    missing = [(one + 1, two - 1) for one, two in zip(held, held[1:], strict=False) if two > one + 1]
    top = held[-1] if held else 0
    return missing + ([(top + 1, row.reported_sequence)] if row.reported_sequence > top else [])


def audit_lines(db: Connection, tid: str, most: int = 30) -> list[Row[Any]]:
    """The newest audit lines about a terminal ("" = the host itself)."""
    mine = select(audit).where(audit.c.tid == tid).order_by(audit.c.number.desc())
    return list(db.execute(mine.limit(most)).all())


def status(db: Connection, tid: str) -> Status | None:
    """What a terminal last reported, if that is among its newest audit lines."""
    columns = select(audit.c.at, audit.c.what).where(audit.c.tid == tid)
    part = columns.order_by(audit.c.number.desc()).limit(_LINES).subquery()
    row = db.execute(select(part).where(part.c.what.startswith("status 01")).limit(1)).one_or_none()
    try:
        body = bytes.fromhex(row.what.split()[1]) if row else b""
    except (ValueError, IndexError):
        return None
    if row is None or len(body) < 7:
        return None
    return Status(row.at, *(int.from_bytes(body[at : at + 2], "big") for at in (1, 3, 5)))


def _highest() -> Any:
    """The newest record of the terminal's epoch that the host has."""
    mine = link.c.tid == terminal.c.tid, link.c.epoch == terminal.c.epoch
    return select(func.max(link.c.sequence)).where(*mine).scalar_subquery().label("highest")


def _restoring() -> Any:
    """Whether the host is behind the terminal, and has its records sent again."""
    mine = restore.c.tid == terminal.c.tid, restore.c.ended.is_(None)
    return select(restore.c.tid).where(*mine).exists().label("restoring")


def _seen(db: Connection, row: Row[Any]) -> Seen:
    at = datetime.datetime.now(datetime.UTC)
    ends = datetime.datetime.fromisoformat(row.certificate_ends) if row.certificate_ends else None
    heard = datetime.datetime.fromisoformat(row.heard) if row.heard else None
    return Seen(
        row,
        status(db, row.tid),
        max(0, row.reported_sequence - (row.highest or 0)),
        (ends - at).days if ends else None,
        heard is not None and at - heard > SILENT,
        getattr(row, "blocked", None),
    )
