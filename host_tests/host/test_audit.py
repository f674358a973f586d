# SPDX-License-Identifier: MIT
"""The audit finds nothing in honest books, and every row that somebody changed."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from host_tests.harness.host import shop
from host_tests.harness.host.card import Card
from host_tests.harness.host.shop import DAY, MID
from host_tests.harness.host.terminal import Terminal
from tools.host.__main__ import main as command
from tools.host.books import agreement, chain_audit, full_audit, settlement
from tools.sim.host import Host


def audit(host: Host) -> list[str]:
    with host.ledger.read() as db:
        return list(full_audit.differences(db))


def quick(host: Host) -> list[str]:
    with host.ledger.read() as db:
        return agreement.disagreements(db)


def busy(host: Host, till: Terminal, card: Card) -> None:
    """A settled day, an open batch, and all that can happen to a payment."""
    shop.add_merchant(host.ledger)
    shop.trade(till, card)
    shop.close(till)
    with host.ledger.write() as db:
        assert settlement.make(db, MID, DAY, 1)
    till.ask(till.sale(till.record(350, card.tap(350))))
    undone = till.record(777, card.tap(777), kind=0x52)
    till.ask(till.sale(undone))
    till.ask(till.reversal(undone))
    never = till.record(778, card.tap(778), kind=0x52)
    till.ask(till.reversal(never))
    host.mood = "decline 51"
    till.ask(till.sale(till.record(900, card.tap(900))))
    host.mood = "normal"
    till.ask(till.cash(till.record(200, type=0x71)))


def tamper(host: Host, statement: str) -> None:
    """Change a row past the rules of the database."""
    words = statement.split()
    table = words[1] if words[0] == "UPDATE" else words[2]
    with host.ledger.write() as db:
        on = f" ON {table}" if db.dialect.name == "postgresql" else ""
        for verb in ("update", "delete"):
            db.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{on}"))
        db.execute(text(f"DROP TRIGGER IF EXISTS batch_never_reopens{' ON batch' if on else ''}"))
        assert db.execute(text(statement)).rowcount > 0


def test_honest_books_agree(host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(full_audit, "SLICE", 2)
    monkeypatch.setattr(chain_audit, "_SLICE", 2)
    assert audit(host) == [] == quick(host)
    busy(host, till, card)
    seen: list[tuple[int, int]] = []
    with host.ledger.read() as db:
        assert list(full_audit.differences(db, lambda done, all: seen.append((done, all)))) == []
    assert quick(host) == [] and seen[-1] == (12, 12) and len(seen) > 3


def test_quarantined_books_agree_before_and_after_the_supervisor(host: Host, till: Terminal, card: Card) -> None:
    busy(host, till, card)
    clone = till.record(500, card.tap(500))
    till.sequence -= 1
    till.ask(till.sale(till.record(600, card.tap(600)), deferred=True))
    till.ask(till.sale(clone, deferred=True))
    assert host.view()["terminals"][0]["quarantine"]
    till.ask(till.sale(till.record(700, card.tap(700)), deferred=True))
    till.ask(till.cash(till.record(150, type=0x71)))
    assert host.view()["accounts"]["quarantine"] < 0
    assert audit(host) == [] == quick(host)
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    assert host.view()["accounts"]["quarantine"] == 0
    assert audit(host) == [] == quick(host)


@pytest.mark.parametrize(
    "change, says",
    [
        ("UPDATE entry SET amount = amount + 1 WHERE amount = 1250", "entries"),
        ("UPDATE entry SET mid = 'x' WHERE amount = 1250", "entries"),
        ("DELETE FROM entry WHERE amount IN (350, -350)", "expected"),
        ("UPDATE payment SET worth = 1251 WHERE worth = 1250", "expected"),
        ("UPDATE payment SET state = 'DECLINED' WHERE worth = 350", "expected"),
        ("UPDATE payment SET state = 'APPROVED' WHERE state = 'DECLINED'", "expected"),
        ("UPDATE balance SET amount = amount + 1 WHERE account = 'fees'", "balance of"),
        ("UPDATE turnover SET worth = worth + 1", "turnover of"),
        ("UPDATE turnover SET count = count + 1", "turnover of"),
        ("UPDATE batch SET debit_amount = debit_amount - 1 WHERE state = 'closed'", "closed with"),
        ("UPDATE batch SET state = 'closed' WHERE state = 'open'", "closed with"),
        ("UPDATE batch SET state = 'open'", "is not closed"),
        ("UPDATE statement SET amount = amount - 1 WHERE account = 'refunds' AND amount > 0", "sums to -1"),
        ("UPDATE statement SET amount = -amount WHERE reason = 'batch closed'", "was posted, its payments"),
        ("UPDATE statement SET mid = 'x' WHERE reason = 'batch closed'", "never posted"),
        ("UPDATE settlement SET net = net + 1", "does not add up"),
        ("UPDATE settlement SET sales = sales + 1, net = net + 1", "its batches are"),
        ("UPDATE settlement SET fee = fee + 1, net = net - 1", "basis points"),
        ("DELETE FROM settled", "its batches are"),
        ("UPDATE payment SET rrn = (SELECT MAX(rrn) FROM payment) WHERE worth = 350", "belongs to 2 payments"),
        ("UPDATE payment SET quarantined = 1 WHERE worth = 350", "is not in quarantine, but 1"),
        ("UPDATE link SET previous_tag = '00000000000000ff' WHERE sequence = 2", "its header says"),
        ("UPDATE link SET tag = '00000000000000ff', recomputed_tag = '00' WHERE sequence = 2", "it is broken"),
        ("UPDATE link SET state = 'waits' WHERE sequence = 2", "stored as waits"),
        ("DELETE FROM link WHERE sequence = 2", "is not in the chain"),
    ],
)
def test_a_changed_row_is_found(host: Host, till: Terminal, card: Card, change: str, says: str) -> None:
    busy(host, till, card)
    tamper(host, change)
    found = audit(host)
    assert any(says in line for line in found), found


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE balance SET amount = amount + 1 WHERE account = 'fees'",
        "UPDATE balance SET amount = amount + 1 WHERE account = 'terminal clearing'",
        "UPDATE turnover SET worth = worth + 1 WHERE worth = 350",
        "DELETE FROM turnover WHERE worth = 350",
        "UPDATE settlement SET net = net + 1",
    ],
)
def test_the_quick_look_finds_running_sums_that_differ(host: Host, till: Terminal, card: Card, change: str) -> None:
    busy(host, till, card)
    tamper(host, change)
    assert quick(host)


def test_the_command(host: Host, till: Terminal, card: Card) -> None:
    busy(host, till, card)

    def run() -> tuple[int, str]:
        result = CliRunner().invoke(command, ["audit", "--home", str(host.home)])
        return result.exit_code, result.output

    assert run() == (0, "everything agrees\n")
    tamper(host, "UPDATE balance SET amount = amount + 1 WHERE account = 'fees'")
    status, output = run()
    assert status == 1 and "balance of" in output and "differences" in output
