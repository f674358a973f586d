# SPDX-License-Identifier: MIT
"""The queries run for every payment use an index, so their time does not grow with the ledger. Windows: test_together.py."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite

from tools.host.store.ledger import Ledger
from tools.host.transactions import chain, decisions, idempotency, payments, record_checks, terminals

pytestmark = pytest.mark.on_sqlite("its query plans")
STATEMENTS = {
    "terminal": terminals._ONE,
    "its keys": terminals._KEYS,
    "repeat": idempotency._LOOK,
    "answer": idempotency._CLOSE,
    "record_checks": record_checks._LOOK,
    "neighbours": chain._NEAR,
    "high-water mark": chain._HIGHEST,
    "payment": payments._ONE,
    "decision": decisions._FINISH,
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_query_of_a_payment_scans_a_table(tmp_path: Path, name: str) -> None:
    ledger = Ledger(tmp_path / "host.db")
    sql = str(STATEMENTS[name].compile(dialect=sqlite.dialect()))
    with ledger.read() as db:
        plan = db.exec_driver_sql("EXPLAIN QUERY PLAN " + sql, ("",) * sql.count("?")).all()
    ledger.close()
    steps = [row[3] for row in plan if row[3].startswith(("SCAN", "SEARCH"))]
    for step in steps:
        assert "SCAN CONSTANT ROW" in step or step.startswith("SEARCH"), step
        assert not step.endswith("(tid=? AND class=?)"), step
    assert steps


def test_the_check_notices_a_table_scan(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "host.db")
    with ledger.read() as db:
        plan = db.execute(text("EXPLAIN QUERY PLAN SELECT * FROM payment WHERE amount = 1")).all()
    ledger.close()
    assert plan[0][3].startswith("SCAN")
