# SPDX-License-Identifier: MIT
"""A payment by Lightning from end to end: a terminal, the host, an LNbits server, a customer's wallet, the books."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.host.desk import books, owed, rows
from host_tests.harness.host.terminal import IKID, Answer, Record, Terminal
from host_tests.harness.lightning.bench import FEN, MSAT, Bench
from tools.host.acquirers import orders
from tools.host.acquirers.lightning import invoice
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.keys import pki
from tools.host.outside import outbox
from tools.host.outside.issuer import Decision
from tools.host.outside.wallet import Order, Return, Revocation
from tools.sim.host import Host

_PATIENCE = 30.0  # seconds


class Later:
    """The wallets of a host, which know its ledger only once there is a host."""

    wallets: Wallets

    async def pay(self, order: Order) -> Decision:
        return await self.wallets.pay(order)

    async def give_back(self, back: Return) -> Decision:
        return await self.wallets.give_back(back)

    async def revoke(self, what: Revocation) -> None:
        await self.wallets.revoke(what)

    async def tend(self) -> None:
        await self.wallets.tend()


@pytest.fixture
def host(bench: Bench, tmp_path: Path) -> Iterator[Host]:
    later = Later()
    host = Host(tmp_path, wallet=later)
    later.wallets = Wallets(host.ledger, [Wallet("lnbits", "lnbits", bench.provider)])
    host.register("KASSA001", "898000000000001", IKID.hex())
    with host.start():
        yield host


@pytest.fixture
def till(host: Host) -> Iterator[Terminal]:
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    terminal = Terminal().connect(host.port, host.home)
    assert terminal.ask(terminal.handshake()).code == "00"
    yield terminal
    terminal.hang_up()


def take(till: Terminal) -> Record:
    """A payment whose code the terminal shows."""
    return till.record(FEN, kind=0x52, type=0x75, at_42=b"\3", at_48=bytes(5))


def ask(till: Terminal, record: Record) -> Answer:
    """Ask for it, or what became of it."""
    return till.ask(till.payment(0x0200, "75", record, de_22=b"\x03\x20"))


def order(host: Host, record: Record) -> Any:
    with host.ledger.read() as db:
        return orders.find(db, "KASSA001", record.uid)


def test_from_the_terminal_to_the_books(bench: Bench, host: Host, till: Terminal) -> None:
    record = take(till)
    waits = ask(till, record)
    shown = waits.elements[62]
    read = invoice.read(shown.decode())
    assert (waits.code, read.amount, waits.text) == ("09", MSAT, "Scan with a Lightning wallet")
    before = bench.server.balance()
    assert bench.server.pay(shown)
    bench.pass_time(5)
    paid = ask(till, record)
    assert (paid.code, ask(till, record).content) == ("00", paid.content)
    assert order(host, record).state == "PAID" and order(host, record).their_id == read.payment_hash
    assert bench.server.balance() - before == MSAT and bench.server.paid(record.uid.hex()) == [MSAT]
    assert owed(host) == FEN and books(host) == (FEN, 0, 0)
    till.ask(till.close(0, 0))  # codes are not in its totals
    assert rows(host, "SELECT state FROM batch WHERE number = '000001'") == [("closed",)] and owed(host) == FEN
    sums = rows(host, "SELECT SUM(amount), COUNT(*) FROM entry")
    assert sums[0][0] == 0 and sums[0][1] > 0


def test_a_cashier_who_gives_up_has_the_invoice_end(bench: Bench, host: Host, till: Terminal) -> None:
    record = take(till)
    shown = ask(till, record).elements[62]
    assert till.ask(till.reversal(record, "75")).code == "00"
    bench.pass_time(100 + 61)
    end = time.monotonic() + _PATIENCE
    while order(host, record).state != "UNDONE" and time.monotonic() < end:
        with host.ledger.write() as db:
            outbox.hurry(db)
        host.service.messenger.wake()
        time.sleep(0.05)
    assert order(host, record).state == "UNDONE" and not bench.server.pay(shown)
    assert ask(till, record).code != "00" and bench.server.paid(record.uid.hex()) == [] and owed(host) == 0
