# SPDX-License-Identifier: MIT
"""Held payments: uploaded as paid, refused by the checks. A person settles or refuses each of them, once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.shop import MID
from host_tests.harness.host.terminal import Record, Terminal
from host_tests.host.test_upload import differs, end, sold, upload
from tools.host.__main__ import main as command
from tools.host.books import double_entry, full_audit, money, settlement
from tools.host.errors import OperatorError
from tools.host.operations import held_payments
from tools.host.store.schema import audit
from tools.host.transactions import clear_terminal
from tools.sim.host import Host

WHY = "the acquirer has it as paid"


def hold(host: Host, till: Terminal, card: Card, amount: int = 1250, **record: Any) -> Record:
    """A payment that only the terminal has, and that the issuer refuses when it is uploaded; its batch is closed."""
    shop.add_merchant(host.ledger)
    sold(till, card, 100)
    lost = till.record(amount, card.tap(amount), kind=0x52, **record)
    differs(till)
    host.mood = "decline 51"
    assert upload(till, lost).code == "12"
    host.mood = "normal"
    assert end(till, 2).code == "00"
    till.batch += 1
    return lost


def decide(host: Host, record: Record, verdict: str, why: str = WHY) -> int:
    with host.ledger.write() as db:
        return held_payments.decide(db, "KASSA001", record.uid.hex(), verdict, "Ms Li", why)


def listed(host: Host) -> list[int]:
    with host.ledger.read() as db:
        return [row.amount for row in held_payments.listed(db)]


def balances(host: Host) -> dict[str, int]:
    with host.ledger.read() as db:
        assert list(full_audit.differences(db)) == []
        return double_entry.balances(db)


def audited(host: Host, what: str) -> list[str]:
    with host.ledger.read() as db:
        return list(db.execute(select(audit.c.detail).where(audit.c.what == what)).scalars())


def test_a_settled_payment_is_owed_to_the_merchant_once(host: Host, till: Terminal, card: Card) -> None:
    record = hold(host, till, card)
    before = balances(host)
    assert listed(host) == [1250] and decide(host, record, "settled") == 1250
    after = balances(host)
    changed = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert changed == {double_entry.CARDS: 1250, double_entry.PAYABLE: -1250}
    with pytest.raises(OperatorError, match="was settled by Ms Li already"):
        decide(host, record, "refused")
    assert listed(host) == [] and balances(host) == after
    (line,) = audited(host, "held payment settled")
    assert record.uid.hex() in line and "12.50" in line and line.endswith(f"by Ms Li: {WHY}")


def test_a_settled_payment_is_paid_out_with_the_next_settlement(host: Host, till: Terminal, card: Card) -> None:
    record = hold(host, till, card)
    decide(host, record, "settled")
    with host.ledger.write() as db:
        assert settlement.make(db, MID, "2026-11-23", 1)
        (row,) = settlement.of_day(db, "2026-11-23")
    assert (row.sales, row.carried, row.net) == (100, 1250, 100 + 1250 - row.fee)
    assert balances(host)[double_entry.PAYABLE] == 0


def test_a_refused_payment_moves_no_money_and_its_batch_stays_as_it_is(host: Host, till: Terminal, card: Card) -> None:
    record = hold(host, till, card)
    before = balances(host), host.view()["batches"]
    assert decide(host, record, "refused", "the customer has paid in cash") == 0
    assert (balances(host), host.view()["batches"]) == before and listed(host) == []
    assert till.ask(till.sale(record)).code == "51", "it keeps the answer that it had"
    assert len(audited(host, "held payment refused")) == 1


@pytest.mark.parametrize("verdict", ["settled", "refused"])
def test_what_was_decided_is_never_taken_in_as_well(host: Host, till: Terminal, card: Card, verdict: str) -> None:
    """The host does not have the payment itself, only the upload's record of it."""
    record = hold(host, till, card)
    with host.ledger.write() as db:
        for table in ("payment", "message"):
            db.exec_driver_sql(f"DELETE FROM {table} WHERE uid = '{record.uid.hex()}'")
    decide(host, record, verdict)
    before = balances(host)
    assert till.ask(till.sale(record)).text == "Cancelled before it came" and balances(host) == before


@pytest.mark.parametrize("state", ["APPROVED", "RECEIVED", "REVERSED"])
def test_a_payment_that_is_or_may_be_paid_in_another_way_is_not_settled(
    host: Host, till: Terminal, card: Card, state: str
) -> None:
    record = hold(host, till, card)
    with host.ledger.write() as db:
        db.exec_driver_sql(f"UPDATE payment SET state = '{state}' WHERE uid = '{record.uid.hex()}'")
    with pytest.raises(OperatorError, match="approved since|no final answer yet|was reversed"):
        decide(host, record, "settled")
    assert listed(host) == ([] if state == "APPROVED" else [1250])


def test_nothing_is_settled_in_quarantine(host: Host, till: Terminal, card: Card) -> None:
    record = hold(host, till, card)
    till.ask(till.handshake(sequence=0))  # as from an older chip image
    with pytest.raises(OperatorError, match="clear it first"):
        decide(host, record, "settled")
    decide(host, record, "refused")


def test_a_void_has_no_amount_of_its_own(host: Host, till: Terminal, card: Card) -> None:
    sale, record = sold(till, card), till.record(1250, b"\xdf\x02\x10" + bytes(16), kind=0x52, type=0x23)
    differs(till)
    assert upload(till, record, type="23").code != "00" and upload(till, sale).code == "00"
    with pytest.raises(OperatorError, match="no amount of its own"):
        decide(host, record, "settled")
    assert decide(host, record, "refused") == 0


@pytest.mark.parametrize("why", ["", "  "])
def test_who_decides_says_why(host: Host, till: Terminal, card: Card, why: str) -> None:
    record = hold(host, till, card)
    with pytest.raises(OperatorError, match="and why"):
        decide(host, record, "settled", why)
    assert listed(host) == [1250]


def test_a_merchant_that_is_not_known_is_not_paid(host: Host, till: Terminal, card: Card) -> None:
    record = hold(host, till, card)
    with host.ledger.write() as db:
        db.exec_driver_sql("DELETE FROM merchant")
    with pytest.raises(OperatorError, match="is not known"):
        decide(host, record, "settled")
    assert listed(host) == [1250]


def test_clearing_no_longer_lists_what_was_decided(host: Host, till: Terminal, card: Card) -> None:
    record = hold(host, till, card)
    till.ask(till.handshake(sequence=0))
    decide(host, record, "refused")
    with host.ledger.write() as db:
        report = clear_terminal.run(db, "KASSA001", "Ms Li")
    assert not [line for line in report["lines"] if "held" in line]
    assert host.view()["terminals"][0]["held"] == []


@pytest.mark.on_sqlite("the command opens the file of its host's folder")
def test_the_command_lists_and_settles(host: Host, till: Terminal, card: Card) -> None:
    record = hold(host, till, card)

    def run(*words: str) -> str:
        result = CliRunner().invoke(command, ["held", "--home", str(Path(host.home)), *words])
        assert result.exit_code == 0, result.output
        return result.output

    assert record.uid.hex() in run("list") and "sale 12.50" in run("list")
    assert f"settled; {money.text(1250)}" in run("settle", "KASSA001", record.uid.hex(), "--by", "Ms Li", "--why", WHY)
    assert run("list") == "" and f"by Ms Li: {WHY}" in run("list", "--all")
