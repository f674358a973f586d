# SPDX-License-Identifier: MIT
"""A standby is promoted in the middle of a drain: nothing that was answered is lost, and nothing is doubled."""

from __future__ import annotations

import time

import psycopg
import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Record, Terminal
from tools.host.books import double_entry
from tools.host.keys import pki
from tools.host.store.ledger import Ledger
from tools.sim import postgres
from tools.sim.host import Host

pytestmark = pytest.mark.on_sqlite("made with servers of its own")
_PRIMARY = "wal_level = replica\nmax_wal_senders = 4\nhot_standby = on"
_SYNCHRONOUS = "ALTER SYSTEM SET synchronous_standby_names = 'kassa_standby'"


def test_a_promoted_standby_has_everything_that_was_answered(
    tmp_path_factory: pytest.TempPathFactory, card: Card
) -> None:
    if why := postgres.lacking():
        pytest.skip(why)
    home = tmp_path_factory.mktemp("failover")
    primary = postgres.Server(durable=True, settings=_PRIMARY)
    standby = primary.standby("kassa_standby")
    try:
        url = primary.create("kassa")
        answered, records = 0, []
        with Host(home, db=url) as host:
            host.register("KASSA001", "898000000000001", IKID.hex())
            pki.terminal_identity(host.authority, "KASSA001").save(home, "terminal")
            with psycopg.connect(primary.url("kassa"), autocommit=True) as db:
                db.execute(_SYNCHRONOUS)
                db.execute("SELECT pg_reload_conf()")
                while db.execute("SELECT sync_state FROM pg_stat_replication").fetchone() != ("sync",):
                    time.sleep(0.05)
            till = Terminal().connect(host.port, home)
            assert till.ask(till.handshake()).code == "00"
            records = [till.record(100, card.tap(100)) for _ in range(60)]
            till.send(*(till.sale(record, deferred=True) for record in records))
            while answered < 25:  # the window is in flight
                assert till.receive().code == "00"
                answered += 1
            primary.stop("immediate")
            with pytest.raises((EOFError, ConnectionError)):
                while True:
                    assert till.receive().code == "00"
                    answered += 1
            till.hang_up()
        standby.promote()
        with Host(home, db=standby.url("kassa")) as host:
            with host.ledger.read() as db:
                held = -double_entry.balances(db)["terminal clearing"] // 100
            assert answered <= held <= len(records), "answered, so it is there"
            till.connect(host.port, home)
            assert till.ask(till.handshake()).code == "00"
            assert {final(till, record) for record in records} == {"00"}
            ledger: Ledger = host.ledger
            with ledger.read() as db:
                assert double_entry.balances(db)["terminal clearing"] == -100 * len(records)
                assert double_entry.unbalanced(db) == []
            till.hang_up()
    finally:
        standby.close()
        primary.close()


def final(till: Terminal, record: Record) -> str:
    """Send a payment until it is answered for good: what the old host was asking about stays its own for half a minute."""
    until = time.monotonic() + 60
    while (code := till.ask(till.sale(record, deferred=True)).code) == "09" and time.monotonic() < until:
        time.sleep(0.5)
    return code


def test_a_standby_that_is_not_promoted_takes_no_payments() -> None:
    if why := postgres.lacking():
        pytest.skip(why)
    primary = postgres.Server(settings=_PRIMARY)
    standby = primary.standby("other")
    try:
        primary.create("kassa")
        with pytest.raises(Exception, match="(?i)read-only|does not exist|recovery"):
            Ledger(standby.url("kassa"))
    finally:
        standby.close()
        primary.close()
