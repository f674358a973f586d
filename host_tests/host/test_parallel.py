# SPDX-License-Identifier: MIT
"""Many at once, and processes that are killed: each payment is posted once, and everybody gets the same answer.

`make long` has 16 clients with 500 payments each, and kills before every statement instead of every third or sixth.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import books, rows
from host_tests.harness.host.terminal import IKID, Record, Terminal
from host_tests.harness.long_runs import LONG
from tools.host.errors import SetupError
from tools.host.keys import pki
from tools.host.store.ledger import Ledger
from tools.sim import postgres
from tools.sim.host import Host

ROOT = Path(__file__).resolve().parents[2]
CLIENTS, PAYMENTS = (16, 500) if LONG else (6, 90)
_BITS = 16  # one-bits that a DUKPT counter may have


class Counters:
    """Message counters that rise for all clients of one terminal together."""

    def __init__(self, last: int) -> None:
        self._last = last
        self._lock = threading.Lock()

    def next(self) -> int:
        with self._lock:
            self._last += 1
            while self._last.bit_count() > _BITS:
                self._last += 1
            return self._last


def client(port: int, home: Path, records: list[Record], counters: Counters) -> dict[bytes, dict[int, bytes]]:
    """Send every payment until it is answered for good; the answers without their envelope, by uid."""
    till = Terminal().connect(port, home)
    till.next_counter = counters.next  # type: ignore[method-assign]
    assert till.line is not None
    till.line.settimeout(1)
    answers: dict[bytes, dict[int, bytes]] = {}
    for record in records:
        while record.uid not in answers:
            till.send(till.cash(record) if record.raw[1] == 0x71 else till.sale(record, deferred=True))
            try:
                answer = till.receive()
            except TimeoutError:  # another client's later key came first: with a newer one again
                continue
            if answer.uid == record.uid and answer.code not in ("09", "96"):
                answers[record.uid] = answer.content
    till.hang_up()
    return answers


def all_alike(
    ports: list[int], home: Path, till: Terminal, records: list[Record]
) -> list[dict[bytes, dict[int, bytes]]]:
    """What each client was answered. The clients take the ports in turn."""
    counters = Counters(till.counter)
    with ThreadPoolExecutor(CLIENTS) as threads:
        jobs = [
            threads.submit(client, ports[at % len(ports)], home, records[at * 31 :] + records[: at * 31], counters)
            for at in range(CLIENTS)
        ]
        return [job.result() for job in jobs]


def made(till: Terminal, card: Card, count: int) -> list[Record]:
    return [till.record(100, card.tap(100)) if at % 2 else till.record(50, type=0x71) for at in range(count)]


def test_the_same_payments_from_many_clients_are_posted_once(host: Host, till: Terminal, card: Card) -> None:
    lines = host.listener.lines
    lines._limits = dataclasses.replace(lines._limits, connections_per_terminal=CLIENTS + 1)
    records = made(till, card, PAYMENTS)
    answered = all_alike([host.port], host.home, till, records)
    assert all(one == answered[0] for one in answered) and len(answered[0]) == PAYMENTS
    assert books(host)[:2] == (PAYMENTS // 2 * 100, PAYMENTS // 2 * 50)
    assert rows(host, "SELECT count(*) FROM payment WHERE state = 'APPROVED'") == [(PAYMENTS,)]
    assert rows(host, "SELECT count(*) FROM entry") == [(2 * PAYMENTS,)]
    assert rows(host, "SELECT sum(count), sum(worth) FROM turnover") == [(PAYMENTS, PAYMENTS // 2 * 150)]


@contextmanager
def process(home: Path, database: str) -> Iterator[int]:
    """A host in a process of its own; its port."""
    command = [sys.executable, "-m", "host_tests.harness.host.serve", str(home), database]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout and run.stdin
        try:
            yield int(run.stdout.readline())
        finally:
            run.stdin.close()
            run.wait(20)


@pytest.mark.on_sqlite("made with a server of its own")
def test_two_processes_on_one_database_post_each_payment_once(
    tmp_path: Path, card: Card, server: postgres.Server
) -> None:
    url = server.create("two_processes")
    ledger = Ledger(url)
    ledger.register("KASSA001", "898000000000001", IKID)
    pki.terminal_identity(pki.ensure(tmp_path), "KASSA001").save(tmp_path, "terminal")
    till = Terminal()
    records = made(till, card, PAYMENTS)
    with ExitStack() as running:
        ports = [running.enter_context(process(tmp_path, url)) for _ in range(2)]
        answered = all_alike(ports, tmp_path, till, records)
    assert all(one == answered[0] for one in answered) and len(answered[0]) == PAYMENTS
    with ledger.read() as db:
        assert db.execute(text("SELECT count(*) FROM payment WHERE state = 'APPROVED'")).scalar_one() == PAYMENTS
        assert db.execute(text("SELECT count(*), sum(amount) FROM entry")).one() == (2 * PAYMENTS, 0)
        assert db.execute(text("SELECT sum(worth) FROM turnover")).scalar_one() == PAYMENTS // 2 * 150
    ledger.close()
    server.drop("two_processes")


@pytest.mark.on_sqlite("PostgreSQL may be served by several")
def test_a_second_host_on_the_same_database_does_not_start(host: Host, till: Terminal, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="another host serves"):
        Host(tmp_path, db=host.ledger.path).start()
    assert till.ask(till.handshake()).code == "00"


@pytest.mark.on_sqlite("the next one does the same on PostgreSQL")
@pytest.mark.parametrize("kind", ["sale", "window", "reversal", "void", "close"])
def test_a_host_killed_before_any_statement_has_posted_all_or_nothing(tmp_path: Path, kind: str) -> None:
    """The repeat gets the answer that it would have got, and everything is on the books once."""
    killed(tmp_path, kind, "sqlite", 3)


@pytest.mark.on_sqlite("the one before does the same on SQLite")
@pytest.mark.parametrize("kind", ["window", "void"])
def test_on_postgresql_too(tmp_path: Path, server: postgres.Server, kind: str) -> None:
    killed(tmp_path, kind, server.url("{}"), 6)


def killed(home: Path, kind: str, databases: str, step: int) -> None:
    """`step`: kill before every n-th statement if this is no long run."""
    step = 1 if LONG else step
    command = [sys.executable, "-m", "host_tests.harness.host.killed", kind, str(home), databases, str(step)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert run.returncode == 0, run.stderr[-2000:]
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    print(f"{kind}: killed before {len(lines) - 1} statements")
    assert len(lines) * step > 15 and all(line.pop("killed") for line in lines[:-1]) and not lines[-1].pop("killed")
    assert lines[-1]["unbalanced"] == [] and set(lines[-1]["codes"]) <= {"00", ""}
    assert [line for line in lines if line != lines[-1]] == []
