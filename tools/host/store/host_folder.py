# SPDX-License-Identifier: MIT
"""Whether a folder is a host's: its database must be there and be a host's, so that no command makes one by mistake."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tools.host.errors import OperatorError
from tools.host.store import open_ledger

_TABLES = {"terminal", "payment", "entry", "audit"}  # of every version


def check(home: Path) -> None:
    """Raises OperatorError unless the database that HOME's settings name is a host's. Writes nothing.

    A server's database is not looked at: its tables are checked when it is opened.
    """
    path = open_ledger.database(home)
    if not isinstance(path, Path):
        return
    try:
        if path.is_file():
            with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
                if _TABLES <= {name for (name,) in db.execute("SELECT name FROM sqlite_master")}:
                    return
    except sqlite3.DatabaseError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise OperatorError(f"{path} is in use by another program: try again") from None
    raise OperatorError(f"{home} is not a host's folder: it has no database of a host")
