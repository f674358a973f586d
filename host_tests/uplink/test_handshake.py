# SPDX-License-Identifier: MIT
"""The handshake, the first message of a connection: what its answer brings, and which answers end the connection."""

from __future__ import annotations

import pytest

from host_tests.harness.in_micropython.runner import InsideError
from host_tests.harness.uplink.till import NOON_SECONDS, ZONE, Till, TinyHost


def test_nothing_is_sent_before_the_handshake_is_answered(till: Till, host: TinyHost) -> None:
    till.sells(3)
    till.open()
    (request,) = host.pull()
    assert request.mti == "0800" and till.fill() == ""
    till.feed(host.answer(request).hex())
    assert len(host.pull()) == 3


def test_the_handshake_answer_sets_time_and_batch(till: Till, host: TinyHost) -> None:
    host.time = host.time.replace(hour=13)
    host.batch = 7
    till.clock(5, False)
    host.connect()
    state = till.state()
    assert (state["time"], state["trusted"], state["heard"]) == (NOON_SECONDS + 3600, True, NOON_SECONDS + 3600)
    assert state["batch"] == 7 and till.restart()["batch"] == 7
    till.sells(1)
    host.batch = 9
    host.connect()
    assert till.state()["batch"] == 7, "the number does not change in the middle of a batch"


@pytest.mark.parametrize(("zone", "hours"), [("20", 8), ("00", 0), ("E0", -8), ("CA", -13.5), ("38", 14)])
def test_the_handshake_answer_sets_the_zone(till: Till, host: TinyHost, zone: str, hours: float) -> None:
    host.connect(_62="0100" + "0001" + "00" * 12 + "20260817120000" + "00000001" + zone)
    state = till.state()
    assert (state["time"], state["east"]) == (NOON_SECONDS, hours * 3600)


@pytest.mark.parametrize(
    "elements",
    [
        {"_62": "0100" + "0001" + "00" * 12 + "20261317120000" + "00000001" + ZONE},
        {"_62": "0100" + "0001" + "00" * 12 + "2026FF17120000" + "00000001" + ZONE},
        {"_62": "0200" + "0001" + "00" * 12 + "20260817120000" + "00000001" + ZONE},
        {"_62": "0100" + "0001" + "00" * 12 + "20260817120000" + "00000001"},
        {"_62": "0100" + "0001" + "00" * 12 + "20260817120000" + "00000001" + ZONE + ZONE},
        {"_62": "01"},
        {"_39": "05"},
        {"_60": "00ABCDEF900"},
        {"_39": "96"},
    ],
)
def test_an_invalid_handshake_answer_ends_the_connection(till: Till, host: TinyHost, elements: dict) -> None:
    before = till.state()
    with pytest.raises(InsideError) as failure:
        host.connect(**elements)
    assert failure.value.kind == "WireError"
    after = till.state()
    assert not after["handshaken"] and (after["batch"], after["time"]) == (before["batch"], before["time"])


def test_code_97_is_a_fault_until_the_host_knows_the_terminal(till: Till, host: TinyHost) -> None:
    till.sells(2)
    with pytest.raises(InsideError):
        host.connect(_39="97")
    assert till.state()["fault"] == "unknown terminal" and till.state()["count"] == 2
    till.lost()
    host.connect()
    assert till.state()["fault"] == ""


def test_a_rollback_is_a_fault_and_payments_continue(till: Till, host: TinyHost) -> None:
    till.sells(1)
    host.connect(_62="0101" + "0001" + "00000009" + "11" * 8 + "20260817120000" + "00000001" + ZONE)
    assert till.state()["fault"] == "rollback"
    assert len(host.settle()) == 1


def test_keys_that_the_host_has_seen_are_skipped(till: Till, host: TinyHost) -> None:
    """After a rollback to an older chip image, the next messages and payments use keys that were never used."""
    till.sells(1)
    host.used = 100_000
    host.connect()
    (request,) = host.settle()
    assert request.counter > 100_000
    till.restart()
    till.sells(1)
    till.open()
    (request,) = host.pull()
    assert request.counter > 100_000
    till.feed(host.answer(request).hex())
    (payment,) = host.settle()
    assert payment.record is not None and payment.record.counter > 100_000


def test_a_new_epoch_begins_when_nothing_is_pending(till: Till, host: TinyHost) -> None:
    """Pending payments go first, in the old epoch; then the terminal closes its batch and starts a new chain."""
    till.sells(2)
    host.connect(_62="0100" + "0002" + "00" * 12 + "20260817120000" + "00000001" + ZONE, _60="00000005900")
    paid = host.settle()
    assert [request.record.epoch for request in paid if request.record] == [1, 1]
    state = till.restart()
    assert (state["closed"], state["batch"]) == (2, 5)
    till.sells(1)
    host.counter = 0
    host.connect(_62="0100" + "0002" + "00" * 12 + "20260817120000" + "00000001" + ZONE, _60="00000005900")
    (payment,) = host.settle()
    assert payment.record is not None
    record = payment.record
    assert (record.epoch, record.sequence, record.batch, record.previous_tag) == (2, 3, "000005", bytes(8))


def test_a_suspect_terminal_does_not_take_the_new_epoch(till: Till, host: TinyHost) -> None:
    host.connect(_62="0101" + "0002" + "00" * 12 + "20260817120000" + "00000001" + ZONE)
    till.sells(1)
    (payment,) = host.settle()
    assert payment.record is not None and payment.record.epoch == 1


def test_a_key_prepared_ahead_is_dropped_if_the_host_has_seen_it(till: Till, host: TinyHost) -> None:
    till.sells(1)
    till.prepare_ciphers()
    host.used = 100_000
    host.connect()
    host.settle()
    till.skip_used()
    till.sells(1)
    (payment,) = host.settle()
    assert payment.record is not None and payment.record.counter > 100_000
