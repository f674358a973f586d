# SPDX-License-Identifier: MIT
"""Makes a test's new SQLite database from the script that the first one's migrations gave. It takes a twentieth of the time.

Databases that have tables already, PostgreSQL, and processes that tests start go through their migrations as always.
"""

from collections.abc import Callable

from sqlalchemy import Connection, create_engine, inspect

from tools.host.store import migrate


def from_script(upgrade: Callable[..., None]) -> Callable[..., None]:
    """A replacement of `upgrade` (migrate.upgrade)."""
    script: list[str] = []

    def made(db: Connection, to: str = "head") -> None:
        if to != "head" or db.dialect.name != "sqlite" or inspect(db).get_table_names():
            upgrade(db, to)
            return
        if not script:
            script.extend(_dump(upgrade))
        for statement in script:
            db.exec_driver_sql(statement)

    return made


def _dump(upgrade: Callable[..., None]) -> list[str]:
    """The statements that make a migrated database."""
    engine = create_engine("sqlite://")
    with engine.begin() as db:
        upgrade(db)
        assert migrate.MigrationContext.configure(db).get_current_revision()
    with engine.connect() as db:
        dumped = list(db.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    engine.dispose()
    return [statement for statement in dumped if statement not in ("BEGIN TRANSACTION;", "COMMIT;")]
