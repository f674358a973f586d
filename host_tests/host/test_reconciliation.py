# SPDX-License-Identifier: MIT
"""What acquirer and wallet say they paid, against the payments: line by line, once, and what differs is listed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.shop import BY_CODE, DAY, GIVEN_BACK, SALES
from host_tests.harness.host.terminal import Record, Terminal
from tools.host.__main__ import main as command
from tools.host.books import differences, double_entry, money, reconciliation
from tools.host.errors import OperatorError
from tools.host.operations import reconcile
from tools.host.store.schema import outbox, payment
from tools.host.store.schema_books import reported
from tools.sim.host import Host


def file(host: Host, *rows: tuple[str, str] | tuple[str, str, str], name: str = "paid.csv", day: str = DAY) -> Path:
    """A file of an acquirer: reference, amount and fee of each line."""
    path = host.home / name
    lines = [f"{row[0]},{row[1]},{day},{row[2] if len(row) > 2 else ''}" for row in rows]
    path.write_text("\n".join(["Reference,Amount,Day,Fee", *lines]) + "\n", encoding="utf-8-sig")
    return path


def take(host: Host, path: Path, source: str = "card") -> list[tuple[str, int, int]]:
    """Reconcile a file; the differences that are open then: what, ours, theirs."""
    reconcile.run(host.ledger, path, source, "Ms Li")
    return [(row.what, row.ours, row.theirs) for row in listed(host)]


def listed(host: Host) -> list[Any]:
    with host.ledger.read() as db:
        return list(differences.listed(db))


def accounts(host: Host, *names: str) -> tuple[int, ...]:
    with host.ledger.read() as db:
        balances = double_entry.balances(db)
    assert sum(balances.values()) == 0
    return tuple(balances[name] for name in names)


def rrn(host: Host, record: Record) -> str:
    with host.ledger.read() as db:
        return db.execute(select(payment.c.rrn).where(payment.c.uid == record.uid.hex())).scalar_one()


def as_paid(host: Host, day: shop.Day) -> list[tuple[str, str, str]]:
    """The lines of an acquirer that paid everything as it should; the void with its sale."""
    sales = [(rrn(host, record), money.text(amount), "0.05") for record, amount in zip(day.sales, SALES, strict=True)]
    voided = [(day.voided.uid.hex(), "7.00", ""), (day.void.uid.hex(), "-7.00", "")]
    return [*sales, *voided, (rrn(host, day.back), money.text(-GIVEN_BACK), "")]


def test_what_was_paid_as_expected_clears_the_receivables(host: Host, till: Terminal, card: Card) -> None:
    day = shop.trade(till, card)
    shop.close(till)
    assert take(host, file(host, *as_paid(host, day))) == []
    taken = sum(SALES) - GIVEN_BACK
    names = "card receivable", "bank", "acquirer fees", "suspense"
    assert accounts(host, *names) == (0, taken - 15, 15, 0)
    code = file(host, (rrn(host, day.code), money.text(BY_CODE)), name="wallet.csv")
    assert take(host, code, "wallet") == [] and accounts(host, "wallet receivable") == (0,)


def test_a_file_is_booked_once_and_goes_on_where_it_was_cut_short(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(host, *as_paid(host, shop.trade(till, card)))
    monkeypatch.setattr(reconcile, "_TOGETHER", 2)
    work, calls = reconciliation.Slice.work, []

    def dies(*arguments: Any) -> None:
        if len(calls) == 2:
            raise RuntimeError("the power is gone")
        calls.append(arguments)
        work(*arguments)

    monkeypatch.setattr(reconciliation.Slice, "work", dies)
    with pytest.raises(RuntimeError):
        take(host, path)
    monkeypatch.setattr(reconciliation.Slice, "work", work)
    assert take(host, path) == []
    booked = accounts(host, "bank", "card receivable")
    assert reconcile.run(host.ledger, path, "card", "Ms Li").before
    with host.ledger.read() as db:
        assert db.execute(select(func.count()).select_from(reported)).scalar_one() == 6
    assert accounts(host, "bank", "card receivable") == booked == (sum(SALES) - GIVEN_BACK - 15, 0)


def test_two_who_reconcile_the_same_file_at_once_book_it_once(host: Host, till: Terminal, card: Card) -> None:
    path = file(host, *as_paid(host, shop.trade(till, card)), ("0" * 12, "9.99"))
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: reconcile.run(host.ledger, path, "card", "Ms Li"), range(4)))
    assert accounts(host, "card receivable", "suspense") == (0, -999) and len(listed(host)) == 1


def test_money_for_no_payment_is_in_suspense_until_a_person_explains_it(host: Host, till: Terminal, card: Card) -> None:
    day = shop.trade(till, card)
    stranger = file(host, *as_paid(host, day), ("0" * 12, "9.99", "0.10"), ("ab" * 16, "-1.00"))
    assert take(host, stranger) == [("missing here", 0, 999), ("missing here", 0, -100)]
    assert accounts(host, "suspense", "card receivable") == (-899, 0)
    one = next(row for row in listed(host) if row.theirs == 999)
    number = differences.number(one)
    for wrong in (
        {"to": None},
        {"to": "merchant payable"},
        {"by": " ", "to": "bank"},
        {"short": "0" * 8, "to": "bank"},
    ):
        values = {"short": number, "by": "Ms Li", "why": "sent back", **wrong}
        with pytest.raises(OperatorError), host.ledger.write() as db:
            differences.explain(db, **values)
    with host.ledger.write() as db:
        assert differences.explain(db, number, "Ms Li", "sent back", "bank") == 999
    assert accounts(host, "suspense") == (100,) and len(listed(host)) == 1
    with host.ledger.read() as db:
        done = next(row for row in differences.listed(db, every=True) if row.state == "explained")
    assert (done.by, done.why) == ("Ms Li", "sent back") and done.ended


@pytest.mark.parametrize("theirs, open_, suspense", [("12.00", 50, 0), ("13.00", 0, -50), ("-1.00", 1250, 100)])
def test_another_amount(host: Host, till: Terminal, card: Card, theirs: str, open_: int, suspense: int) -> None:
    record = till.record(1250, card.tap(1250))
    till.ask(till.sale(record))
    assert take(host, file(host, (rrn(host, record), theirs))) == [("other amount", 1250, money.parse(theirs))]
    assert accounts(host, "card receivable", "suspense") == (open_, suspense)


def test_paid_twice_is_noticed_in_one_file_and_in_another(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250))
    till.ask(till.sale(record))
    line = rrn(host, record), "12.50"
    assert take(host, file(host, line, (record.uid.hex(), "12.50"))) == [("twice", 1250, 1250)]
    assert len(take(host, file(host, line, name="again.csv"))) == 2
    assert accounts(host, "card receivable", "suspense") == (0, -2500)


def test_what_was_not_paid_is_missing_there_until_a_later_file_has_it(host: Host, till: Terminal, card: Card) -> None:
    day = shop.trade(till, card)
    rows = as_paid(host, day)
    assert take(host, file(host, *rows[1:])) == [("missing there", SALES[0], 0)]
    assert take(host, file(host, rows[0], name="later.csv", day="2026-11-24")) == []
    with host.ledger.read() as db:
        assert [row.state for row in differences.listed(db, every=True)] == ["found"]


def test_a_voided_sale_may_be_left_out_with_its_void_but_not_be_paid_alone(
    host: Host, till: Terminal, card: Card
) -> None:
    day = shop.trade(till, card)
    rows = [row for row in as_paid(host, day) if day.void.uid.hex() != row[0] and day.voided.uid.hex() != row[0]]
    assert take(host, file(host, *rows)) == []
    paid = file(host, (day.voided.uid.hex(), "7.00"), name="alone.csv")
    assert take(host, paid) == [("undone but paid", 0, 700)]
    assert "voided here; told" in listed(host)[0].detail or "not told yet" in listed(host)[0].detail
    assert accounts(host, "card receivable", "suspense") == (-700, 0)
    assert take(host, file(host, (day.void.uid.hex(), "-7.00"), name="void.csv")) == []
    assert accounts(host, "card receivable") == (0,)


def test_a_reversed_payment_that_is_paid_says_whether_it_was_undone_outside(
    host: Host, till: Terminal, card: Card
) -> None:
    record = till.record(777, card.tap(777), kind=0x52)
    till.ask(till.sale(record))
    till.ask(till.reversal(record))
    host.wait_until_told()
    assert take(host, file(host, (record.uid.hex(), "7.77"))) == [("undone but paid", 0, 777)]
    assert "reversed here; told 20" in listed(host)[0].detail and accounts(host, "suspense") == (-777,)


def test_a_payment_without_an_answer_that_is_paid(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "decline 91"
    record = till.record(700, card.tap(700))
    till.ask(till.sale(record, deferred=True))
    assert take(host, file(host, (record.uid.hex(), "7.00"))) == [("undecided but paid", 700, 700)]
    assert accounts(host, "suspense", "bank") == (-700, 700)


def test_cash_and_codes_are_not_an_acquirers(host: Host, till: Terminal, card: Card) -> None:
    day = shop.trade(till, card)
    path = file(host, *as_paid(host, day), (day.code.uid.hex(), money.text(BY_CODE)))
    assert take(host, path) == [("missing here", 0, BY_CODE)]


@pytest.mark.parametrize(
    "content, says",
    [
        ("reference,amount\n", "no column day"),
        ("reference,amount,day\n=cmd,1.00,2026-11-23\n", "is no reference"),
        ("reference,amount,day\n" + "0" * 12 + ",1.005,2026-11-23\n", "not an amount"),
        ("reference,amount,day\n" + "0" * 12 + ",1e3,2026-11-23\n", "not an amount"),
        ("reference,amount,day\n" + "0" * 12 + ",1.00,yesterday\n", "line 2"),
        ('reference,amount,day\n"0,1.00,2026-11-23\n', "not a CSV file"),
    ],
)
def test_a_file_that_cannot_be_understood_books_nothing(host: Host, content: str, says: str) -> None:
    path = host.home / "bad.csv"
    path.write_text(content)
    with pytest.raises(OperatorError, match=says):
        take(host, path)
    assert accounts(host, "bank", "suspense") == (0, 0)


def test_semicolons_and_other_columns_are_read(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250))
    till.ask(till.sale(record))
    path = host.home / "semicolons.csv"
    path.write_text(f"Bank;Day;Amount;Reference\nX, Y;{DAY};12.5;{record.uid.hex().upper()}\n")
    assert take(host, path) == [] and accounts(host, "card receivable", "bank") == (0, 1250)


def test_many_days_are_looked_through_in_slices(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciliation, "_SLICE", 2)
    shop.trade(till, card)
    missing = take(host, file(host, ("0" * 12, "0.00")))
    assert sorted(ours for what, ours, _ in missing if what == "missing there") == sorted([*SALES, -GIVEN_BACK])


def test_the_commands(host: Host, till: Terminal, card: Card) -> None:
    def run(*arguments: str, status: int = 0) -> str:
        name, *rest = arguments
        result = CliRunner().invoke(command, [name, "--home", str(host.home), *rest])
        assert result.exit_code == status, result.output
        return result.output

    day = shop.trade(till, card)
    host.wait_until_told()
    path = file(host, *as_paid(host, day), ("0" * 12, "1.00"))
    arguments = "reconcile", "--from", "card", "--by", "Ms Li", str(path)
    assert "1 differences are open" in run(*arguments, status=1)
    assert "reconciled before" in run(*arguments, status=1)
    number = run("differences", "list").split()[0]
    assert "say where" in run("differences", "explain", number, "--by", "Ms Li", "--why", "theirs", status=1)
    run("differences", "explain", number, "--by", "Ms Li", "--why", "theirs", "--to", "bank")
    assert run("differences", "list") == "" and "explained" in run("differences", "list", "--all")
    assert "not told yet" not in run(*arguments)
    with host.ledger.write() as db:
        db.execute(outbox.update().values(done=None, next_at=1 << 60))
    assert "1 voids, tips and reversals are not told yet, the oldest since 20" in run(*arguments)
