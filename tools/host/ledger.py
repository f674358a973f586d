# SPDX-License-Identifier: MIT
"""The database: SQLite through SQLAlchemy Core, one writer at a time, every commit on disk before it is believed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, create_engine, event, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from tools.host import books, schema
from tools.host.schema import audit, payment, terminal

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "secure_delete=ON")


class Ledger:
    """Everything the host remembers. Reads may come from any thread; writes are short transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer = _engine(path, "BEGIN IMMEDIATE")
        self._reader = _engine(path, "BEGIN")
        with self.write() as db:
            schema.metadata.create_all(db)
            db.execute(upsert(schema.account).on_conflict_do_nothing(), [{"name": name} for name in books.ACCOUNTS])

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, durable when the block ends; rolled back when it raises."""
        with self._writer.begin() as db:
            yield db

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look at the database."""
        with self._reader.begin() as db:
            yield db

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def register(self, tid: str, mid: str, ikid: bytes) -> None:
        """Make a terminal known: DE 41 (8 characters), DE 42 (15) and initial key id (8 bytes, BDK id first)."""
        row = {"tid": tid, "mid": mid, "ikid": ikid.hex(), "bdk_id": ikid[:4].hex()}
        with self.write() as db:
            db.execute(upsert(terminal).values(row).on_conflict_do_update(index_elements=["tid"], set_=row))

    def card_counters(self) -> dict[str, dict[int, bytes]]:
        """Every transaction counter a card has proven: card token -> {ATC: uid of its payment}."""
        seen: dict[str, dict[int, bytes]] = {}
        proven = select(payment.c.pan_token, payment.c.atc, payment.c.uid).where(payment.c.atc.is_not(None))
        with self.read() as db:
            for token, atc, uid in db.execute(proven.order_by(payment.c.id)):
                seen.setdefault(token, {}).setdefault(atc, bytes.fromhex(uid))
        return seen

    def clear_quarantine(self, tid: str, supervisor: str) -> None:
        """A supervisor's word that this terminal's payments are in order: its money is released, a new epoch begins."""
        with self.write() as db:
            epoch = db.execute(select(terminal.c.epoch).where(terminal.c.tid == tid)).scalar_one()
            db.execute(
                update(terminal)
                .where(terminal.c.tid == tid)
                .values(quarantine=None, epoch=epoch + 1, reported_sequence=0, reported_tag="0" * 16)
            )
            books.release(db, tid)
            note(db, tid, "quarantine cleared", f"by {supervisor}; epoch {epoch + 1}")


def known(db: Connection, tid: str) -> Row[Any] | None:
    """The terminal's row, or None for a stranger."""
    return db.execute(select(terminal).where(terminal.c.tid == tid)).one_or_none()


def note(db: Connection, tid: str | None, what: str, detail: str) -> None:
    """One line in the audit, which nobody can change afterwards. Never keys or card data."""
    db.execute(insert(audit).values(at=books.now(), tid=tid, what=what, detail=detail))


def quarantine(db: Connection, tid: str, reason: str) -> None:
    """Put a terminal in quarantine: its payments go on, but their money waits for a supervisor."""
    changed = db.execute(
        update(terminal).where(terminal.c.tid == tid, terminal.c.quarantine.is_(None)).values(quarantine=reason)
    )
    if changed.rowcount:
        note(db, tid, "quarantine", reason)


def _engine(path: Path, begin: str) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: Any) -> None:
        for pragma in _PRAGMAS:
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(db: Connection) -> None:
        db.exec_driver_sql(begin)

    return engine
