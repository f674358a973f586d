# SPDX-License-Identifier: MIT
"""A terminal breaks with payments it has not sent: they are pulled in safe mode, handed in, and later nothing is doubled."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from host_tests.harness.host.desk import counts, hand_in
from host_tests.harness.provision.inspection import partition
from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.support_desk import at_the_desk, run
from tools.host.commands.close_batch import main as close_batch
from tools.host.tables.terminal_settings import OfflineApproval
from tools.world.power import FIRMWARE
from tools.world.world import WorldError

_APPROVAL = OfflineApproval(floor=20_000, target=0, most=0)
_CARDS, _CASH = 2000 + 30_000 + 4500, 800  # taken without the host


def morning(cashier: Cashier) -> None:
    """A sale and its void with the host; then four payments without it: two deferred, one approved by the card, cash."""
    cashier.sell(1250)
    cashier.menu("void")
    cashier.world.wait_screen("Void")
    cashier.world.press("E")
    cashier.agree_to("Void this payment?")
    cashier.type_in("upervisor", "246813")
    cashier.end("Voided")
    cashier.go_offline()
    cashier.sell(2000, "amber", "Accepted, to be authorised")
    cashier.sell(30_000, "quartz", "Accepted, to be authorised")
    cashier.sell(4500, "quartz", "Approved offline")
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", str(_CASH))
    cashier.type_in("Given by the customer", str(_CASH))
    cashier.end("Paid in cash")


def breaks(cashier: Cashier, source: Path, terminals_end: int) -> str:
    """The firmware is damaged; the terminal is left in safe mode. Returns what terminal.py was."""
    file = source / "kassa/terminal.py"
    sound = file.read_text()
    cashier.world.power_off()
    file.write_text("this is no program\n")
    cashier.world._power.line = terminals_end
    with contextlib.suppress(WorldError):
        cashier.world.power_on()
    for _ in range(5):
        with contextlib.suppress(WorldError):
            cashier.page("Safe mode")
            return sound
    raise AssertionError(f"no safe mode: {cashier.world.screen_text()}")


def repaired(cashier: Cashier, source: Path, sound: str) -> None:
    """The firmware is loaded again; the terminal comes up with its network, and sends what it still holds."""
    cashier.world.power_off()
    (source / "kassa/terminal.py").write_text(sound)
    cashier.world._power.line = None
    cashier.world.radio.state = "on"
    cashier.world.power_on()
    cashier.home()
    cashier.await_reversal()
    cashier.world.wait(lambda: not pending(cashier), "the answers to what was waiting", 60)


def pending(cashier: Cashier) -> list[int]:
    """The sequences of records without a final answer, by the journal in flash."""
    journal = cashier.journal()
    return [one.sequence for one in journal.records.values() if journal.state(one) == "accepted"]


def books(cashier: Cashier) -> dict[str, list[tuple[object, ...]]]:
    """Payments and entries of the host's ledger, by SQL."""
    with sqlite3.connect(cashier.host.ledger.path) as db:
        rows = (
            "SELECT uid, amount, type, state, rrn, auth_code, code, settled_in, handed_in FROM payment ORDER BY number"
        )
        return {
            "payments": db.execute(rows).fetchall(),
            "entries": db.execute("SELECT uid, account, amount, reason FROM entry ORDER BY 1, 2, 3, 4").fetchall(),
        }


def batch(cashier: Cashier, number: str) -> dict[str, object]:
    with sqlite3.connect(cashier.host.ledger.path) as db:
        db.row_factory = sqlite3.Row
        return dict(db.execute("SELECT * FROM batch WHERE number = ?", (number,)).fetchone())


def system(make_cashier: Callable[..., Cashier], folder: Path) -> tuple[Cashier, Path]:
    """A signed-on terminal, and its firmware, which a test may damage."""
    source = Path(shutil.copytree(FIRMWARE, folder / "firmware"))
    cashier = make_cashier(source=source, approval=_APPROVAL)
    cashier.sign_on()
    return cashier, source


def test_a_broken_terminals_payments_are_handed_in_and_it_comes_back_repaired(
    make_cashier: Callable[..., Cashier], tmp_path: Path, keys: tuple[Path, Path], line: tuple[str, int]
) -> None:
    private, public = keys
    path, terminals_end = line
    cashier, source = system(make_cashier, tmp_path)
    morning(cashier)
    assert cashier.account() == 0 and cashier.account("cash in till") == 0  # the host knows of nothing yet
    sound = breaks(cashier, source, terminals_end)
    bundle = tmp_path / "terminal.ksb"
    pulled = at_the_desk(cashier, "pull", "--port", path, "--key", public, "--out", bundle)
    assert pulled.exit_code == 0, pulled.output
    who = ("--home", cashier.host.home, "--by", "Ms Li")
    handed = run("hand-in", bundle, "--key", private, *who, "--json")
    assert handed.exit_code == 0, handed.output
    report = json.loads(handed.output)
    assert report["sums"] == {
        "there already": {"sale": [1, 1250], "void": [1, -1250]},
        "taken in": {"sale": [3, _CARDS], "cash": [1, _CASH]},
    }
    assert (report["newest"], report["missing"], report["remarks"]) == (6, [], [])
    journal = cashier.journal()
    till = sum(one.amount for one in journal.records.values() if journal.state(one) == "accepted")
    assert till == _CARDS + _CASH == -cashier.account() + cashier.account("cash in till")
    before = books(cashier)
    again = at_the_desk(cashier, "hand-in", "--port", path, *who)  # straight from the terminal
    assert again.exit_code == 0 and "everything has its final answer" in again.output, again.output
    assert "were handed in on" in again.output and books(cashier) == before
    repaired(cashier, source, sound)
    assert books(cashier) == before
    with sqlite3.connect(cashier.host.ledger.path) as db:
        alarms = {what for (what,) in db.execute("SELECT what FROM audit")}
    assert alarms == {"hand-in begun", "hand-in ended"}
    row = cashier.settled()
    sums = (row["debit_amount"], row["debit_count"], row["credit_amount"], row["credit_count"], row["uploaded"])
    assert sums == (1250 + _CARDS, 4, 1250, 1, 0)
    assert books(cashier) == before


def test_the_batch_of_a_terminal_that_stays_broken_is_closed_and_it_may_still_come_back(
    make_cashier: Callable[..., Cashier], tmp_path: Path, line: tuple[str, int]
) -> None:
    path, terminals_end = line
    cashier, source = system(make_cashier, tmp_path)
    morning(cashier)
    sound = breaks(cashier, source, terminals_end)
    handed = at_the_desk(cashier, "hand-in", "--port", path, "--home", cashier.host.home, "--by", "Ms Li")
    assert handed.exit_code == 0, handed.output
    arguments = ["--home", str(cashier.host.home), "--terminal", "KASSA001", "--by", "Ms Li"]
    closed = CliRunner().invoke(close_batch, arguments)
    assert closed.exit_code == 0, closed.output
    assert "debit 4, 377.50; credit 1, 12.50" in closed.output, closed.output
    row = batch(cashier, "000001")
    assert (row["state"], row["debit_amount"], row["credit_amount"]) == ("closed", 1250 + _CARDS, 1250)
    before = books(cashier)
    repaired(cashier, source, sound)
    assert books(cashier) == before
    cashier.sell(100, "jade")  # in the new epoch, in a batch of its own
    assert -cashier.account() == _CARDS + 100
    assert "Balanced" in " ".join(cashier.settle())
    assert batch(cashier, "000002")["debit_amount"] == 100
    with sqlite3.connect(cashier.host.ledger.path) as db:
        assert db.execute("SELECT quarantine, epoch FROM terminal").fetchone() == (None, 2)


def test_a_sale_put_off_by_the_terminals_mark_alone_needs_the_merchants_word(
    make_cashier: Callable[..., Cashier], tmp_path: Path, line: tuple[str, int]
) -> None:
    path, terminals_end = line
    cashier, source = system(make_cashier, tmp_path)
    cashier.world.run_for(8000)  # the connection of the sign-on has ended
    cashier.world.radio.state = "half_open"
    cashier.offer(700)
    cashier.world.wait_screen("Take it offline?", 60)
    cashier.world.press("E")
    cashier.end("Accepted")
    sound = breaks(cashier, source, terminals_end)
    assert [one.kind for one in cashier.journal().records.values()] == ["INTENT"]
    desk = ("hand-in", "--port", path, "--home", cashier.host.home, "--by", "Ms Li")
    held = at_the_desk(cashier, *desk)
    assert held.exit_code == 1 and "record 1, sale, 7.00: held" in held.output, held.output
    assert cashier.ledger() == []
    vouched = at_the_desk(cashier, *desk, "--deferred", "1")
    assert vouched.exit_code == 0, vouched.output
    before = books(cashier)
    repaired(cashier, source, sound)
    assert books(cashier) == before and cashier.agree() == 700
    assert cashier.settled()["debit_amount"] == 700


def test_a_terminal_that_dies_while_it_asks_leaves_an_approval_to_be_reversed(
    make_cashier: Callable[..., Cashier], tmp_path: Path, line: tuple[str, int]
) -> None:
    path, terminals_end = line
    cashier, source = system(make_cashier, tmp_path)
    cashier.host.mood = "late 60000"
    cashier.offer(700)
    cashier.world.wait(lambda: cashier.ledger() == [(700, "APPROVED")], "the host's approval", 30)
    sound = breaks(cashier, source, terminals_end)
    cashier.host.mood = "normal"
    desk = ("hand-in", "--port", path, "--home", cashier.host.home, "--by", "Ms Li")
    named = at_the_desk(cashier, *desk)
    assert named.exit_code == 1 and "record 1, sale, 7.00: paid here, unanswered" in named.output, named.output
    assert cashier.account() == -700
    undone = at_the_desk(cashier, *desk, "--reverse", "1")
    assert undone.exit_code == 0, undone.output
    assert cashier.ledger() == [(700, "REVERSED")] and cashier.account() == 0
    cashier.world.remove()
    repaired(cashier, source, sound)
    assert cashier.ledger() == [(700, "REVERSED")] and cashier.agree() == 0
    cashier.sell(100, "amber")
    assert cashier.settled()["debit_amount"] == 100 and cashier.account() == -100


def test_a_payment_whose_last_bytes_were_torn_is_not_charged_by_the_hand_in(
    make_cashier: Callable[..., Cashier],
) -> None:
    """The terminal said "nothing was charged", and the customer paid again; the seal of the torn record holds."""
    cashier = make_cashier()
    cashier.sign_on()
    cashier.go_offline()
    cashier.world.press("2000E")
    cashier.world.wait_screen("Present card")
    cashier.world.cut_at(1, "prefix:252")
    cashier.world.place(cashier.card("amber"))
    cashier.world.wait_off(20)
    cashier.world.remove()
    cashier.back()
    assert "nothing was charged" in " ".join(cashier.page("Not taken"))
    torn = hand_in(cashier.host, partition(cashier.world.home, "journal"), status=1)
    assert counts(torn) == {"held": 1} and cashier.account() == 0
    cashier.home()
    cashier.sell(2000, "amber", "Accepted, to be authorised")
    cashier.world.power_off()
    report = hand_in(cashier.host, partition(cashier.world.home, "journal"), status=1)
    assert counts(report) == {"held": 1, "taken in": 1} and cashier.account() == -2000
    cashier.world.radio.state = "on"
    cashier.world.power_on()
    cashier.home()
    cashier.world.wait(lambda: not pending(cashier), "the answers to what was waiting", 60)
    assert cashier.account() == -2000 and cashier.settled()["debit_count"] == 1
