# SPDX-License-Identifier: MIT
"""The day of `make day`: every transaction, an outage, two power cuts, a host that loses data; then five totals agree."""

import csv
import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import QUICK
from tools.demo import agreement
from tools.demo.agreement import CASH, CODE, COLUMNS, CREDIT, DEBIT, DECLINED, REVERSED, TILL, Sum, Tally
from tools.demo.day import TERMINAL, Day
from tools.host.books import full_audit, merchants
from tools.host.operations import settle_day
from tools.sim import postgres
from tools.whole_system import WholeSystem


@pytest.fixture
def databases() -> Iterator[tuple[str | None, str]]:
    """The host's database, and an empty one for its second life: PostgreSQL's, or files where it is not installed.

    On SQLite the day is played by `make day` and by host_tests/tools/test_bench_heap.py.
    """
    if postgres.lacking():
        yield None, ""
        return
    server = postgres.Server()
    yield server.create("first"), server.create("second")
    server.close()


def test_a_day_in_a_shop_agrees_to_the_cent(tmp_path: Path, databases: tuple[str | None, str]) -> None:
    with WholeSystem(tmp_path / "day", terminal=TERMINAL, source=QUICK, db=databases[0]) as system:
        day = Day(system, databases[1])
        for scene in day.scenes():
            scene()
        found = day.agree()
        alarms = {alarm["what"] for alarm in system.host.view()["alarms"]}
        counted = sorted(row.label for row in found.rows if row.values[TILL] != Sum())
        papers = [receipt.text() for receipt in system.world.receipts]
        settled(system)
        day.tally.add(2, DEBIT, 1, 0)
        wrong = day.agree()
    assert found.agrees, found.differences()
    assert alarms == {
        "batch not balanced",
        "taken in from a batch upload",
        "table published",
        "restored",
    }  # second batch, after the host lost its data
    moved = [(1, column) for column in (*COLUMNS, DECLINED, REVERSED)]
    moved += [(2, column) for column in (DEBIT, CREDIT, CASH, CODE, DECLINED)]
    assert {f"batch {batch}, {column}" for batch, column in moved} <= set(counted), counted
    assert {row.label for row in wrong.rows if not row.agrees} == {
        "batch 2, sales",
        "terminal clearing",
        "card receivable",
    }
    kinds = {line.split(maxsplit=1)[1] for paper in papers for line in paper.splitlines() if line.startswith("Type ")}
    assert kinds == set(agreement.TYPES), kinds


def settled(system: WholeSystem) -> None:
    """The settlement file adds up to what is paid, as a spreadsheet adds, and an auditor's recomputation agrees."""
    ledger, mid = system.host.ledger, system.terminal.merchant_id
    with ledger.write() as db:
        about = {"name": "Tea", "account": "6222020000001234567", "bic": "ICBKCNBJXXX", "fee": 60, "currency": "CNY"}
        merchants.add(db, mid, "Ms Li", **about)
    done = settle_day.run(ledger, f"{datetime.date.today()}", system.home / "settlements", None)
    ((row,), (path,)) = done.rows, done.files
    with path.open(encoding="utf-8-sig", newline="") as file:
        amounts = [Decimal(line["amount"]) for line in csv.DictReader(file)]
    assert len(amounts) > 20 and sum(amounts) * 100 == row.net > 0
    system.host.wait_until_told()
    with ledger.read() as db:
        assert list(full_audit.differences(db)) == []


def test_the_later_receipt_of_a_payment_counts_and_a_tip_replaces_its_sale() -> None:
    rule = "-" * 32

    def paper(number: int, kind: str, amount: str, state: str, more: str = "") -> str:
        head = f"Type   {kind}\nBatch   000001\nTrace   {number:06}\n{more}Date\n"
        return f"{head}{rule}\nAmount\n   {amount}\n{rule}\n   {state}\n   #{number} 00ff\n"

    papers = [
        paper(1, "SALE", "￥50.00", "APPROVED"),
        paper(2, "TIP", "￥60.00", "APPROVED", "Original trace   000001\n"),
        paper(3, "SALE", "￥1,000.00", "OFFLINE, TO BE AUTHORISED"),
        paper(3, "SALE", "￥1,000.00", "Refused later"),
        paper(4, "VOID", "-￥60.00", "APPROVED"),
        f"SETTLEMENT\nBatch   000001\n{rule}\nSales 1    ￥60.00\nRefunds, voids 1   ￥60.00\n{rule}\n",
    ]
    receipts, slips = agreement.of_paper(papers)
    expected = Tally()
    expected.add(1, DEBIT, 6000)
    expected.add(1, CREDIT, 6000)
    assert receipts.sums == slips.sums == expected.sums
    assert receipts.of(1, DECLINED) == Sum()
