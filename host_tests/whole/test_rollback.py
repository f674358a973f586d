# SPDX-License-Identifier: MIT
"""A rolled-back or copied chip: reported at the next handshake, payments of both branches kept, then a new epoch."""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import QUICK, Cashier
from tools.world import World, interpreter
from tools.world.power import ROOT

_HELD = (
    "Held for review",
    "Call a supervisor",
    "An older chip or a copy was seen",
    "Sales go on; the host keeps their",
)


@pytest.fixture
def copied(cashier: Cashier, tmp_path: Path) -> Iterator[Cashier]:
    """A second terminal copied from the first one's flash and fuses after its first sale; its power is off."""
    cashier.sell(700)
    cashier.world.power_off()
    shutil.copytree(cashier.world.home, tmp_path / "copy")
    online(cashier)
    host_port, command = cashier.host.port, interpreter.micropython()
    with World(tmp_path / "copy", host_port=host_port, micropython=command, source=QUICK) as world:
        other = Cashier(cashier.system)
        other.world = world
        yield other


def online(cashier: Cashier) -> None:
    """Restart, and wait until the host was heard."""
    cashier.restart()
    cashier.home()
    cashier.world.wait_screen("Online", 30)


def clear(cashier: Cashier) -> None:
    """Clear the terminal as a supervisor does, with the host's command."""
    command = [sys.executable, "-m", "tools.host", "clear", "--home", cashier.host.home, "--terminal", "KASSA001"]
    subprocess.run([*command, "--supervisor", "Ms Li"], cwd=ROOT, check=True, capture_output=True)


def quarantine(cashier: Cashier) -> str | None:
    """The quarantine reason on the host's page, None if there is none."""
    return cashier.host.view()["terminals"][0]["quarantine"]


def told(cashier: Cashier, picture: Path) -> None:
    """Check the page that says what is wrong and what to do, then the line on the home page."""
    said = cashier.page("Call a supervisor")
    picture.write_bytes(cashier.world.screen_png())
    assert all(any(text in line for line in said) for text in _HELD), said
    cashier.home()
    assert cashier.sees("Held for review: call supervisor")


def books_agree(cashier: Cashier, amounts: list[int], owed: int) -> None:
    """Assert that the host has exactly these payments, once each, approved and booked, with none in quarantine.

    `owed`: the part of closed batches, minor units; the rest is in clearing.
    """
    view = cashier.host.view()
    assert sorted(amount for amount, _ in cashier.ledger()) == sorted(amounts)
    assert {state for _, state in cashier.ledger()} == {"APPROVED"}
    assert view["accounts"]["merchant payable"] == -owed
    assert view["accounts"]["terminal clearing"] == owed - sum(amounts)
    assert view["accounts"]["quarantine"] == 0 and not view["unbalanced"]
    with sqlite3.connect(cashier.host.ledger.path) as db:
        uids = [uid for (uid,) in db.execute("SELECT uid FROM payment")]
    assert len(set(uids)) == len(uids) == len(amounts)


def in_good_standing(cashier: Cashier) -> None:
    """Restart, and wait until the host was heard and has no complaint."""
    cashier.restart()
    cashier.home()
    cashier.world.wait(lambda: cashier.sees("Online") and not cashier.sees("Held"), "good standing", 60)


def settles(cashier: Cashier, amount: str) -> None:
    said = cashier.settle()
    assert any("Balanced" in line for line in said) and amount in said, said


def test_a_rolled_back_chip(cashier: Cashier, tmp_path: Path) -> None:
    """The rolled-back chip has lost the keys of two restarts, two settled payments and a closed batch."""
    cashier.sell(700)
    cashier.world.power_off()
    chip, older = cashier.world.home / "flash.bin", tmp_path / "older.bin"
    shutil.copy(chip, older)
    online(cashier)
    cashier.sell(800, "amber")
    cashier.sell(900, "coral")
    settles(cashier, "¥24.00")
    online(cashier)
    cashier.world.power_off()
    shutil.copy(older, chip)

    assert "¥7.00" in cashier.back()
    cashier.world.radio.state = "off"
    cashier.home()
    cashier.world.wait_screen("Offline", 30)
    cashier.sell(500, "lotus", "Accepted")
    cashier.world.radio.state = "on"
    told(cashier, tmp_path / "held.png")
    cashier.world.wait_screen("All sent", 60)
    assert "message keys were used before" in str(quarantine(cashier))
    view = cashier.host.view()
    accounts = [view["accounts"][name] for name in ("quarantine", "merchant payable", "terminal clearing")]
    assert accounts == [-500, -2400, 0], "what was settled is owed, what came after is held"
    assert [payment["amount"] for payment in view["payments"] if payment["quarantined"]] == [500]
    said = cashier.page_of_settling()
    assert any("Not settled" in line for line in said) and "Call a supervisor" in said, said
    (tmp_path / "not_settled.png").write_bytes(cashier.world.screen_png())
    cashier.home()

    clear(cashier)
    books_agree(cashier, [700, 800, 900, 500], 2400)
    in_good_standing(cashier)
    cashier.sell(300, "amber")
    settles(cashier, "¥3.00")
    assert quarantine(cashier) is None
    books_agree(cashier, [700, 800, 900, 500, 300], 3200)
    batches = cashier.host.view()["batches"]
    assert {batch["state"] for batch in batches} == {"closed"}
    assert sum(batch["card_amount"] for batch in batches) == 3200
    assert [record.epoch for record in cashier.journal().records.values()] == [1, 1, 2]
    assert cashier.journal().total(1) + cashier.journal().total(3) == 700 + 500 + 300


def test_a_cloned_chip(cashier: Cashier, copied: Cashier, tmp_path: Path) -> None:
    """Chip and device secret are copied, so both sell under the same number. The second to connect is told, then both."""
    cashier.sell(800, "amber")
    copied.world.radio.state = "off"
    assert "¥7.00" in copied.back()
    copied.home()
    copied.sell(600, "coral", "Accepted")
    copied.world.radio.state = "on"
    told(copied, tmp_path / "held.png")
    copied.world.wait_screen("All sent", 60)
    assert "message keys were used before" in str(quarantine(cashier))
    payments = cashier.host.view()["payments"]
    assert [(payment["sequence"], payment["amount"], payment["quarantined"]) for payment in payments] == [
        (2, 600, True),
        (2, 800, False),
        (1, 700, False),
    ]
    assert cashier.host.view()["accounts"]["quarantine"] == -600
    copied.world.power_off()
    cashier.restart()
    cashier.home()
    told(cashier, tmp_path / "held_too.png")

    clear(cashier)
    books_agree(cashier, [700, 800, 600], 0)
    in_good_standing(cashier)
    cashier.sell(300, "lotus")
    settles(cashier, "¥3.00")
    assert quarantine(cashier) is None
    books_agree(cashier, [700, 800, 600, 300], 2400)
    assert {batch["state"] for batch in cashier.host.view()["batches"]} == {"closed"}

    copied.back()
    copied.home()
    told(copied, tmp_path / "held_again.png")
    assert quarantine(cashier) is not None


def test_a_copied_chip_alone_is_no_terminal(cashier: Cashier, copied: Cashier) -> None:
    """Without the device's secret the copy opens nothing, sells nothing and reports it."""
    secret = copied.world.home / "efuse.bin"
    secret.chmod(0o600)
    secret.write_bytes(bytes(32))
    copied.world.power_on()
    said = copied.page("停")
    copied.world.press("100E")
    copied.world.run_for(5000)
    assert copied.drawn() == said
    assert cashier.host.view()["terminals"][0]["quarantine"] is None
