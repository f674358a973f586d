# SPDX-License-Identifier: MIT
"""A closed batch never changes: whatever comes late counts in an open one, and so it is owed to the merchant."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing as closing_file

import pytest

from host_tests.harness.host.broken import journal
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import counts, day, hand_in
from host_tests.harness.host.terminal import IKID, Terminal
from host_tests.host.test_restore import asked, back_up, put_back, sold, two_days
from host_tests.host.test_upload import result, upload
from tools.host.books import full_audit
from tools.host.errors import IssuerFault
from tools.host.operations import closing
from tools.host.outside.issuer import Decision, Payment
from tools.host.transactions import terminal_keys
from tools.sim.host import Host


def differences(host: Host) -> list[str]:
    with host.ledger.read() as db:
        return list(full_audit.differences(db))


def replaced(host: Host) -> Terminal:
    """Another device with the terminal's id, which has signed on and is in its epoch."""
    with host.ledger.write() as db:
        ikid = terminal_keys.plan(db, "KASSA001", "Ms Li", IKID[:4], other_device=True).next_ikid
    assert ikid is not None
    fresh = Terminal(ikid=ikid).connect(host.port, host.home)
    fresh.batch = int(fresh.ask(fresh.handshake()).elements[60].hex()[2:8])
    fresh.epoch = 2
    assert fresh.ask(fresh.handshake()).code == "00"
    return fresh


def test_a_journal_that_is_handed_in_by_parts_goes_into_open_batches(host: Host, till: Terminal, card: Card) -> None:
    """Between the parts the new device signs on, and what is left of older epochs is closed."""
    sent = till.record(2000, card.tap(2000))
    assert till.ask(till.sale(sent)).code == "00"
    held = day(till, card)
    fresh = replaced(host)
    assert counts(hand_in(host, journal(sent, held[0]))) == {"there already": 1, "taken in": 1}
    assert fresh.ask(fresh.handshake()).code == "00" and differences(host) == []
    assert counts(hand_in(host, journal(sent, *held))) == {"there already": 2, "taken in": 2}
    assert differences(host) == []
    assert fresh.ask(fresh.handshake()).code == "00" and differences(host) == []
    accounts = host.view()["accounts"]
    assert (accounts["terminal clearing"], accounts["merchant payable"]) == (0, -6250)
    fresh.hang_up()


def test_what_an_operator_moves_goes_into_an_open_batch(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next number of the old epoch was used already, by what came late."""
    sent, late = till.record(2000, card.tap(2000)), [till.record(amount, card.tap(amount)) for amount in (300, 500)]
    assert till.ask(till.sale(sent)).code == "00"
    fresh = replaced(host)
    for count in (1, 2):  # batches 2 and 3 of epoch 1
        assert counts(hand_in(host, journal(sent, *late[:count])))["taken in"] == 1
        assert fresh.ask(fresh.handshake()).code == "00"

    async def away(payment: Payment) -> Decision:
        raise IssuerFault("away")

    waits = till.record(700, card.tap(700))
    decide = host.simulator.decide
    monkeypatch.setattr(host.simulator, "decide", away)
    assert counts(hand_in(host, journal(sent, *late, waits), status=1))["no answer yet"] == 1
    with host.ledger.write() as db:
        closing.run(db, "KASSA001", "Ms Li", despite=True)
    monkeypatch.setattr(host.simulator, "decide", decide)
    assert counts(hand_in(host, journal(sent, *late, waits)))["taken in"] == 1
    assert differences(host) == []
    fresh.hang_up()


@pytest.mark.on_sqlite("copies its file")
def test_a_restore_leaves_batches_open_whose_money_is_withheld(
    new_host: Callable[[], Host], host: Host, till: Terminal, card: Card
) -> None:
    backup = back_up(host)
    records = two_days(host, till, card)
    host = put_back(host, new_host, till, backup)
    with closing_file(sqlite3.connect(host.ledger.path)) as db, db:
        db.execute("UPDATE terminal SET quarantine = 'why not'")
    assert asked(till) == (3, 0)
    assert [upload(till, one, paid=one is not records[3]).code for one in records] == ["00"] * 6
    assert till.ask(till.all_sent(6)).code == "00"
    assert differences(host) == []
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    asked(till)
    till.epoch, till.batch, till.head = 2, 4, bytes(8)
    assert asked(till) == (0, 0)  # the new epoch: what is left of the old one is closed
    assert differences(host) == [] and host.view()["accounts"]["merchant payable"] == -5500


@pytest.mark.on_sqlite("copies its file")
def test_a_restore_leaves_a_batch_open_with_a_payment_that_nobody_has_decided(
    new_host: Callable[[], Host], host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup was made while the issuer was asked; the terminal has its answer since, and has erased the record."""

    async def away(payment: Payment) -> Decision:
        raise IssuerFault("away")

    decide = host.simulator.decide
    monkeypatch.setattr(host.simulator, "decide", away)
    first = till.record(100, card.tap(100))
    assert till.ask(till.sale(first, deferred=True)).code == "91"
    backup = back_up(host)
    monkeypatch.setattr(host.simulator, "decide", decide)
    assert till.ask(till.sale(first, deferred=True)).code == "00" and result(till, 100, 1) == "1"
    till.batch += 1
    second = sold(till, card, 400, deferred=True)
    host = put_back(host, new_host, till, backup)
    assert asked(till)[0] == 2
    assert upload(till, second).code == "00" and till.ask(till.all_sent(2)).code == "00"
    assert differences(host) == []
    assert counts(hand_in(host, journal(first, second))) == {"taken in": 1, "there already": 1}
    assert differences(host) == [] and result(till, 400, 1) == "1"
    with host.ledger.write() as db:
        closing.run(db, "KASSA001", "Ms Li", despite=False)
    assert differences(host) == [] and host.view()["accounts"]["merchant payable"] == -500
