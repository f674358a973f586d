# SPDX-License-Identifier: MIT
"""Brings a database to the newest form with alembic. A database of version 0.1 (SQLite) is taken over."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from tools.host.errors import SetupError
from tools.host.store import lock

_FOLDER = Path(__file__).with_name("migrations")
_VERSIONS = "alembic_version"


def check(revision: str) -> None:
    """Raises SetupError if this host does not know a form of the database."""
    if revision not in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}:
        raise SetupError(f"the database was made by a newer host ({revision})")


def upgrade(db: Connection, to: str = "head") -> None:
    """Make the tables, or migrate them. `to`: the form.

    Raises SetupError if this is a database of something else, or of a newer host.
    """
    lock.one_at_a_time(db, lock.MIGRATING)
    config = _config()
    here = MigrationContext.configure(db).get_current_revision()
    scripts = ScriptDirectory.from_config(config)
    if here is None:
        tables = set(inspect(db).get_table_names())
        if tables and not {"terminal", "payment", "entry", "audit"} <= tables:
            raise SetupError("the database is not a host's")
    elif here == scripts.get_current_head():
        return
    else:
        check(here)
    config.attributes["connection"] = db
    command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
