# SPDX-License-Identifier: MIT
"""Inserts that meet an existing row, on SQLite and PostgreSQL alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_new(db: Connection, table: Table, row: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> int:
    """Insert a row or several, except those that stand already. Returns how many were new."""
    new = _insert(db, table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
    return db.execute(new, row).rowcount


def put(db: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row, or replace the given columns of the row with the same primary key."""
    keys = [column.name for column in table.primary_key]
    rest = {name: value for name, value in row.items() if name not in keys}
    db.execute(_insert(db, table).values(row).on_conflict_do_update(index_elements=keys, set_=rest))


def _insert(db: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    return (postgresql if db.dialect.name == "postgresql" else sqlite).insert(table)


def add(db: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *sums: str) -> None:
    """Add to running sums: insert each row, or add its columns `sums` to those of the row with the same primary key."""
    if rows:
        new = _insert(db, table)
        more = {name: table.c[name] + new.excluded[name] for name in sums}
        keys = [column.name for column in table.primary_key]
        db.execute(new.on_conflict_do_update(index_elements=keys, set_=more), list(rows))
