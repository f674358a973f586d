# SPDX-License-Identifier: MIT
"""`clear` gives up only what is named and cannot come any more; operators' commands make no database by mistake."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from host_tests.host.test_restore import asked, back_up, put_back, sold, two_days
from host_tests.host.test_upload import end, owed, result, upload
from tools.host.__main__ import main
from tools.sim.host import Host

pytestmark = pytest.mark.on_sqlite("copies, changes and locks its file")


def clear(host: Host, *more: str) -> Result:
    arguments = ["--home", str(host.home), "--terminal", "KASSA001", "--supervisor", "Ms Li", *more]
    return CliRunner().invoke(main, ["clear", *arguments])


def state_of(host: Host) -> tuple[int, int]:
    with sqlite3.connect(host.ledger.path) as db:
        return db.execute("SELECT epoch, batch FROM terminal").fetchone()


def silent_for_a_day(host: Host) -> None:
    with sqlite3.connect(host.ledger.path) as db:
        db.execute("UPDATE terminal SET heard = '2026-01-01T00:00:00.000+00:00'")


def test_after_an_old_backup_nothing_is_written_off_that_the_terminal_holds(
    new_host: object, host: Host, till: Terminal, card: Card
) -> None:
    """A host that was restored is behind; a supervisor wants to go on at once."""
    backup = back_up(host)
    records = two_days(host, till, card)
    host = put_back(host, new_host, till, backup)  # type: ignore[arg-type]
    assert asked(till) == (2, 0)
    for more in ([], ["--write-off", "6"]):
        refused = clear(host, *more)
        assert refused.exit_code == 1 and "may still hold records 1 to 6" in refused.output, refused.output
    assert state_of(host) == (1, 3) and owed(host) == 0
    assert [upload(till, one, paid=one is not records[3]).code for one in records] == ["00"] * 6
    assert till.ask(till.all_sent(6)).code == "00" and owed(host) == 5500
    assert "has no missing records" in clear(host).output


def test_what_is_missing_is_asked_for_listed_and_given_up_by_its_exact_count(
    host: Host, till: Terminal, card: Card
) -> None:
    till.record(700, card.tap(700))
    till.record(800, card.tap(800))
    sold(till, card, 100)
    assert asked(till) == (0, 3)
    assert "may still hold records 1 to 2" in clear(host).output
    assert asked(till) == (2, 0), "now it is asked"
    assert till.ask(till.all_sent(3, pending=2)).code == "00"
    assert "may still hold records 1 to 2" in clear(host).output, "two are still in its queue"
    assert asked(till) == (2, 0)
    assert till.ask(till.all_sent(3)).code == "00"
    for more in ([], ["--write-off", "1"], ["--write-off", "3"]):
        refused = clear(host, *more)
        assert refused.exit_code == 1 and "say --write-off 2" in refused.output, refused.output
    assert state_of(host) == (1, 1)
    done = clear(host, "--write-off", "2")
    assert done.exit_code == 0 and "2 records of KASSA001 are missing" in done.output, done.output
    assert state_of(host) == (2, 2)
    lost = host.view()["terminals"][0]["lost"]
    assert [(one["first"], one["last"], one["why"]) for one in lost] == [(1, 2, "written off by Ms Li")]


def test_an_upload_that_ended_without_a_record_is_the_proof_that_it_is_gone(
    host: Host, till: Terminal, card: Card
) -> None:
    till.record(700, card.tap(700))
    record = sold(till, card, 100)
    till.ask(till.handshake())
    assert result(till, 100, 1) == "2" and upload(till, record).code == "00" and end(till, 1).code == "30"
    assert "say --write-off 1" in clear(host).output
    assert clear(host, "--write-off", "1").exit_code == 0


def test_a_terminal_that_is_not_heard_any_more_is_given_up(host: Host, till: Terminal, card: Card) -> None:
    till.record(700, card.tap(700))
    sold(till, card, 100)
    till.ask(till.handshake())
    silent_for_a_day(host)
    assert "say --write-off 1" in clear(host).output
    assert clear(host, "--write-off", "1").exit_code == 0


def test_a_number_to_write_off_without_anything_missing_is_a_mistake(host: Host, till: Terminal, card: Card) -> None:
    till.head = b"\1" * 8  # names a predecessor that the first record has not
    sold(till, card, 100, deferred=True)
    refused = clear(host, "--write-off", "1")
    assert refused.exit_code == 1 and "nothing is missing" in refused.output
    assert clear(host).exit_code == 0 and state_of(host) == (2, 2)


@pytest.mark.parametrize("command", ["clear", "close-batch", "publish"])
@pytest.mark.parametrize("content", [None, b"", b"no database", "another database"])
def test_a_wrong_folder_stays_as_it_is(tmp_path: Path, command: str, content: bytes | str | None) -> None:
    home = tmp_path / "wrong"
    home.mkdir()
    if isinstance(content, bytes):
        (home / "host.db").write_bytes(content)
    elif content:
        with sqlite3.connect(home / "host.db") as db:
            db.execute("CREATE TABLE diary (day)")
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    arguments = {
        "clear": ["--terminal", "KASSA001", "--supervisor", "Ms Li"],
        "close-batch": ["--terminal", "KASSA001", "--by", "Ms Li"],
        "publish": ["blocked-bins", "99"],
    }[command]
    refused = CliRunner().invoke(main, [command, "--home", str(home), *arguments])
    assert refused.exit_code == 1 and "is not a host's folder" in refused.output, refused.output
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


@pytest.mark.parametrize("running", [True, False])
def test_a_locked_database_is_said_in_words(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch, running: bool
) -> None:
    monkeypatch.setattr("tools.host.store.ledger._PRAGMAS", ("busy_timeout=10",))
    with host.ledger._writer.connect() as one:
        one.exec_driver_sql("PRAGMA busy_timeout=10")
    till.hang_up()
    if not running:
        host.stop()
    other = sqlite3.connect(host.ledger.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        refused = clear(host)
    finally:
        other.rollback()
        other.close()
    assert refused.exit_code == 1 and "in use by another program" in refused.output, refused.output


def test_a_batch_that_an_operator_closed_is_not_closed_a_second_time(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(100, card.tap(100), kind=0x52)
    host.mood = "decline 91"  # no final answer
    assert till.ask(till.sale(record)).code == "91"
    arguments = ["close-batch", "--home", str(host.home), "--terminal", "KASSA001", "--by", "Ms Li", "--despite"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    before = state_of(host)
    again = CliRunner().invoke(main, arguments)
    assert again.exit_code == 1 and "closed already: epoch 2 begins when it comes back" in again.output, again.output
    assert state_of(host) == before == (2, 2)
