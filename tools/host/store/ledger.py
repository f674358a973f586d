# SPDX-License-Identifier: MIT
"""The database: SQLite through SQLAlchemy Core. One writer at a time; every commit is synced to disk."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.dialects.sqlite import insert as upsert

from tools.host import private_files
from tools.host.books import double_entry
from tools.host.errors import SetupError
from tools.host.store import schema
from tools.host.store.schema import payment
from tools.host.transactions import chain, terminal_keys, terminals

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "secure_delete=ON")


class Ledger:
    """Everything the host stores. Reads may come from any thread; writes are short transactions."""

    def __init__(self, path: Path) -> None:
        private_files.touch(path)  # its -wal and -shm get the same rights
        self.path = path
        self._writer = _engine(path, "BEGIN IMMEDIATE")
        self._reader = _engine(path, "BEGIN")
        with self.write() as db:
            schema.metadata.create_all(db)
            _add_missing_columns(db)
            db.execute(
                upsert(schema.account).on_conflict_do_nothing(), [{"name": name} for name in double_entry.ACCOUNTS]
            )

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction: durable when the block ends, rolled back if it raises."""
        with self._writer.begin() as db:
            yield db

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read transaction with a consistent view of the database."""
        with self._reader.begin() as db:
            yield db

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def register(self, tid: str, mid: str, ikid: bytes) -> None:
        """Register a terminal; see terminal_keys.register."""
        with self.write() as db:
            terminal_keys.register(db, tid, mid, ikid)

    def knows(self, tid: str) -> bool:
        """Whether a terminal has this id."""
        with self.read() as db:
            return terminals.load(db, tid) is not None

    def certified(self, tid: str, ends: datetime.datetime) -> bool:
        """Store the expiry date of a terminal's certificate; see terminals.certified."""
        with self.write() as db:
            return terminals.certified(db, tid, ends)

    def clear_quarantine(self, tid: str, supervisor: str) -> None:
        """End a terminal's quarantine, or write off its missing records; see terminals.clear.

        Raises SetupError if the terminal is unknown, or has neither a quarantine nor missing records.
        """
        with self.write() as db:
            terminal = terminals.load(db, tid)
            if terminal is None:
                raise SetupError(f"terminal {tid} is not registered")
            missing = chain.gaps(db, tid, terminal.epoch, terminal.reported_sequence)
            if not terminal.quarantine and not missing:
                raise SetupError(f"terminal {tid} is not in quarantine and has no missing records")
            terminals.clear(db, terminal, supervisor)

    def card_counters(self) -> dict[str, dict[int, bytes]]:
        """Every transaction counter verified by a cryptogram: card token -> {ATC: uid of its payment}."""
        seen: dict[str, dict[int, bytes]] = {}
        proven = select(payment.c.pan_token, payment.c.atc, payment.c.uid).where(payment.c.atc.is_not(None))
        with self.read() as db:
            for token, atc, uid in db.execute(proven.order_by(payment.c.id)):
                seen.setdefault(token, {}).setdefault(atc, bytes.fromhex(uid))
        return seen

    def spent(self, card: str) -> int:
        """The total of all approved payments with a card (by token), minor units."""
        mine = select(func.coalesce(func.sum(payment.c.worth), 0)).where(payment.c.pan_token == card)
        with self.read() as db:
            return db.execute(mine.where(payment.c.state == "APPROVED")).scalar_one()


def _add_missing_columns(db: Connection) -> None:
    """Add the columns (nullable) and indexes that a database from an older version lacks."""
    for table in schema.metadata.tables.values():
        known = {row.name for row in db.exec_driver_sql(f"PRAGMA table_info({table.name})")}
        for column in table.columns:
            if column.name not in known:
                kind = column.type.compile(db.dialect)
                db.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {column.name} {kind}")
        for index in table.indexes:
            index.create(db, checkfirst=True)
    worth = "CASE type WHEN '23' THEN -amount ELSE amount END"  # older versions knew only sales and voids
    db.exec_driver_sql(f"UPDATE payment SET worth = {worth} WHERE worth IS NULL")


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
