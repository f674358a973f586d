# SPDX-License-Identifier: MIT
"""Backup and restore of the host's database, SQLite or PostgreSQL, row by row and without the server's tools.

The content is packed text: a line about it, then for each table its columns and its rows, then how many there were. A
backup of one kind of database may be restored into the other.
"""

import base64
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, Table, insert, inspect, select

from tools.host.books.double_entry import note, now
from tools.host.errors import BackupError, SetupError
from tools.host.operations import backup_file
from tools.host.store import migrate
from tools.host.store.ledger import Ledger
from tools.host.store.schema import metadata

_FORM = 1
_TOGETHER = 1000  # rows

Counts = dict[str, int]


def save(ledger: Ledger, path: Path, key: bytes | backup_file.X25519PublicKey) -> Counts:
    """Back up everything as it is at one moment, while the host goes on. Returns how many rows of each table.

    Raises BackupError if the file is there.
    """
    if path.exists():
        raise BackupError(f"{path} is there already")
    temporary = path.with_name(f".{path.name}.new")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file, ledger.read() as db:
            sealed, packer = backup_file.Sealed(file, key), zlib.compressobj()
            counts: Counts = {}
            for line in _lines(db, counts):
                sealed.write(packer.compress(json.dumps(line, separators=(",", ":")).encode() + b"\n"))
            sealed.write(packer.flush())
            sealed.end()
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # fails if somebody made the file meanwhile
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
    with ledger.write() as db:
        note(db, None, "backed up", f"{sum(counts.values())} rows in {path.name}")
    return counts


def look(path: Path, key: bytes | backup_file.X25519PrivateKey) -> Counts:
    """Read the whole file without restoring it. Raises BackupError if it is not whole, or not for this key."""
    counts: Counts = {}
    for table, rows in _content(path, key):
        counts[table] = counts.get(table, 0) + len(rows)
    return counts


def restore(
    path: Path, key: bytes | backup_file.X25519PrivateKey, where: Path | str, check: Callable[[Ledger], int]
) -> tuple[Counts, int]:
    """Restore a backup into an empty place: the file of an SQLite database, or the URL of a PostgreSQL database.

    A file in which nothing was ever written, as `init` makes it, is replaced.
    `check` looks at what was restored, and returns how much is wrong; it stays in any case. Returns the number of rows,
    and what `check` returned. Raises BackupError, before anything is written, if the file is not whole; or if there is a
    database already.
    """
    counts = look(path, key)
    revision = _revision(path, key)
    if isinstance(where, str):
        return counts, _filled(where, path, key, revision, check)
    blank = where.exists() and _is_blank(where)
    if where.exists() and not blank:
        raise BackupError(f"{where} is there already: restore into an empty folder")
    temporary = where.with_name(f".{where.name}.restoring")
    _remove(temporary)
    try:
        wrong = _filled(temporary, path, key, revision, check)
        if blank:
            _remove(where)
        os.link(temporary, where)  # fails if somebody made the file meanwhile
    finally:
        _remove(temporary)
    return counts, wrong


def _is_blank(where: Path) -> bool:
    """Whether a database holds no row. Raises SetupError if it is not a host's."""
    ledger = Ledger(where)
    try:
        with ledger.read() as db:
            return not any(db.execute(select(table).limit(1)).first() for table in metadata.sorted_tables)
    finally:
        ledger.close()


class _Filled(Ledger):
    """A ledger that is made from a backup, in the transaction that makes its tables."""

    def __init__(self, where: Path | str, fill: Callable[[Connection], None]) -> None:
        self._fill = fill
        super().__init__(where)

    def prepare(self, db: Connection) -> None:
        self._fill(db)


def _filled(where: Path | str, path: Path, key: Any, revision: str, check: Callable[[Ledger], int]) -> int:
    def fill(db: Connection) -> None:
        if inspect(db).get_table_names():
            raise BackupError("there is a database already: restore into an empty one")
        migrate.upgrade(db, revision)
        tables = MetaData()
        tables.reflect(db)
        for name, rows in _content(path, key):
            if rows:
                db.execute(insert(tables.tables[name]), rows)
        migrate.upgrade(db)

    ledger = _Filled(where, fill)
    try:
        wrong = check(ledger)
        with ledger.write() as db:
            note(db, None, "restored", f"{path.name}: {wrong} differences")
        return wrong
    finally:
        ledger.close()


def _lines(db: Connection, counts: Counts) -> Iterator[Any]:
    """The content, line by line."""
    yield {"backup": _FORM, "at": now(), "revision": MigrationContext.configure(db).get_current_revision()}
    for table in metadata.sorted_tables:
        yield {"table": table.name, "columns": table.columns.keys()}
        counts[table.name] = 0
        for row in _rows(db, table):
            yield [_packed(value) for value in row]
            counts[table.name] += 1
    yield {"end": counts}


def _rows(db: Connection, table: Table) -> Iterable[Any]:
    return db.execution_options(yield_per=_TOGETHER).execute(select(table))


def _packed(value: Any) -> Any:
    return {"b": base64.b64encode(value).decode()} if isinstance(value, bytes | memoryview) else value


def _unpacked(value: Any) -> Any:
    return base64.b64decode(value["b"]) if isinstance(value, dict) else value


def _content(path: Path, key: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tables with their rows, some at a time, in an order in which each finds what it needs. Raises BackupError."""
    known = {table.name for table in metadata.sorted_tables}
    counts: Counts = {}
    table, columns, rows = "", [], list[dict[str, Any]]()
    lines = _read(path, key)
    _check_head(next(lines, None))
    for line in lines:
        if isinstance(line, list):
            rows.append({name: _unpacked(value) for name, value in zip(columns, line, strict=True)})
            counts[table] += 1
            if len(rows) == _TOGETHER:
                yield table, rows
                rows = []
            continue
        if table:
            yield table, rows
            rows = []
        if "end" in line:
            if line["end"] != counts:
                raise BackupError("the backup is not whole: its rows are not as many as it says")
            return
        table, columns = str(line["table"]), line["columns"]
        if table not in known:
            raise BackupError(f"the backup has a table {table}, which this host does not know")
        counts[table] = 0
    raise BackupError("the backup is not whole: its end is missing")


def _check_head(line: Any) -> str:
    """The database's revision. Raises BackupError if this host cannot restore the backup."""
    if not isinstance(line, dict) or line.get("backup") != _FORM:
        raise BackupError("the backup was made by another version of the host")
    try:
        migrate.check(str(line["revision"]))
    except SetupError as error:
        raise BackupError(str(error)) from None
    return str(line["revision"])


def _revision(path: Path, key: Any) -> str:
    return _check_head(next(_read(path, key), None))


def _read(path: Path, key: Any) -> Iterator[Any]:
    unpacker, rest = zlib.decompressobj(), b""
    try:
        with open(path, "rb") as file:
            for chunk in backup_file.unseal(file, key):
                *lines, rest = (rest + unpacker.decompress(chunk)).split(b"\n")
                yield from map(json.loads, lines)
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"the backup is malformed: {error}") from None


def _remove(path: Path) -> None:
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
        each.unlink(missing_ok=True)
