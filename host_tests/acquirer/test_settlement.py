# SPDX-License-Identifier: MIT
"""Settling a day with the acquirer: its totals and ours, to the cent; and its daily file."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path

import pytest

from host_tests.acquirer.conftest import New
from host_tests.harness.acquirer.bench import TID, Bench
from tools.host.acquirers.card import report, settlement
from tools.host.acquirers.card.settlement import Settled
from tools.host.errors import OperatorError, ProviderFault

DIALECTS = pytest.mark.parametrize("dialect", ["cup-1987", "iso-1993"])
A_DAY = datetime.timedelta(days=1)


async def trade(bench: Bench) -> None:
    """Sales of 10.00, 20.00 and 30.00, the last one reversed; 20.00 with a tip of 2.00; a void; a refund; no money."""
    acquirer = bench.acquirer
    first, second, third, voided = (bench.payment(amount) for amount in (1000, 2000, 3000, 700))
    for payment in (first, second, third, voided, bench.payment(500, "25"), bench.payment(900, "10")):
        assert (await acquirer.decide(payment)).code == "00"
    await acquirer.undo(TID, third.uid)
    await acquirer.tell(bench.advice(second, 2200, "34"))
    await acquirer.tell(bench.advice(voided, 700, "23"))


def summed(done: Settled) -> tuple[int, int, int, int]:
    ours = done.ours
    return ours["debit_count"], ours["debit_amount"], ours["credit_count"], ours["credit_amount"]


@DIALECTS
def test_a_day_balances_and_is_settled_once(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect)
    today = bench.sim.books.today

    async def work() -> list[Settled]:
        await trade(bench)
        done = await settlement.settle(bench.acquirer, today)
        assert await settlement.settle(bench.acquirer, today) == done
        await bench.acquirer.close()
        return done

    (done,) = asyncio.run(work())
    assert done.balanced and not done.differences and done.currency == "156"
    assert summed(done) == (3, 1000 + 2200 + 700, 2, 700 + 500)
    assert bench.sim.heard["settlement"] == 1


@DIALECTS
@pytest.mark.parametrize("mood", ["silent", "cut before", "cut after", "garbage", "deaf"])
def test_a_settlement_without_an_answer_is_repeated_as_it_was(new_bench: New, dialect: str, mood: str) -> None:
    bench = new_bench(dialect, answer_ms=300)
    today = bench.sim.books.today

    async def work() -> None:
        await trade(bench)
        bench.sim.plan(mood, "settlement")
        with pytest.raises(ProviderFault):
            await settlement.settle(bench.acquirer, today)
        await bench.restart()
        (done,) = await settlement.settle(bench.acquirer, today)
        assert done.balanced
        await bench.acquirer.close()

    asyncio.run(work())
    assert (bench.sim.heard["settlement"], bench.sim.heard["settlement again"]) == (1, 1)


@DIALECTS
def test_what_differs_is_listed_and_can_be_settled_when_it_is_put_right(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect)
    today = bench.sim.books.today

    async def work() -> None:
        await trade(bench)
        lost = next(key for key, entry in bench.sim.books.entries.items() if entry.worth == 1000)
        entry = bench.sim.books.entries.pop(lost)
        (done,) = await settlement.settle(bench.acquirer, today)
        assert not done.balanced
        assert done.differences == ["debit_count", "debit_amount"]
        assert (done.ours["debit_amount"], done.theirs["debit_amount"]) == (3900, 2900)
        bench.sim.books.entries[lost] = entry
        (done,) = await settlement.settle(bench.acquirer, today)
        assert done.balanced
        await bench.acquirer.close()

    asyncio.run(work())
    assert bench.sim.heard["settlement"] == 2


@DIALECTS
def test_a_reversal_on_a_later_day_counts_there(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect)
    today = bench.sim.books.today

    async def work() -> None:
        sale = bench.payment(1250)
        assert (await bench.acquirer.decide(sale)).code == "00"
        (done,) = await settlement.settle(bench.acquirer, today)
        assert done.balanced and summed(done) == (1, 1250, 0, 0)
        bench.sim.books.today = today + A_DAY
        await bench.acquirer.undo(TID, sale.uid)
        (done,) = await settlement.settle(bench.acquirer, today + A_DAY)
        assert done.balanced and summed(done) == (0, 0, 0, 0)
        assert (done.ours["debit_reversed_count"], done.ours["debit_reversed_amount"]) == (1, 1250)
        await bench.acquirer.close()

    asyncio.run(work())


@DIALECTS
def test_a_day_is_not_settled_while_something_of_it_has_no_answer(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect)
    today = bench.sim.books.today

    async def work() -> None:
        sale = bench.payment(1250)
        bench.sim.plan("cut after")
        with pytest.raises(ProviderFault):
            await bench.acquirer.decide(sale)
        with pytest.raises(OperatorError, match=sale.uid.hex()):
            await settlement.settle(bench.acquirer, today)
        (done,) = await settlement.settle(bench.acquirer, today, anyway=True)
        assert done.differences == ["debit_count", "debit_amount"]  # the acquirer has it
        assert (await bench.acquirer.decide(sale)).code == "00"
        (done,) = await settlement.settle(bench.acquirer, today)
        assert done.balanced
        await bench.acquirer.close()

    asyncio.run(work())


@DIALECTS
def test_the_daily_file_names_our_payments(new_bench: New, dialect: str, tmp_path: Path) -> None:
    bench = new_bench(dialect)
    today = bench.sim.books.today

    async def work() -> None:
        await trade(bench)
        await bench.acquirer.close()

    asyncio.run(work())
    theirs, ours = tmp_path / "theirs.csv", tmp_path / "ours.csv"
    text = bench.sim.report(today)
    cells = text.splitlines()[-1]
    theirs.write_text(text + cells.replace(f"{report_reference(bench)}", "999999999999") + "\n")
    assert report.convert(bench.ledger, bench.acquirer.dialect, theirs, ours) == (7, 1)
    head, *lines = ours.read_text().splitlines()
    assert head == "reference,amount,fee,day"
    rows = {line.split(",")[0]: line.split(",")[1:] for line in lines}
    assert rows.pop("999999999999")[1] == "0.00"
    for reference, (amount, fee, day) in rows.items():
        row = bench.row(bytes.fromhex(reference))
        assert amount == f"{row.worth / 100:.2f}" and fee in ("0.00", "0.04") and day == f"{today}"
    assert len(rows) == 6


def report_reference(bench: Bench) -> str:
    """The acquirer's reference number of the last line of its file."""
    return bench.sim.books.report(bench.sim.books.today)[-1][0].rrn


@pytest.mark.parametrize(
    ("old", "new"),
    [("rrn", "number"), ("2026", "20x6"), (";10.00", ";ten"), ("000000000001", "0001"), (";10.00", ";1,000.00")],
)
def test_a_daily_file_that_cannot_be_understood_gives_nothing(
    new_bench: New, tmp_path: Path, old: str, new: str
) -> None:
    bench = new_bench()
    theirs, ours = tmp_path / "theirs.csv", tmp_path / "ours.csv"
    text = "day;terminal;rrn;amount;fee\n2026-11-29;KASSA001;000000000001;10.00;0.04\n"
    assert old in text
    theirs.write_text(text.replace(old, new))
    with pytest.raises(OperatorError, match="theirs.csv"):
        report.convert(bench.ledger, bench.acquirer.dialect, theirs, ours)
    assert not ours.exists()
