# SPDX-License-Identifier: MIT
"""Brings a database to the newest form with alembic. A database of version 0.1 (SQLite) is taken over."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from tools.host.errors import SetupError

_FOLDER = Path(__file__).with_name("migrations")
_VERSIONS = "alembic_version"


def upgrade(db: Connection) -> None:
    """Make the tables, or migrate them. Raises SetupError if this is a database of something else, or of a newer host."""
    config = _config()
    here = MigrationContext.configure(db).get_current_revision()
    scripts = ScriptDirectory.from_config(config)
    if here is None:
        tables = set(inspect(db).get_table_names())
        if tables and not {"terminal", "payment", "entry", "audit"} <= tables:
            raise SetupError("the database is not a host's")
    elif here == scripts.get_current_head():
        return
    elif here not in {script.revision for script in scripts.walk_revisions()}:
        raise SetupError(f"the database was made by a newer host ({here})")
    if db.dialect.name == "postgresql":
        db.exec_driver_sql("SELECT pg_advisory_xact_lock(7500)")  # one process at a time makes the tables
    config.attributes["connection"] = db
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config
