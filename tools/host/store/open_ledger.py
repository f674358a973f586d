# SPDX-License-Identifier: MIT
"""Opens the database that a host's settings name."""

from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from tools.host import settings_file
from tools.host.errors import SetupError
from tools.host.settings import Settings
from tools.host.store.ledger import Ledger


def database(home: Path, settings: Settings | None = None) -> Path | str:
    """The database's file, or the URL of a server; see Ledger. Raises SetupError."""
    named = (settings or settings_file.load(home)).database.url
    try:
        url = make_url(named)
    except ArgumentError:
        raise SetupError(f"{home / settings_file.FILE}: [database] url is not a database URL") from None
    if url.get_backend_name() != "sqlite":
        return named
    if not url.database:
        raise SetupError(f"{home / settings_file.FILE}: [database] url names no file")
    return home / url.database


def open_existing(home: Path) -> Ledger:
    """The ledger of a host that exists. Raises SetupError if `home` is not a host's folder."""
    where = database(home)
    if isinstance(where, Path) and not where.exists() and (home / settings_file.FILE).exists():
        raise SetupError(f"{home} has no database ({where.name}): restore a backup, or start the host, which makes one")
    if isinstance(where, Path) and not where.exists():
        raise SetupError(f"{home} is not a host's folder: there is no {where.name}")
    if not isinstance(where, Path) and not (home / settings_file.FILE).exists():
        raise SetupError(f"{home} is not a host's folder")
    return Ledger(where)
