# SPDX-License-Identifier: MIT
"""Fixtures: a running host with one registered terminal, and that terminal with its certificate."""

import datetime
import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host.acquirers import orders
from tools.host.keys import pki
from tools.host.store.ledger import Ledger
from tools.sim import postgres
from tools.sim.host import Host

NOON = datetime.datetime(2026, 11, 23, 12, 0, 0)


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server for the whole run."""
    if why := postgres.lacking():
        pytest.skip(why)
    server = postgres.Server()
    Ledger(server.create("migrated")).close()
    yield server
    server.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of this folder runs on both databases, except those that say `on_sqlite`.

    Of a file's cases on PostgreSQL `make test` runs every fourth one.
    """
    if "database" in metafunc.fixturenames:
        only = metafunc.definition.get_closest_marker("on_sqlite") is not None
        both = ["sqlite", pytest.param("postgresql", marks=pytest.mark.sampled(4, of="file"))]
        metafunc.parametrize("database", both[:1] if only else both, indirect=True)


@pytest.fixture(autouse=True)
def database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The kind of database. With "postgresql" a path of an SQLite file means a database of the server instead."""
    if request.param == "postgresql":
        server: postgres.Server = request.getfixturevalue("server")
        names: set[str] = set()
        make = Ledger.__init__

        def on_server(ledger: Ledger, where: Path | str) -> None:
            if isinstance(where, Path):
                _look_like_a_ledger(where)
                names.add(hashlib.md5(str(where).encode()).hexdigest())
                template = "migrated" if type(ledger) is Ledger else "template1"  # others make their tables themselves
                where = server.create(hashlib.md5(str(where).encode()).hexdigest(), template)
            make(ledger, where)

        monkeypatch.setattr(Ledger, "__init__", on_server)
        yield request.param
        server.drop(*names)
    else:
        yield request.param


@pytest.fixture
def place(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path | str]:
    """An empty place for one more database of the same kind."""
    if database == "sqlite":
        yield tmp_path / "other.db"
        return
    server: postgres.Server = request.getfixturevalue("server")
    yield server.create("other")
    server.drop("other")


def _look_like_a_ledger(path: Path) -> None:
    """Leave a file where commands look for the database before they open it."""
    if not path.exists():
        with closing(sqlite3.connect(path)) as db:
            for name in ("terminal", "payment", "entry", "audit"):
                db.execute(f"CREATE TABLE {name} (empty)")


@pytest.fixture
def new_host(database: str, tmp_path: Path) -> Iterator[Callable[[], Host]]:
    """A function that starts a host in the test's folder. All hosts are stopped when the test ends."""
    hosts: list[Host] = []

    def start() -> Host:
        host = Host(tmp_path, wire_log=tmp_path / "wire.log", now=lambda: NOON)
        hosts.append(host)
        host.register("KASSA001", "898000000000001", IKID.hex())
        return host.start()

    yield start
    for host in hosts:
        host.stop()


@pytest.fixture
def host(new_host: Callable[[], Host]) -> Host:
    return new_host()


@pytest.fixture
def till(host: Host) -> Iterator[Terminal]:
    """A terminal that has completed a handshake with the host."""
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    terminal = Terminal().connect(host.port, host.home)
    assert terminal.ask(terminal.handshake()).code == "00"
    yield terminal
    terminal.hang_up()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A database without a host."""
    ledger = Ledger(tmp_path / "host.db")
    yield ledger
    ledger.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time now in ms, in a list so that a test can change it."""
    at = [1_800_000_000_000]
    monkeypatch.setattr(orders, "now", lambda: at[0])
    return at


@pytest.fixture
def card() -> Card:
    return Card()
