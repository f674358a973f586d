# SPDX-License-Identifier: MIT
"""The queries of the pages use an index and read a bounded number of rows, so that an open page costs little."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.dialects import postgresql

from host_tests.harness.host.terminal import Record
from host_tests.host_page.conftest import PEOPLE, Busy
from tools.host.page import sessions
from tools.host.page.queries import (
    attention,
    batches,
    comeback,
    days,
    history,
    payments,
    reconciliation,
    settlements,
    terminals,
)
from tools.host.page.queries.payments import Wanted
from tools.host.page.viewer import ROLES, Viewer
from tools.host.store.ledger import Ledger
from tools.sim.host import Host

DAY = datetime.date(2026, 11, 23)
VIEWERS = [Viewer("898000000000001" if role == "merchant" else "", "Li", role) for role in ROLES[:2]]
SMALL = ("terminal",)  # grows with the number of terminals only
ASKED = [
    Wanted(),
    Wanted(text="12.50"),
    Wanted(text="0011"),
    Wanted(text="000123"),
    Wanted(text="123456789012"),
    Wanted(text="0" * 32),
    Wanted(tid="KASSA001", epoch=1, batch="000001"),
    Wanted(kind="cash", state="refused_later", first=DAY, last=DAY),
    Wanted(tid="KASSA001", state="received"),
]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "host.db")
    ledger.register("KASSA001", "898000000000001", bytes(8))
    yield ledger
    ledger.close()


def plans(db: Connection, statements: list[tuple[str, Any]]) -> list[tuple[str, str]]:
    """The steps of the plan of each statement, with the statement."""
    found = []
    for sql, values in statements:
        for row in db.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, values).all():
            found.append((row[3], sql))
    return found


def scans(steps: list[tuple[str, str]]) -> list[str]:
    """Steps that read a whole table or index which grows with the payments, or sort what they read."""
    bad = []
    for step, sql in steps:
        ordered = " USING COVERING INDEX " in step or " USING INDEX " in step
        is_bounded = ordered and "LIMIT" in sql
        if (
            step.startswith("SCAN")
            and not is_bounded
            and step.split()[1] not in (*SMALL, "CONSTANT", "anon_1", "session")
        ):
            bad.append(f"{step}: {sql}")
    return bad


def recorded(ledger: Ledger, look: Any) -> list[tuple[str, Any]]:
    """The statements that `look` sends, with their values."""
    sent: list[tuple[str, Any]] = []

    def note(_db: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, values))

    with ledger.read() as db:
        event.listen(ledger._reader, "before_cursor_execute", note)
        look(db)
        event.remove(ledger._reader, "before_cursor_execute", note)
    assert sent
    return sent


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
@pytest.mark.parametrize("wanted", ASKED, ids=str)
def test_a_list_of_payments_is_served_by_an_index(ledger: Ledger, viewer: Viewer, wanted: Wanted) -> None:
    for before in (None, 10**15):
        sent = recorded(ledger, lambda db, before=before: payments.find(db, viewer, wanted, before))
        with ledger.read() as db:
            steps = plans(db, sent)
        assert scans(steps) == []
        inner = [step for step, _ in steps if step.startswith(("SCAN payment", "SEARCH payment"))]
        assert inner and all("INDEX" in step for step in inner), inner


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
def test_the_other_pages_are_served_by_indexes(ledger: Ledger, viewer: Viewer) -> None:
    def look(db: Connection) -> None:
        attention.matters(db, viewer)
        days.by_day(db, viewer, DAY, DAY)
        days.books(db, viewer)
        batches.newest(db, viewer, "", None)
        batches.newest(db, viewer, "KASSA001", ("2026", "KASSA001", 1, "000001"))
        batches.one(db, viewer, "KASSA001", 1, "000001")
        terminals.newest(db, viewer)
        terminals.audit_lines(db, "KASSA001")
        terminals.status(db, "KASSA001")
        seen = terminals.one(db, viewer, "KASSA001")
        assert seen
        terminals.gaps(db, seen.row)
        sessions.look(db, ".x")

    sent = recorded(ledger, look)
    with ledger.read() as db:
        assert scans(plans(db, sent)) == []
    assert len(sent) > 18


def test_a_history_and_the_differences_are_served_by_indexes(host: Host, made: dict[str, Record]) -> None:
    viewer = Viewer("", "Zhao", "auditor")

    def look(db: Connection) -> None:
        row = payments.one(db, viewer, "KASSA001", made["void"].uid.hex())
        batch = batches.one(db, viewer, "KASSA001", 1, "000003")
        assert row and batch
        history.read(db, viewer, row)
        batches.differences(db, batch)
        batches.sums(db, batch)

    sent = recorded(host.ledger, look)
    with host.ledger.read() as db:
        assert scans(plans(db, sent)) == []
    assert len(sent) > 8


@pytest.mark.parametrize("name", ["Wang", "Zhao"])
def test_settlements_differences_and_comebacks_are_served_by_indexes(busy: Busy, name: str) -> None:
    viewer = Viewer(PEOPLE[name][1], name, PEOPLE[name][0])
    day, key = busy.of.days[0], (f"{DAY}", viewer.mid, "x")

    def look(db: Connection) -> None:
        settlements.newest(db, viewer), settlements.newest(db, viewer, (day, 1, viewer.mid))
        row = settlements.one(db, viewer, "898000000000001", day)
        assert row
        settlements.batches(db, row), settlements.payout_times(db, row), settlements.file_of(db, row)
        for state in reconciliation.STATES:
            reconciliation.listed(db, viewer, state), reconciliation.listed(db, viewer, state, key)
        reconciliation.disputes(db, viewer), reconciliation.disputes(db, viewer, key)
        comeback.read(db, viewer, "KASSA001")
        comeback.held_one(db, viewer, "KASSA001", "00"), comeback.hand_in_one(db, viewer, "KASSA001", 1)
        attention.matters(db, viewer)
        disputed = payments.one(db, viewer, "KASSA001", busy.of.uids["won"])
        assert disputed
        history.read(db, viewer, disputed)

    sent = recorded(busy.host.ledger, look)
    with busy.host.ledger.read() as db:
        assert scans(plans(db, sent)) == []
        lists = [(sql, values) for sql, values in sent if "FROM difference" in sql or "'dispute'" in sql]
        steps = plans(db, [one for one in lists if "ORDER BY" in one[0]])
    assert len(sent) > 30 and steps
    assert [step for step, _ in steps if "TEMP B-TREE" in step] == [], "they are read in the order of their index"


def test_the_check_notices_a_scan(ledger: Ledger) -> None:
    with ledger.read() as db:
        for sql in ("SELECT * FROM payment WHERE amount = 1", "SELECT * FROM audit ORDER BY at LIMIT 5",
                    "SELECT account, sum(amount) FROM entry GROUP BY account"):  # fmt: skip
            assert len(scans(plans(db, [(sql, ())]))) == 1, sql


def test_a_search_looks_at_one_slice(host: Host, made: dict[str, Record], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is older than the slice is not found, however little there is in it."""
    monkeypatch.setattr(payments, "SLICE", 3)
    viewer = Viewer("", "Zhao", "auditor")
    with host.ledger.read() as db:
        newest = payments.find(db, viewer, Wanted(), most=10).rows
        found = payments.find(db, viewer, Wanted(text=newest[4].stan))
        assert found.rows == [] and found.at == newest[2].number == found.older
        on = payments.find(db, viewer, Wanted(text=newest[4].stan), found.older)
    assert [row.uid for row in on.rows] == [newest[4].uid]


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.role)
def test_the_queries_are_also_those_of_postgresql(viewer: Viewer) -> None:
    filters = payments._filters(Wanted(text="12.50", state="refused_later", kind="cash"))
    statements = [
        payments.statement(payments._span(viewer, Wanted(first=DAY, last=DAY), 5), filters, 50),
        days.statement(viewer),
        days.balances(viewer),
        batches.statement(viewer, "", ("2026", "KASSA001", 1, "000001")),
        terminals.statement(viewer, ""),
        settlements.statement_of(viewer, ("2026-11-23", 1, "x")),
        reconciliation.statement_of(viewer, "open", ("a", "b", "c")),
        reconciliation.disputes_statement(viewer),
        *(look(viewer) for look in (comeback.restoring, comeback.held_open, attention.different)),
        *(look(viewer) for look in (attention.undecided, attention.untold, attention.behind, attention.ending)),
    ]
    for one in statements:
        assert "SELECT" in str(one.compile(dialect=postgresql.dialect()))


def test_the_cheap_check_of_the_books_reads_running_sums_only(ledger: Ledger) -> None:
    sent = recorded(ledger, lambda db: days.books(db, VIEWERS[1]))
    assert all("FROM balance" in sql and "FROM entry" not in sql for sql, _ in sent)
