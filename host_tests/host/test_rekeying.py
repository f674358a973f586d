# SPDX-License-Identifier: MIT
"""A terminal gets a new key, or another device gets its id: nothing that was taken is lost, and nothing looks cloned."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from psec import tr31
from sqlalchemy import select

from host_tests.harness.host.broken import journal
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import alarms, books, counts, day, hand_in
from host_tests.harness.host.real_host import run
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host.errors import SetupError
from tools.host.keys import dukpt
from tools.host.keys.host_keys import TEST_BDK
from tools.host.store.schema_keys import terminal_key
from tools.host.transactions import key_window, terminals
from tools.host.transactions.terminals import Terminal as Registered
from tools.sim.host import Host

NEW = bytes.fromhex("1234567800000042")
MERCHANT = "898000000000001"


def loaded(host: Host) -> Registered:
    with host.ledger.read() as db:
        found = terminals.load(db, "KASSA001", lock=False)
    assert found is not None
    return found


def rekeyed(host: Host, till: Terminal, ikid: bytes = NEW) -> Terminal:
    """The same device with a new key: its journal goes on, its counters begin anew."""
    host.register("KASSA001", MERCHANT, ikid.hex())
    till.ikid, till.counter = ikid, 0
    return till


def state(till: Terminal) -> int:
    answer = till.ask(till.handshake())
    assert answer.code == "00"
    return answer.elements[62][1]


def test_a_new_key_begins_without_the_old_ones_mark(host: Host, till: Terminal, card: Card) -> None:
    """The old mark used to stay: every message of the terminal was stale, and it ended in quarantine."""
    for amount in (1250, 3000, 500):
        assert till.ask(till.sale(till.record(amount, card.tap(amount)))).code == "00"
    old = loaded(host).message_mark
    assert old > 5
    rekeyed(host, till)
    assert state(till) == 0
    answer = till.ask(till.handshake())
    assert int.from_bytes(answer.elements[62][22:26], "big") < old  # the counters to skip are those of the new key
    assert (
        till.ask(till.sale(till.record(700, card.tap(700)))).code == "00"
    )  # body counter 1, 2...: used under the old key
    assert loaded(host).quarantine is None and books(host) == (5450, 0, 0)


def test_the_mark_of_the_old_key_is_kept_and_the_key_never_comes_back(host: Host, till: Terminal) -> None:
    mark = loaded(host).message_mark
    rekeyed(host, till)
    with host.ledger.read() as db:
        rows = db.exec_driver_sql("SELECT ikid, message_mark FROM terminal_key ORDER BY since").all()
    assert rows == [(IKID.hex(), mark), (NEW.hex(), 0)]
    with pytest.raises(SetupError, match="had the key 1234567890123456 before"):
        host.register("KASSA001", MERCHANT, IKID.hex())
    assert loaded(host).ikid == NEW


def test_counters_seen_under_the_old_key_are_new_under_the_new_one(host: Host, till: Terminal) -> None:
    for _ in range(4):
        assert state(till) == 0
    seen = loaded(host).seen
    rekeyed(host, till)
    till.counter = 40
    assert state(till) == 0
    till.counter = 1  # late, and the old key's counters were all seen
    assert state(till) == 0 and loaded(host).quarantine is None
    with host.ledger.read() as db:
        kept = select(terminal_key.c.seen).where(terminal_key.c.ikid == IKID.hex())
        assert db.execute(kept).scalar_one() == key_window.pack(seen)
    till.counter = 1
    assert state(till) == 1 and "used before" in (loaded(host).quarantine or "")


def test_messages_under_the_old_key_are_those_of_a_stranger(host: Host, till: Terminal) -> None:
    host.register("KASSA001", MERCHANT, NEW.hex())
    assert till.ask(till.handshake()).code == "97"


def test_records_under_an_earlier_key_are_still_opened(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    rekeyed(host, till)
    later = till.record(900, card.tap(900))
    assert state(till) == 0
    answers = [till.ask(till.sale(sold[0], deferred=True)), till.ask(till.cash(sold[1])),
               till.ask(till.sale(sold[2], deferred=True)), till.ask(till.sale(later, deferred=True))]  # fmt: skip
    assert [one.code for one in answers] == ["00"] * 4
    assert books(host) == (5150, 800, 0) and loaded(host).quarantine is None
    with host.ledger.read() as db:
        rows = db.exec_driver_sql("SELECT ikid FROM payment ORDER BY sequence").scalars().all()
    assert rows == [IKID.hex()] * 3 + [NEW.hex()]
    assert till.ask(till.sale(sold[0], deferred=True)).code == "00"  # repeated under the new envelope: the same answer
    assert books(host) == (5150, 800, 0)


def test_a_record_that_waits_for_the_issuer_over_a_new_key_is_opened(host: Host, till: Terminal, card: Card) -> None:
    """A payment is stored, the host ends before the decision, the key changes, and the terminal repeats it."""
    record = till.record(1250, card.tap(1250))
    host.simulator.refuse_with = "91"  # no final answer
    assert till.ask(till.sale(record, deferred=True)).code == "91"
    host.simulator.refuse_with = None
    rekeyed(host, till)
    assert till.ask(till.sale(record, deferred=True)).code == "00"


def test_three_earlier_keys_are_tried_and_no_more(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    for last in range(1, 4):
        rekeyed(host, till, NEW[:7] + bytes((last,)))
    assert till.ask(till.sale(sold[0], deferred=True)).code == "00"
    rekeyed(host, till, NEW[:7] + b"\x04")
    assert till.ask(till.sale(sold[2], deferred=True)).code != "00"
    assert [one.hex()[-2:] for one in loaded(host).earlier] == ["03", "02", "01"]


def test_the_same_body_counter_twice_below_one_key_is_still_a_clone(host: Host, till: Terminal, card: Card) -> None:
    rekeyed(host, till)
    assert till.ask(till.sale(till.record(700, card.tap(700)))).code == "00"
    used = till.counter - 1
    till.counter, mark = used - 1, till.counter
    record = till.record(800, card.tap(800))
    till.counter = mark
    till.ask(till.sale(record))
    assert "used for two payments" in (loaded(host).quarantine or "")


def test_another_terminals_key_is_refused(host: Host, till: Terminal) -> None:
    with pytest.raises(SetupError, match="belongs to terminal KASSA001"):
        host.register("KASSA002", MERCHANT, IKID.hex())
    rekeyed(host, till)
    with pytest.raises(SetupError, match="belongs to terminal KASSA001"):
        host.register("KASSA002", MERCHANT, IKID.hex())


def test_a_restart_does_not_bring_the_old_key_back(new_host: Callable[[], Host], tmp_path: Path) -> None:
    """terminals.json used to be registered at every start."""
    (tmp_path / "terminals.json").write_text(
        f'[{{"terminal": "KASSA001", "merchant": "{MERCHANT}", "ikid": "{IKID.hex()}"}}]'
    )
    host = Host(tmp_path)
    host.register("KASSA001", MERCHANT, NEW.hex())
    host.stop()
    host = Host(tmp_path)
    assert loaded(host).ikid == NEW
    host.stop()


def test_rekey_makes_the_block_and_the_first_message_under_it_changes_the_key(
    host: Host, till: Terminal, card: Card
) -> None:
    block = host.home / "KASSA001.tr31"
    run("terminals", "--home", host.home, "rekey", "KASSA001", "--by", "Ms Li", "--out", block)
    header, key = tr31.unwrap(dukpt.working_key(TEST_BDK, IKID + b"\xff" * 4, 0x0002), block.read_text())
    new = bytes.fromhex(header.blocks["IK"])
    assert header.key_usage == "B1" and key == dukpt.initial_key(TEST_BDK, new) and new[:4] == IKID[:4]
    assert f"will have {new.hex()}" in run("terminals", "--home", host.home, "list").output
    assert till.ask(till.sale(till.record(500, card.tap(500)))).code == "00"  # the old key holds meanwhile
    assert loaded(host).ikid == IKID
    head = till.head
    till.ikid, till.counter = new, 0
    assert till.ask(till.sale(till.record(1, card.tap(1)))).code == "97"  # a connection begins with a handshake
    till.sequence, till.head = 1, head
    assert state(till) == 0 and loaded(host).ikid == new and loaded(host).epoch == 1
    assert till.ask(till.sale(till.record(700, card.tap(700)))).code == "00"
    assert books(host) == (1200, 0, 0) and "key replaced" in alarms(host)


def test_a_message_under_a_planned_key_with_a_wrong_mac_changes_nothing(host: Host, till: Terminal) -> None:
    run("terminals", "--home", host.home, "rekey", "KASSA001", "--by", "Ms Li", "--out", host.home / "block")
    planned = loaded(host).next_ikid
    assert planned is not None
    old, till.ikid = till.ikid, planned
    frame = bytearray(till.handshake())
    frame[-1] ^= 1
    till.send(bytes(frame))
    till.ikid = old
    assert state(till) == 0 and loaded(host).ikid == IKID


def test_the_device_takes_the_block_of_the_host(host: Host, till: Terminal, inside: Callable) -> None:
    block = host.home / "KASSA001.tr31"
    run("terminals", "--home", host.home, "rekey", "KASSA001", "--by", "Ms Li", "--out", block)
    update = dukpt.working_key(TEST_BDK, IKID + b"\xff" * 4, 0x0002)
    new = loaded(host).next_ikid
    assert new is not None
    assert inside("crypto", "unwrap", update.hex(), block.read_text()) == [
        dukpt.initial_key(TEST_BDK, new).hex(), new.hex()]  # fmt: skip


def test_a_new_device_begins_an_epoch_and_the_old_ones_journal_is_handed_in(
    host: Host, till: Terminal, card: Card
) -> None:
    sent = till.record(2000, card.tap(2000))
    assert till.ask(till.sale(sent)).code == "00"
    held = day(till, card)
    run("terminals", "--home", host.home, "replace", "KASSA001", "--by", "Ms Li")
    assert till.ask(till.handshake()).code == "00"  # it goes on until the new device is there
    ikid = loaded(host).next_ikid
    assert ikid is not None and loaded(host).awaits_device
    fresh = Terminal(ikid=ikid).connect(host.port, host.home)
    answer = fresh.ask(fresh.handshake())
    assert answer.code == "00" and answer.elements[62][1] == 0
    assert int.from_bytes(answer.elements[62][2:4], "big") == 2  # a new epoch
    fresh.epoch, fresh.batch = 2, int(answer.elements[60].hex()[2:8])
    assert state(fresh) == 0
    assert fresh.ask(fresh.sale(fresh.record(700, card.tap(700)))).code == "00"
    assert till.ask(till.handshake()).code == "97"  # the old device
    report = hand_in(host, journal(sent, *held))
    assert counts(report) == {"there already": 1, "taken in": 3} and report["terminal"] == "KASSA001"
    assert loaded(host).quarantine is None and books(host) == (6950, 800, 0)
    assert fresh.ask(fresh.sale(fresh.record(900, card.tap(900)))).code == "00"
    assert state(fresh) == 0 and "device replaced" in alarms(host)
    fresh.hang_up()


def test_terminals_are_added_with_a_key_of_their_own(host: Host, till: Terminal) -> None:
    said = run("terminals", "--home", host.home, "add", "KASSA002", MERCHANT).output
    key_id = said.split("key ")[1][:16]
    assert key_id[:8] == IKID[:4].hex() and host.keys.check_value(bytes.fromhex(key_id)) in said
    assert "registered already" in run("terminals", "--home", host.home, "add", "KASSA002", MERCHANT, status=1).output
    assert "8 letters" in run("terminals", "--home", host.home, "add", "KASSA2", MERCHANT, status=2).output
    assert "belongs to terminal KASSA001" in run(
        "terminals", "--home", host.home, "add", "KASSA003", MERCHANT, "--key-id", IKID.hex(), status=1).output  # fmt: skip
    assert "not registered" in run(
        "terminals", "--home", host.home, "replace", "KASSA009", "--by", "Ms Li", status=1).output  # fmt: skip
    shown = run("terminals", "--home", host.home, "list").output
    assert "KASSA001" in shown and key_id in shown and "KASSA003" not in shown


def test_what_is_handed_in_later_belongs_to_the_merchant_it_was_taken_for(
    host: Host, till: Terminal, card: Card
) -> None:
    """The terminal id has gone to another merchant, with a new key, before the old journal is handed in."""
    sold = day(till, card)
    host.register("KASSA001", "898000000000002", NEW.hex())
    report = hand_in(host, journal(*sold))
    assert counts(report) == {"taken in": 3}, report
    with host.ledger.read() as db:
        of = db.exec_driver_sql("SELECT DISTINCT mid FROM payment UNION SELECT DISTINCT mid FROM entry").scalars().all()
        batches = db.exec_driver_sql("SELECT DISTINCT mid FROM batch").scalars().all()
    assert set(of) == set(batches) == {MERCHANT}
