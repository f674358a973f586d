# SPDX-License-Identifier: MIT
"""The database is away, full or in somebody else's hands: nothing is answered, nothing is lost, and it goes on after that."""

from __future__ import annotations

import sqlite3
import threading

import pytest
from sqlalchemy import event

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import books
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host.keys import pki
from tools.sim import postgres
from tools.sim.host import Host


def refused(till: Terminal, frame: bytes) -> None:
    """The host hangs up instead of answering."""
    till.send(frame)
    with pytest.raises((EOFError, ConnectionError)):
        till.receive()


@pytest.mark.on_sqlite("its own way to be full")
def test_a_full_disk(host: Host, till: Terminal, card: Card) -> None:
    limits: list[int] = [1]

    @event.listens_for(host.ledger._writer, "begin")
    def limit(db: object) -> None:
        db.exec_driver_sql(f"PRAGMA max_page_count = {limits[0]}")  # type: ignore[attr-defined]

    record = till.record(1250, card.tap(1250, t9F10="06010A03A0B800"), kind=0x52)
    frames = [till.cash(till.record(10, type=0x71)) for _ in range(200)]
    full = False
    for frame in frames:  # a page of the file that has room takes the first ones
        till.send(frame)
        try:
            till.receive()
        except (EOFError, ConnectionError):
            full = True
            break
    assert full and host.counters["database_faults"] == 1
    limits[0] = 1 << 30
    till.connect(host.port, host.home)
    assert till.ask(till.sale(record)).code == "00" and books(host)[0] == 1250


@pytest.mark.on_sqlite("the lock of its file")
def test_another_process_holds_the_write_lock_for_a_while(host: Host, till: Terminal, card: Card) -> None:
    other = sqlite3.connect(host.ledger.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(2, lambda: other.execute("COMMIT")).start()
    assert till.ask(till.sale(till.record(1250, card.tap(1250), kind=0x52))).code == "00"
    other.close()


@pytest.mark.on_sqlite("made with a server of its own")
def test_a_server_that_goes_away_and_comes_back(tmp_path_factory: pytest.TempPathFactory, card: Card) -> None:
    if why := postgres.lacking():
        pytest.skip(why)
    home, server = tmp_path_factory.mktemp("away"), postgres.Server(durable=True)
    try:
        with Host(home, db=server.create("away")) as host:
            host.register("KASSA001", "898000000000001", IKID.hex())
            pki.terminal_identity(host.authority, "KASSA001").save(home, "terminal")
            till = Terminal().connect(host.port, home)
            assert till.ask(till.handshake()).code == "00"
            record = till.record(1250, card.tap(1250), kind=0x52)
            server.stop("immediate")
            for _ in range(3):
                refused(till, till.sale(record))
                till.connect(host.port, home)
            server.start()
            assert till.ask(till.sale(record)).code == "00" and books(host)[0] == 1250
            till.hang_up()
    finally:
        server.close()
