# SPDX-License-Identifier: MIT
"""Nothing that a record says is believed before its seal, and a message that is merely late is no evidence."""

from __future__ import annotations

import copy

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import rows
from host_tests.harness.host.terminal import Record, Terminal
from host_tests.host.test_rollback import back_in_time, quarantine, state
from host_tests.host.test_upload import differs, end, owed, upload
from tools.host.transactions import key_window
from tools.sim.host import Host

COUNTER, SEQUENCE, EPOCH, BATCH = 38, 4, 2, 37  # offsets in a record


def flipped(record: Record, at: int, bit: int = 0x80) -> Record:
    """A copy with one bit flipped, as by rot in the flash."""
    other = copy.copy(record)
    other.raw = record.raw[:at] + bytes((record.raw[at] ^ bit,)) + record.raw[at + 1 :]
    return other


def marks(host: Host) -> tuple[object, ...]:
    """Everything that a record can move: links, batches, payments, messages, epochs and quarantine."""
    tables = ("link", "batch", "payment", "message", "beginning", "entry")
    counts = [rows(host, f"SELECT count(*) FROM {name}")[0][0] for name in tables]
    return (*counts, *rows(host, "SELECT epoch, batch, reported_sequence, quarantine FROM terminal")[0])


@pytest.mark.parametrize("at", [COUNTER, SEQUENCE, EPOCH, BATCH, 29, 100, 241])
@pytest.mark.parametrize("how", ["sale", "deferred", "void entry", "reversal", "upload"])
def test_a_record_whose_seal_fails_moves_nothing(host: Host, till: Terminal, card: Card, at: int, how: str) -> None:
    assert till.ask(till.sale(till.record(100, card.tap(100)), deferred=True)).code == "00"
    if how == "upload":
        differs(till)
    tag, highest = till.head, till.ask(till.handshake()).elements[62][4:8]
    before = marks(host)
    bad = flipped(till.record(700, card.tap(700)), at, 0x01 if at in (BATCH, 29) else 0x80)
    frames = {
        "sale": till.sale(bad),
        "deferred": till.sale(bad, deferred=True),
        "void entry": till.void(bad),
        "reversal": till.reversal(bad),
    }
    answer = upload(till, bad) if how == "upload" else till.ask(frames[how])
    assert answer.code == {"void entry": "00", "reversal": "25"}.get(how, "30")
    after = marks(host)
    if how == "reversal":  # its message, under the MAC, names the payment by uid: it is refused for ever
        after = (*after[:3], after[3] - 1, *after[4:])
    assert after == before and owed(host) == 100
    till.sequence, till.head = 1, tag
    answer = till.ask(till.handshake())
    assert answer.elements[62][4:8] == highest and host.view()["terminals"][0]["gaps"] == []
    used = int.from_bytes(answer.elements[62][23:27], "big")
    assert used == till.counter, "a flipped counter does not make the terminal skip its keys"
    assert state(answer) == 0 and host.counters["damaged_records"] == 1


def test_a_damaged_record_keeps_its_place_when_the_next_one_names_its_tag(
    host: Host, till: Terminal, card: Card
) -> None:
    first, second = till.record(100, card.tap(100)), till.record(200, card.tap(200))
    assert till.ask(till.sale(flipped(first, 100), deferred=True)).code == "30"
    assert till.ask(till.handshake(sequence=0)).code == "00"
    assert host.view()["terminals"][0]["gaps"] == []
    assert till.ask(till.sale(second, deferred=True)).code == "00"
    assert host.view()["terminals"][0]["gaps"] == [] and quarantine(host) is None


def test_a_damaged_record_opens_no_place_that_nobody_vouches_for(host: Host, till: Terminal, card: Card) -> None:
    lost, other, third = (till.record(amount, card.tap(amount)) for amount in (100, 200, 300))
    moved = flipped(other, SEQUENCE + 3, 0x03)  # says that it is record 1
    assert till.ask(till.sale(moved, deferred=True)).code == "30"
    assert till.ask(till.sale(third, deferred=True)).code == "00"
    assert host.view()["terminals"][0]["gaps"] == [(1, 2)]
    assert [till.ask(till.sale(one, deferred=True)).code for one in (lost, other)] == ["00", "00"]
    assert host.view()["terminals"][0]["gaps"] == [] and quarantine(host) is None


def test_a_reported_sequence_beyond_any_journal_is_not_believed(host: Host, till: Terminal) -> None:
    assert state(till.ask(till.handshake(sequence=0x8000_0000))) == 1
    assert host.view()["terminals"][0]["gaps"] == []


def test_a_handshake_that_was_merely_late_is_no_evidence(host: Host, till: Terminal, card: Card) -> None:
    old = back_in_time(till)
    late = old.handshake()  # built on a connection that broke; it arrives after everything else
    till.counter = old.counter
    assert till.ask(till.handshake()).code == "00"
    assert till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True)).code == "00"
    old.connect(host.port, host.home)
    answer = old.ask(late)
    assert quarantine(host) is None and state(answer) == 0
    assert answer.frame[7] & 15 == 3, "who sends it has to show itself under a fresh key"
    assert host.counters["stale_ksn"] == 1
    assert state(old.ask(late)) == 1 and quarantine(host) == "its message keys were used before"
    old.hang_up()


def test_a_late_handshake_under_the_key_of_a_payments_body_is_evidence(host: Host, till: Terminal, card: Card) -> None:
    old = back_in_time(till)
    assert till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True)).code == "00"
    old.connect(host.port, host.home)
    assert state(old.ask(old.handshake())) == 1  # its counter is that of the body: the chip lives twice
    old.hang_up()


def test_late_messages_after_a_restart_of_the_host(new_host: object, host: Host, till: Terminal) -> None:
    """The window is stored with the mark."""
    old = back_in_time(till)
    unseen = old.handshake()
    till.counter = old.counter
    seen = till.handshake()
    assert till.ask(seen).code == "00"
    till.hang_up()
    host.stop()
    again = new_host()  # type: ignore[operator]
    till.connect(again.port, again.home)
    assert state(till.ask(unseen)) == 0 and quarantine(again) is None
    assert state(till.ask(seen)) == 1


def test_the_window_of_counters() -> None:
    mark, seen, ages = 0, 0, []
    for counter in (1, 5, 3, 3, 5, 5 + key_window.SIZE - 1, 5, 6, 1, 6):
        age, mark, seen = key_window.take(mark, seen, counter)
        ages.append(age)
    assert ages == ["fresh", "fresh", "late", "used", "used", "fresh", "used", "late", "late", "used"]
    assert key_window.unpack(key_window.pack(seen), mark) == seen and len(key_window.pack(seen)) == 512


def test_an_upload_that_nobody_asked_for_posts_nothing(host: Host, till: Terminal, card: Card) -> None:
    stranger = till.record(5000, card.tap(5000), kind=0x52)
    assert upload(till, stranger).text == "Not asked for" and owed(host) == 0
    assert end(till, 1).text == "Not asked for"
    assert host.view()["payments"] == [] and "uploaded, and nobody asked for it" in str(host.view()["alarms"])


@pytest.mark.parametrize("how", ["no card", "a cryptogram of another amount", "a card's counter used before"])
def test_an_uploaded_payment_passes_the_checks_of_an_online_one(
    host: Host, till: Terminal, card: Card, how: str
) -> None:
    sold = till.record(100, card.tap(100), kind=0x52)
    assert till.ask(till.sale(sold)).code == "00"
    differs(till)
    card.atc -= how == "a card's counter used before"
    body = b"" if how == "no card" else card.tap(100 if "amount" in how else 99_000)
    bad = till.record(99_000, body, kind=0x52)
    assert upload(till, bad).code == "12" and owed(host) == 100
    (held,) = host.view()["terminals"][0]["held"]
    assert (held["sequence"], held["amount"]) == (2, 99_000) and held["why"]
    assert upload(till, bad).code == "12" and owed(host) == 100
    assert upload(till, sold).code == "00" and end(till, 2).code == "00"
    assert host.view()["unbalanced"] == [] and owed(host) == 100
