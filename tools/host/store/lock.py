# SPDX-License-Identifier: MIT
"""An SQLite database is served by one process alone. A PostgreSQL database may be served by several."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from tools.host import private_files
from tools.host.errors import SetupError

RECONCILING, PUBLISHING, MIGRATING = 7502, 7501, 7500


def one_at_a_time(db: Connection, what: int) -> None:
    """Wait until no other transaction does `what` (one of the numbers above). An SQLite transaction is alone anyway."""
    if db.dialect.name == "postgresql":
        db.execute(text("SELECT pg_advisory_xact_lock(:what)"), {"what": what})


@contextmanager
def serve(database: Path) -> Iterator[None]:
    """Hold a database for serving terminals. Raises SetupError if another process does.

    The lock ends with the context, or when the process ends.
    """
    with open(private_files.touch(database.with_name(database.name + ".lock")), "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SetupError(f"another host serves {database}: end it first") from None
        yield
