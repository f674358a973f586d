# SPDX-License-Identifier: MIT
"""The database, SQLite or PostgreSQL, through SQLAlchemy Core. Every commit is on disk before it is answered.

SQLite has one writer at a time. On PostgreSQL a transaction locks the rows of the terminals it is about
(terminals.load), so that the messages of one terminal are handled one after another in any number of processes.
"""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, select, update
from sqlalchemy.exc import DatabaseError

from tools.host import private_files
from tools.host.errors import SetupError
from tools.host.outside import outbox
from tools.host.store import (  # noqa: F401  # their tables
    migrate,
    schema_behind,
    schema_books,
    schema_keys,
    schema_staff,
    schema_upstream,
    schema_users,
    schema_wallets,
)
from tools.host.store.schema import payment
from tools.host.store.sums import total
from tools.host.transactions import clear_terminal, terminal_keys, terminals

_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000", "secure_delete=ON")
_POOL = 8  # connections of one process to PostgreSQL


class Ledger:
    """Everything the host stores. `where`: the file of an SQLite database, or a PostgreSQL URL.

    The tables are made or migrated. Raises SetupError if the database cannot be opened or is none of a host.
    """

    def __init__(self, where: Path | str) -> None:
        url = f"sqlite:///{where}" if isinstance(where, Path) else where
        backend = make_url(url).get_backend_name()
        if backend not in ("sqlite", "postgresql"):
            raise SetupError(f"{backend}: the database is SQLite or PostgreSQL")
        self.is_sqlite = backend == "sqlite"
        if self.is_sqlite:
            _keep_private(make_url(url).database)
        self._writer = _sqlite(url, "BEGIN IMMEDIATE") if self.is_sqlite else _postgresql(url)
        self._reader = _sqlite(url, "BEGIN") if self.is_sqlite else self._writer
        try:
            with self.write() as db:
                self.prepare(db)
        except DatabaseError as fault:
            if "locked" in str(fault.orig):
                raise SetupError(f"{where} is in use by another program: try again") from None
            raise SetupError(f"database {make_url(url)!r}: {fault.orig}") from fault

    def prepare(self, db: Connection) -> None:
        """Make or migrate the tables."""
        migrate.upgrade(db)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction: durable when the block ends, rolled back if it raises."""
        with self._writer.begin() as db:
            yield db

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One read transaction with a consistent view of the database."""
        with self._reader.connect() as db:
            if not self.is_sqlite:
                db = db.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with db.begin():
                yield db

    @property
    def path(self) -> Path:
        """The file of an SQLite database."""
        return Path(self._writer.url.database or "")

    def close(self) -> None:
        self._writer.dispose()
        self._reader.dispose()

    def let_go(self) -> None:
        """Forget what processes that have ended were asking outside. For SQLite, where only one process serves."""
        asked = payment.c.state == "RECEIVED", payment.c.asked_until.is_not(None)
        with self.write() as db:
            db.execute(update(payment).where(*asked).values(asked_until=None))
            outbox.hurry(db)

    def register(self, tid: str, mid: str, ikid: bytes) -> None:
        """Register a terminal; see terminal_keys.register."""
        with self.write() as db:
            terminal_keys.register(db, tid, mid, ikid)

    def knows(self, tid: str) -> bool:
        """Whether a terminal has this id."""
        with self.read() as db:
            return terminals.load(db, tid, lock=False) is not None

    def certified(self, tid: str, ends: datetime.datetime) -> bool:
        """Store the expiry date of a terminal's certificate; see terminals.certified."""
        with self.write() as db:
            return terminals.certified(db, tid, ends)

    def blocked(self) -> dict[str, str]:
        """The terminals that may not connect, and why."""
        with self.read() as db:
            return terminals.blocked(db)

    def clear_quarantine(self, tid: str, supervisor: str, write_off: int | None = None) -> None:
        """End a terminal's quarantine, or write off its missing records; see clear_terminal.run. Raises SetupError if refused."""
        with self.write() as db:
            report = clear_terminal.run(db, tid, supervisor, write_off)
        if report["refused"]:
            raise SetupError(clear_terminal.words(report))

    def card_counters(self) -> dict[str, dict[int, bytes]]:
        """Every transaction counter verified by a cryptogram: card token -> {ATC: uid of its payment}."""
        seen: dict[str, dict[int, bytes]] = {}
        proven = select(payment.c.pan_token, payment.c.atc, payment.c.uid).where(payment.c.atc.is_not(None))
        with self.read() as db:
            for token, atc, uid in db.execute(proven.order_by(payment.c.number)):
                seen.setdefault(token, {}).setdefault(atc, bytes.fromhex(uid))
        return seen

    def spent(self, card: str) -> int:
        """The total of all approved payments with a card (by token), minor units."""
        mine = select(total(payment.c.worth)).where(payment.c.pan_token == card)
        with self.read() as db:
            return int(db.execute(mine.where(payment.c.state == "APPROVED")).scalar_one())


def _keep_private(file: str | None) -> None:
    """Its -wal and -shm get the same rights. Raises SetupError."""
    if not file or file == ":memory:":
        return
    try:
        private_files.touch(Path(file))
    except OSError as fault:
        raise SetupError(f"database {file}: {fault.strerror}") from None


def _sqlite(url: str, begin: str) -> Engine:
    engine = create_engine(url, connect_args={"check_same_thread": False, "isolation_level": None})

    @event.listens_for(engine, "connect")
    def _prepare(raw: Any, _record: Any) -> None:
        for pragma in _PRAGMAS:
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(db: Connection) -> None:
        db.exec_driver_sql(begin)

    return engine


def _postgresql(url: str) -> Engine:
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), pool_size=_POOL, pool_pre_ping=True)
