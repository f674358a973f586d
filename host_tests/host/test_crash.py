# SPDX-License-Identifier: MIT
"""The host crashes, the issuer does not answer or the disk fails: an unanswered request can be repeated."""

import asyncio
import datetime
from pathlib import Path

from sqlalchemy import text

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host.errors import IssuerFault
from tools.host.keys import pki
from tools.host.outside.issuer import Decision, Payment
from tools.host.store.migrations import rules
from tools.sim.host import Host


class Stuck:
    """An issuer that never answers."""

    async def decide(self, payment: Payment) -> Decision:
        await asyncio.Event().wait()
        raise IssuerFault


class Down:
    """An issuer that cannot be reached."""

    async def decide(self, payment: Payment) -> Decision:
        raise IssuerFault("no line to the issuer")


def start(home: Path, issuer: Stuck | Down | None = None) -> Host:
    host = Host(home, issuer=issuer, now=lambda: datetime.datetime(2026, 11, 23, 12))
    host.register("KASSA001", "898000000000001", IKID.hex())
    pki.terminal_identity(host.authority, "KASSA001").save(home, "terminal")
    return host.start()


def test_a_crash_while_the_issuer_decides_leaves_one_payment(tmp_path: Path, card: Card) -> None:
    with start(tmp_path, Stuck()) as host:
        till, other = Terminal().connect(host.port, tmp_path), Terminal(counter=1000).connect(host.port, tmp_path)
        record = till.record(1250, card.tap(1250))
        till.send(till.sale(record, deferred=True))
        while not host.view()["payments"]:
            pass
        assert other.ask(other.sale(record, deferred=True)).code == "09"
        assert other.ask(other.reversal(record, "70")).code == "09"
        till.hang_up()
    with start(tmp_path) as host:
        other.connect(host.port, tmp_path)
        assert other.ask(other.sale(record, deferred=True)).code == "00"
        assert [payment["state"] for payment in host.view()["payments"]] == ["APPROVED"]
        assert host.view()["accounts"]["terminal clearing"] == -1250
        other.hang_up()


def test_an_unreachable_issuer_leaves_the_payment_open(tmp_path: Path, card: Card) -> None:
    with start(tmp_path, Down()) as host:
        till = Terminal().connect(host.port, tmp_path)
        assert till.ask(till.sale(till.record(1250, card.tap(1250)))).code == "91"
        assert [payment["state"] for payment in host.view()["payments"]] == ["RECEIVED"]
        till.hang_up()


def test_a_payment_that_the_database_refuses_is_repeated(host: Host, till: Terminal, card: Card) -> None:
    with host.ledger.write() as db:
        for statement in rules._rule(db.dialect.name, "broken", "INSERT", "entry", "no more entries"):
            db.execute(text(statement))
    record = till.record(1250, card.tap(1250))
    assert till.ask(till.sale(record)).code == "96"
    assert host.counters["broken"] == 1
    with host.ledger.write() as db:
        db.execute(text("DROP TRIGGER broken" + (" ON entry" if db.dialect.name == "postgresql" else "")))
    assert till.ask(till.sale(record)).code == "00"
    assert host.view()["accounts"]["terminal clearing"] == -1250
