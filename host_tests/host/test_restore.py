# SPDX-License-Identifier: MIT
"""A host that is behind its terminal, as after a backup was restored; host_tests/whole/test_restore.py has the firmware."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.host.broken import YES, journal
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import hand_in
from host_tests.harness.host.terminal import Record, Terminal
from host_tests.host.test_rollback import quarantine, state
from host_tests.host.test_upload import by_code, end, owed, result, upload
from tools.host.errors import IssuerFault
from tools.host.outside import outbox
from tools.sim.host import Host

pytestmark = pytest.mark.on_sqlite("copies, changes and locks its file")

NewHost = Callable[[], Host]


def sold(till: Terminal, card: Card, amount: int, deferred: bool = False) -> Record:
    record = till.record(amount, card.tap(amount), kind=0x51 if deferred else 0x52)
    assert till.ask(till.sale(record, deferred=deferred)).code == "00"
    return record


def settle(till: Terminal, amount: int, count: int) -> None:
    assert result(till, amount, count) == "1"
    till.batch += 1


def back_up(host: Host) -> Path:
    path = host.home / "backup"
    with closing(sqlite3.connect(host.ledger.path)) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
    return path


def put_back(host: Host, new_host: NewHost, till: Terminal, backup: Path | None) -> Host:
    """The host's disk is lost; a new one begins with the backup, or with nothing."""
    till.hang_up()
    host.stop()
    for file in host.home.glob("host.db*"):
        file.unlink()
    if backup:
        shutil.copy(backup, host.ledger.path)
    again = new_host()
    till.connect(again.port, again.home)
    return again


def asked(till: Terminal, **more: int) -> tuple[int, int]:
    """State and high-water sequence of a handshake's answer."""
    free = till.ask(till.handshake(**more)).elements[62]
    return free[1], int.from_bytes(free[4:8], "big")


def shown(host: Host) -> dict[str, Any]:
    return host.view()["terminals"][0]


def two_days(host: Host, till: Terminal, card: Card) -> list[Record]:
    """Batch 1 with records 1 and 2, batch 2 with 3 to 5 (of which 4 was not paid), and 6 in the open batch 3."""
    records = [sold(till, card, 100), sold(till, card, 200)]
    settle(till, 300, 2)
    records.append(sold(till, card, 400))
    unpaid = till.record(800, card.tap(800), kind=0x52)
    assert till.ask(till.reversal(unpaid)).code == "25"
    records += [unpaid, sold(till, card, 1600)]
    settle(till, 2000, 2)
    return [*records, sold(till, card, 3200)]


def test_the_host_adopts_the_batch_and_posts_what_comes_back(
    new_host: NewHost, host: Host, till: Terminal, card: Card
) -> None:
    records = [sold(till, card, 100), sold(till, card, 200)]
    settle(till, 300, 2)
    backup = back_up(host)
    records += [sold(till, card, 400), sold(till, card, 800)]
    settle(till, 1200, 2)
    records.append(sold(till, card, 1600))
    numbers = [payment["rrn"] for payment in host.view()["payments"]]
    host = put_back(host, new_host, till, backup)
    assert asked(till) == (2, 2) and shown(host)["batch"] == "000003"
    assert "the host is behind its terminal" in {alarm["what"] for alarm in host.view()["alarms"]}
    assert [upload(till, one).code for one in records[2:]] == ["00", "00", "00"]
    assert till.ask(till.all_sent(5)).code == "00"
    assert asked(till) == (0, 5) and owed(host) == 3100
    assert [payment["rrn"] for payment in host.view()["payments"]] == numbers
    assert shown(host)["lost_batches"] == [{"epoch": 1, "number": "000002", "back": 2, "amount": 1200}]
    closed = {batch["number"]: batch["amount"] for batch in host.view()["batches"] if batch["state"] == "closed"}
    assert closed == {"000001": 300, "000002": 1200}
    settle(till, 1600, 1)
    assert host.view()["unbalanced"] == [] and quarantine(host) is None


def test_records_are_only_wanted_until_the_end_and_are_never_doubled(
    new_host: NewHost, host: Host, till: Terminal, card: Card
) -> None:
    backup = back_up(host)
    records = two_days(host, till, card)
    host = put_back(host, new_host, till, backup)
    for _ in range(3):
        assert asked(till) == (2, 0)
        codes = [upload(till, one, paid=one is not records[3]).code for one in records]
        assert codes == ["00"] * 6 and owed(host) == 5500
    for _ in range(2):
        assert till.ask(till.all_sent(6)).code == "00"
    stranger = till.record(99_900, card.tap(99_900), kind=0x52)
    assert upload(till, stranger).text == "Not asked for" and owed(host) == 5500


def test_what_does_not_come_back_is_lost_and_what_is_only_late_is_not(
    new_host: NewHost, host: Host, till: Terminal, card: Card
) -> None:
    backup = back_up(host)
    records = two_days(host, till, card)
    queued = till.record(6400, card.tap(6400))  # taken without the host, still to be sent
    host = put_back(host, new_host, till, backup)
    assert asked(till) == (2, 0)
    assert [upload(till, one).code for one in records[4:]] == ["00", "00"]
    assert till.ask(till.all_sent(6, pending=1)).code == "00"
    assert [(one["first"], one["last"]) for one in shown(host)["lost"]] == [(1, 4)]
    assert shown(host)["gaps"] == [(7, 7)]
    assert till.ask(till.sale(queued, deferred=True)).code == "00" and shown(host)["gaps"] == []
    settle(till, 9600, 2)
    batches = [(one["number"], one["back"], one["amount"]) for one in shown(host)["lost_batches"]]
    assert batches == [("000001", 0, 0), ("000002", 1, 1600)]
    alarms = {alarm["what"]: alarm["detail"] for alarm in host.view()["alarms"]}
    assert "4 records, 1 to 4 of epoch 1" in alarms["records lost with a backup"]
    hand_in(host, journal(records[0], marks=[(YES, 1)]), "--deferred", "1", status=1)  # found in a copy of the flash
    assert [(one["first"], one["last"]) for one in shown(host)["lost"]] == [(2, 4)] and owed(host) == 11_300


def test_a_new_host_that_knows_nothing_gets_everything(
    new_host: NewHost, host: Host, till: Terminal, card: Card
) -> None:
    records = two_days(host, till, card)
    host = put_back(host, new_host, till, None)
    assert asked(till) == (2, 0)
    assert [upload(till, one, paid=one is not records[3]).code for one in records] == ["00"] * 6
    assert till.ask(till.all_sent(6)).code == "00" and owed(host) == 5500
    settle(till, 3200, 1)


def test_a_payment_that_fails_the_checks_is_held_also_in_a_restore(
    new_host: NewHost, host: Host, till: Terminal, card: Card
) -> None:
    backup = back_up(host)
    good = sold(till, card, 100)
    settle(till, 100, 1)
    forged = till.record(99_000, b"", kind=0x52)
    host = put_back(host, new_host, till, backup)
    assert asked(till) == (2, 0)
    assert [upload(till, one).code for one in (good, forged)] == ["00", "12"]
    assert till.ask(till.all_sent(2)).code == "00" and owed(host) == 100
    assert [one["amount"] for one in shown(host)["held"]] == [99_000] and shown(host)["lost"] == []


def test_a_wallet_that_does_not_answer_does_not_stop_the_rest(
    new_host: NewHost, host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = by_code(till)
    backup = back_up(host)  # paid here; then the terminal had it cancelled
    sale = sold(till, card, 100)
    till.batch = 2
    host = put_back(host, new_host, till, backup)

    async def down(*_: object) -> None:
        raise IssuerFault("down")

    with monkeypatch.context() as patch:
        patch.setattr(host.wallet, "revoke", down)
        assert asked(till) == (2, 0)
        assert upload(till, code, paid=False, type="74").code == "00"
        assert upload(till, sale).code == "00" and till.ask(till.all_sent(2)).code == "00"
        with host.ledger.read() as db:
            assert [row.act for row in outbox.open_rows(db)] == ["undo"]
    host.wait_until_told()
    assert asked(till) == (0, 2) and owed(host) == 100


def test_a_batch_far_off_is_no_next_one(host: Host, till: Terminal) -> None:
    for batch in (2000, 500_000, 999_999):
        till.batch = batch
        assert asked(till) == (0, 0) and shown(host)["batch"] == "000001"


def test_a_terminal_whose_close_was_not_answered_is_not_ahead(host: Host, till: Terminal, card: Card) -> None:
    sold(till, card, 100)
    settle(till, 100, 1)
    till.batch -= 1  # it never had the answer
    assert asked(till) == (0, 1)
    settle(till, 100, 1)


def test_a_host_behind_in_the_open_batch_has_it_uploaded_when_it_closes(
    new_host: NewHost, host: Host, till: Terminal, card: Card
) -> None:
    first = sold(till, card, 100)
    backup = back_up(host)
    second = sold(till, card, 200)
    host = put_back(host, new_host, till, backup)
    assert asked(till) == (0, 1) and result(till, 300, 2) == "2"
    assert [upload(till, one).code for one in (first, second)] == ["00", "00"]
    assert end(till, 2).code == "00" and owed(host) == 300


@pytest.mark.parametrize("heard", ["before", "since"])
def test_a_refund_waits_for_the_terminal_that_has_its_sale(
    new_host: NewHost, host: Host, till: Terminal, card: Card, heard: str
) -> None:
    host.register("KASSA002", "898000000000001", "1234567800000002")
    backup = back_up(host)
    body = card.tap(100) + b"\xdf\x04\x06" + bytes.fromhex("632712345678")
    refund = till.record(100, body, kind=0x52, type=0x25)
    till.batch = 2  # settled since the backup
    host = put_back(host, new_host, till, backup)
    if heard == "since":
        with sqlite3.connect(host.ledger.path) as db:
            db.execute("UPDATE terminal SET heard = '2999-01-01T00:00:00+00:00' WHERE tid = 'KASSA002'")
    assert asked(till) == (2, 0)
    assert upload(till, refund, type="25").code == ("91" if heard == "before" else "12")
    assert till.ask(till.all_sent(1)).code == ("91" if heard == "before" else "00")
    assert state(till.ask(till.handshake())) == (2 if heard == "before" else 0)
    assert len(shown(host)["held"]) == (0 if heard == "before" else 1) and owed(host) == 0


def test_a_quarantined_terminal_brings_its_records_back_too(
    new_host: NewHost, host: Host, till: Terminal, card: Card
) -> None:
    backup = back_up(host)
    records = two_days(host, till, card)
    host = put_back(host, new_host, till, backup)
    with sqlite3.connect(host.ledger.path) as db:
        db.execute("UPDATE terminal SET quarantine = 'why not'")
    assert asked(till) == (3, 0)
    assert [upload(till, one, paid=one is not records[3]).code for one in records] == ["00"] * 6
    assert till.ask(till.all_sent(6)).code == "00"
    assert host.view()["accounts"]["quarantine"] == -5500 and shown(host)["gaps"] == []
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    assert owed(host) == 5500


@pytest.mark.parametrize("erased", [False, True])
def test_a_backup_from_before_a_new_epoch(
    new_host: NewHost, host: Host, till: Terminal, card: Card, erased: bool
) -> None:
    """Since the backup a supervisor cleared the terminal. Only a host begins an epoch, so it is the host that is behind."""
    sold(till, card, 100)
    settle(till, 100, 1)
    backup = back_up(host)
    records = [sold(till, card, 200), sold(till, card, 400)]
    with sqlite3.connect(host.ledger.path) as db:
        db.execute("UPDATE terminal SET quarantine = 'an older chip was seen'")
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    assert state(till.ask(till.handshake())) == 0
    till.epoch, till.batch, till.head = 2, 3, bytes(8)
    records += [sold(till, card, 800), sold(till, card, 1600)]
    settle(till, 2400, 2)
    host = put_back(host, new_host, till, backup)
    assert asked(till) == (2, 1) and (shown(host)["epoch"], shown(host)["batch"]) == (2, "000004")
    kept = records[3:] if erased else records
    assert [upload(till, one).code for one in kept] == ["00"] * len(kept)
    assert till.ask(till.all_sent(5)).code == "00"
    assert asked(till) == (0, 5) and quarantine(host) is None and shown(host)["gaps"] == []
    assert [(one["first"], one["last"]) for one in shown(host)["lost"]] == ([(2, 4)] if erased else [])
    assert owed(host) == (1700 if erased else 3100)
    batches = {(one["epoch"], one["number"]): one["amount"] for one in shown(host)["lost_batches"]}
    assert batches == {(2, "000002"): 0, (2, "000003"): 1600} if erased else {(1, "000002"): 600, (2, "000003"): 2400}
    sold(till, card, 3200)
    settle(till, 3200, 1)


def test_an_epoch_far_ahead_or_without_its_batch_is_suspect(host: Host, till: Terminal, card: Card) -> None:
    sold(till, card, 100)
    till.batch = 9
    assert asked(till, epoch=20)[0] == 1 and quarantine(host) == "epoch 20 was never begun"
