# SPDX-License-Identifier: MIT
"""Restore drill: the host's database is lost after days of trade, and a backup of each age is restored.

What the terminal still holds comes back, once; what it holds no more is listed by sequence; then trade goes on.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.long_runs import LONG
from host_tests.harness.provision.inspection import PARTITIONS
from host_tests.harness.whole.cashier import Cashier
from host_tests.whole.test_transactions import reference
from tools.host.errors import IssuerFault
from tools.sim.host import Host

DAYS = 4
_SECTOR = 4096  # bytes


def trade(cashier: Cashier, day: int, sold: str) -> str:
    """A day: sales online and offline, cash, a code, a void, a refund of the day before. Returns the sale's reference.

    `sold`: the reference of a sale of the day before, "" if there was none.
    """
    cashier.sell(5000 + day)
    paper = cashier.world.receipts[-1].text()
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", str(300 + day))
    cashier.type_in("Given by the customer", str(300 + day))
    cashier.end("Paid in cash")
    cashier.menu("qr_scan")
    cashier.type_in("Pay by code: amount", str(900 + day))
    cashier.type_in("The customer's code", f"13456789012345678{day}")
    cashier.end("Paid")
    cashier.sell(1100 + day, "amber")
    cashier.menu("void")
    cashier.world.wait_screen("Void")
    cashier.world.press("E")
    cashier.agree_to("Void this payment?")
    cashier.supervise()
    cashier.end("Voided")
    cashier.go_offline()
    cashier.sell(2000 + day, "coral", "Accepted")
    cashier.world.radio.state = "on"
    cashier.world.wait_screen("All sent", 60)
    if sold:
        cashier.refund_of("card", 400)
        cashier.type_in("Reference", sold)
        cashier.supervise()
        cashier.tap()
        cashier.end("Refunded")
    return reference(paper)


def books(cashier: Cashier) -> dict[str, Any]:
    """Everything that must be the same again, by SQL."""
    with closing(sqlite3.connect(cashier.host.ledger.path)) as db:
        payments = "SELECT uid, sequence, type, amount, worth, state, rrn, auth_code, settled_in, atc FROM payment"
        batches = "SELECT epoch, number, debit_amount, debit_count, credit_amount, credit_count FROM batch"
        entries = "SELECT account, sum(amount) FROM entry GROUP BY account ORDER BY account"
        return {
            "payments": sorted(db.execute(payments).fetchall()),
            "batches": sorted(db.execute(f"{batches} WHERE state = 'closed'").fetchall()),
            "accounts": db.execute(entries).fetchall(),
        }


def back_up(cashier: Cashier, path: Path) -> Path:
    with closing(sqlite3.connect(cashier.host.ledger.path)) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
    return path


def restore(cashier: Cashier, backup: Path) -> None:
    """The host's disk is lost; a new host begins with a backup. Issuer and wallet, who are others, still know."""
    before = cashier.host
    outside = {"issuer": before.service._issuer, "wallet": before.service._wallet}
    before.stop()
    for file in before.home.glob("host.db*"):
        file.unlink()
    shutil.copy(backup, before.ledger.path)
    cashier.host = cashier.system.host = Host(
        before.home, port=before.port, wire_log=cashier.system.home / "wire.log", **outside
    ).start()


def terminal(cashier: Cashier) -> dict[str, Any]:
    return cashier.host.view()["terminals"][0]


def alarms(cashier: Cashier) -> list[str]:
    return [one["what"] for one in cashier.host.view()["alarms"]]


def caught_up(cashier: Cashier, restores: int) -> dict[str, Any]:
    """Restart the terminal, and wait until it has sent everything that the host asks for; what the page shows of it."""
    cashier.restart()
    cashier.home()

    def ended() -> bool:
        found = terminal(cashier)["restores"]
        return len(found) == restores and found[0]["ended"] is not None

    cashier.world.wait(ended, "the end of the restore", 60)
    return terminal(cashier)


def days(cashier: Cashier, folder: Path, count: int = DAYS) -> list[Path]:
    """Trade for some days; the backups, one before the first day and one at each settlement."""
    backups, sold = [back_up(cashier, folder / "0.db")], ""
    for day in range(1, count + 1):
        sold = trade(cashier, day, sold)
        said = cashier.settle()
        assert any("Balanced" in line for line in said), said
        backups.append(back_up(cashier, folder / f"{day}.db"))
    return backups


def goes_on(cashier: Cashier) -> None:
    """Sell and settle: the totals agree without an upload."""
    cashier.sell(700, "lotus")
    said = cashier.settle()
    assert any("Balanced" in line for line in said) and not any("Not balanced" in line for line in said), said


def test_each_backup_brings_everything_back(make_cashier: Callable[..., Cashier], tmp_path: Path) -> None:
    cashier = make_cashier()
    cashier.sign_on()
    age_of_oldest = DAYS if LONG else 2
    backups = days(cashier, tmp_path, age_of_oldest)
    restores = 0
    for age, backup in enumerate(reversed(backups[:-1]), 1):
        cashier.sell(800 + age, "amber")  # the open batch is lost as well
        truth = books(cashier)
        restore(cashier, backup)
        assert books(cashier) != truth
        shown = caught_up(cashier, 1)
        assert books(cashier) == truth, f"{age} days old"
        assert shown["quarantine"] is None and shown["gaps"] == shown["lost"] == shown["held"] == []
        assert shown["restores"][0]["back"] > 5 * age
        assert {"the host is behind its terminal", "the host has caught up"} <= set(alarms(cashier))
        assert cashier.host.view()["unbalanced"] == []
        restores += 1
        goes_on(cashier)
    assert restores == age_of_oldest


def test_what_the_terminal_holds_no_more_is_listed_and_trade_goes_on(
    make_cashier: Callable[..., Cashier], tmp_path: Path
) -> None:
    cashier = make_cashier()
    cashier.sign_on()
    backups = days(cashier, tmp_path)
    before = set(cashier.journal().records)
    truth = books(cashier)
    cashier.world.power_off()
    erase_oldest_sector(cashier)
    gone = sorted(before - set(cashier.journal().records))
    assert gone[0] == 1 and len(gone) >= 8, gone
    restore(cashier, backups[0])
    shown = caught_up(cashier, 1)
    assert [(one["first"], one["last"]) for one in shown["lost"]] == [(1, gone[-1])]
    assert shown["quarantine"] is None and shown["gaps"] == []
    kept = [row for row in truth["payments"] if row[1] not in gone]
    came = books(cashier)
    held = {one["sequence"] for one in shown["held"]}
    assert [row for row in came["payments"] if row[1] not in held] == [row for row in kept if row[1] not in held]
    assert "records lost with a backup" in alarms(cashier)
    assert [batch["number"] for batch in shown["lost_batches"]] == [f"{day:06}" for day in range(1, DAYS + 1)]
    assert cashier.host.view()["unbalanced"] == []
    goes_on(cashier)
    restore(cashier, back_up(cashier, tmp_path / "again.db"))
    cashier.restart()
    cashier.home()
    goes_on(cashier)
    assert len(terminal(cashier)["restores"]) == 1, "it is not asked for again"


def erase_oldest_sector(cashier: Cashier) -> None:
    """As the terminal does after a lap of the ring: the sector is blank."""
    with (cashier.world.home / "flash.bin").open("r+b") as chip:
        chip.seek(PARTITIONS["journal"][0])
        chip.write(b"\xff" * _SECTOR)


def test_a_host_that_is_behind_at_settling_time(cashier: Cashier, tmp_path: Path) -> None:
    """The backup is restored while the terminal runs, and the next thing that it does is to settle."""
    backup = back_up(cashier, tmp_path / "0.db")
    trade(cashier, 1, "")
    cashier.settle()
    cashier.sell(650, "amber")
    truth = books(cashier)
    restore(cashier, backup)
    cashier.world.run_for(10_000)
    said = cashier.settle()
    assert any("Balanced" in line for line in said), said
    assert books(cashier)["payments"] == truth["payments"]
    assert [row[:2] for row in books(cashier)["batches"]] == [(1, "000001"), (1, "000002")]
    assert terminal(cashier)["lost"] == []


@pytest.mark.parametrize("silent", ["issuer", "wallet"])
def test_a_restore_waits_for_those_outside(
    cashier: Cashier, tmp_path: Path, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = back_up(cashier, tmp_path / "0.db")
    trade(cashier, 1, "")
    cashier.settle()
    truth = books(cashier)

    async def down(*_: object) -> None:
        raise IssuerFault("down")

    asked = getattr(cashier.host.service, f"_{silent}")
    with monkeypatch.context() as patch:
        patch.setattr(asked, "decide" if silent == "issuer" else "pay", down)
        restore(cashier, backup)
        cashier.restart()
        cashier.home()
        cashier.world.wait_screen("Online", 30)
        cashier.world.run_for(20_000)
        shown = terminal(cashier)
        assert shown["restores"][0]["ended"] is None and shown["held"] == []
    caught_up(cashier, 1)
    assert books(cashier) == truth
