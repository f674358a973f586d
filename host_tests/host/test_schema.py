# SPDX-License-Identifier: MIT
"""The tables: their keys, the migrations that make them, and databases that are older, newer or something else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint, create_engine, text
from sqlalchemy.exc import IntegrityError

from tools.host.books import double_entry, full_audit
from tools.host.errors import SetupError
from tools.host.store import migrate
from tools.host.store.ledger import Ledger
from tools.host.store.schema import metadata

OLD = Path(__file__).resolve().parents[1] / "harness" / "host" / "database_of_0_1.sql"


def test_every_key_begins_with_the_terminal_or_the_merchant() -> None:
    keys = [
        (table.name, [column.name for column in key.columns])
        for table in metadata.tables.values()
        for key in table.constraints
        if isinstance(key, PrimaryKeyConstraint | UniqueConstraint | ForeignKeyConstraint)
    ] + [
        (table.name, [column.name for column in index.columns])
        for table in metadata.tables.values()
        for index in table.indexes
        if index.unique
    ]
    assert len(keys) >= len(metadata.tables) > 10
    assert not [key for key in keys if key[1][0] not in ("tid", "mid")]


def test_the_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "host.db")
    with ledger.write() as db:
        assert compare_metadata(MigrationContext.configure(db, opts={"compare_type": True}), metadata) == []
    ledger.close()


def test_a_second_start_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        ledger = Ledger(tmp_path / "host.db")
        with ledger.read() as db:
            assert db.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1
        ledger.close()


def old(path: Path) -> Path:
    with sqlite3.connect(path) as db:
        db.executescript(OLD.read_text())
    return path


@pytest.mark.on_sqlite("version 0.1 knew nothing else")
def test_a_database_of_version_0_1_is_taken_over(tmp_path: Path) -> None:
    path = old(tmp_path / "host.db")
    with sqlite3.connect(path) as db:
        before = {name: db.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
                  for name in ("terminal", "payment", "message", "link", "batch", "tombstone", "audit")}  # fmt: skip
        accounts = dict(db.execute("SELECT account, sum(amount) FROM entry GROUP BY account HAVING sum(amount) <> 0"))
    accounts["terminal clearing"] = accounts.pop("merchant payable")  # its batch is open
    ledger = Ledger(path)
    with ledger.read() as db:
        assert before == {name: db.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in before}
        assert {name: amount for name, amount in double_entry.balances(db).items() if amount} == accounts
        assert double_entry.unbalanced(db) == []
        void = db.execute(text("SELECT o.amount, p.mid FROM payment p JOIN payment o ON o.tid = p.original_tid "
                               "AND o.uid = p.original WHERE p.type = '23'")).all()  # fmt: skip
        assert void == [(3000, "898000000000001")]
        turned = "SELECT sum(worth), sum(count) FROM turnover"
        approved = "SELECT sum(worth), count(*) FROM payment WHERE state = 'APPROVED'"
        assert db.execute(text(turned)).all() == db.execute(text(approved)).all()
    with pytest.raises(Exception, match="append-only"), ledger.write() as db:
        db.execute(text("DELETE FROM entry"))
    ledger.close()


@pytest.mark.on_sqlite("version 0.1 knew nothing else")
def test_what_a_closed_batch_of_version_0_1_brought_is_owed_to_the_merchant(tmp_path: Path) -> None:
    path = old(tmp_path / "host.db")
    totals = {"debit_amount": 4850, "debit_count": 3, "credit_amount": 3000, "credit_count": 1}
    with sqlite3.connect(path) as db:
        values = ", ".join(f"{name} = {value}" for name, value in totals.items())
        assert db.execute(f"UPDATE batch SET state = 'closed', closed = opened, {values}").rowcount == 1
    ledger = Ledger(path)
    with ledger.read() as db:
        balances = double_entry.balances(db)
        assert (balances["terminal clearing"], balances["merchant payable"]) == (0, -1850)
        assert list(full_audit.differences(db)) == []
    ledger.close()


@pytest.mark.on_sqlite("begins with a file of version 0.1")
def test_what_was_held_before_belongs_to_the_merchant_it_was_taken_for(tmp_path: Path) -> None:
    path = old(tmp_path / "host.db")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as db:
        migrate.upgrade(db, "0005_keys")
        uid = db.execute(text("SELECT min(uid) FROM payment")).scalar_one()
        for one in (uid, "never stored"):
            row = "'KASSA001', :uid, 1, 7, '000001', '22', 100, '51', 'declined', '2026-11-23'"
            db.execute(
                text(
                    f"INSERT INTO held (tid, uid, epoch, sequence, batch, type, amount, code, why, at) VALUES ({row})"
                ),
                {"uid": one},
            )
        db.execute(text("UPDATE terminal SET mid = 'another merchant'"))  # since then
    engine.dispose()
    ledger = Ledger(path)
    with ledger.read() as db:
        rows = db.execute(text("SELECT uid, mid, verdict, ended FROM held ORDER BY uid")).all()
    ledger.close()
    assert rows == [(uid, "898000000000001", None, None), ("never stored", "another merchant", None, None)]


@pytest.mark.on_sqlite("its file")
def test_a_take_over_that_fails_leaves_the_old_database_as_it_was(tmp_path: Path) -> None:
    path = old(tmp_path / "host.db")
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE turnover (mine TEXT)")  # in the way
        before = list(db.iterdump())
    with pytest.raises(Exception, match="turnover"):
        Ledger(path)
    with sqlite3.connect(path) as db:
        assert list(db.iterdump()) == before


def test_a_database_of_something_else_or_of_a_newer_host_is_refused(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "newer.db")
    with ledger.write() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    ledger.close()
    with pytest.raises(SetupError, match="newer host"):
        Ledger(tmp_path / "newer.db")


@pytest.mark.on_sqlite("its file")
def test_a_file_that_is_no_host_s_database_stays_as_it_is(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE recipe (name TEXT)")
    with pytest.raises(SetupError, match="not a host's"):
        Ledger(tmp_path / "other.db")
    (tmp_path / "text.db").write_text("This is no database. " * 100)
    with pytest.raises(SetupError, match="text.db"):
        Ledger(tmp_path / "text.db")
    with pytest.raises(SetupError, match="mysql"):
        Ledger("mysql://localhost/kassa")


def test_differences_keep_their_rows_and_may_be_about_a_fee(place: Path | str) -> None:
    class Old(Ledger):
        def prepare(self, db: Connection) -> None:
            migrate.upgrade(db, "0009_news")

    columns = "mid, subject, what, source, reference, ours, theirs, day, detail, state, at"
    values = "'wallet', 'ab', 1250, 0, '2026-11-23', '', 'open', '2026-11-24'"
    old = Old(place)
    with old.write() as db:
        db.execute(text(f"INSERT INTO difference ({columns}) VALUES ('m', 'one', 'twice', {values})"))
    with pytest.raises(IntegrityError), old.write() as db:
        db.execute(text(f"INSERT INTO difference ({columns}) VALUES ('m', 'two', 'other fee', {values})"))
    old.close()
    new = Ledger(place)
    with new.write() as db:
        db.execute(text(f"INSERT INTO difference ({columns}) VALUES ('m', 'two', 'other fee', {values})"))
        found = db.execute(text("SELECT subject, what, ours, day, tid FROM difference ORDER BY subject")).all()
    assert found == [("one", "twice", 1250, "2026-11-23", None), ("two", "other fee", 1250, "2026-11-23", None)]
    new.close()
