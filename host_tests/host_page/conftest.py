# SPDX-License-Identifier: MIT
"""One host with a month of trade for all tests of this folder, and its pages as users see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from host_tests.harness.host import aftermath, month
from host_tests.harness.host.aftermath import Aftermath
from host_tests.harness.host.month import Shop
from host_tests.harness.host.terminal import IKID, Record, Terminal
from tools.host.keys import pki
from tools.host.page import users
from tools.sim.host import Host

PASSWORD = "a horse in the hall"
PEOPLE = {
    "Wang": ("merchant", month.MERCHANT),
    "Li": ("operator", ""),
    "Zhao": ("auditor", ""),
    "Chen": ("administrator", ""),
}


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    home: Path = tmp_path_factory.mktemp("pages") / "host"
    with Host(home) as host:
        host.register("KASSA001", month.MERCHANT, IKID.hex())
        host.register("KASSA002", month.MERCHANT, "12345678" + "8" * 8)
        with host.ledger.write() as db:
            for name, (role, mid) in PEOPLE.items():
                users.add(db, mid, name, role, PASSWORD, "tests")
        yield host


@pytest.fixture(scope="session")
def till(host: Host) -> Iterator[Terminal]:
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    till = Terminal().connect(host.port, host.home)
    assert till.ask(till.handshake()).code == "00"
    yield till
    till.hang_up()


@pytest.fixture(scope="session")
def trade(host: Host, till: Terminal) -> Shop:
    """Eleven days of trade before today."""
    return month.month(host, till, 11, 6)


@pytest.fixture(scope="session")
def made(trade: Shop) -> dict[str, Record]:
    """What was sold today, by what became of it."""
    return month.trouble(trade)


@pytest.fixture(scope="session")
def foreign(made: dict[str, Record], host: Host) -> str:
    """The uid of a payment of another merchant."""
    return month.another_merchant(host)


@pytest.fixture(scope="session")
def url(host: Host) -> str:
    return f"http://127.0.0.1:{host.page_port}"


@pytest.fixture(scope="session")
def logged_in(host: Host, url: str) -> Callable[[str], httpx.Client]:
    """A function that logs somebody of PEOPLE in, once."""
    clients: dict[str, httpx.Client] = {}

    def log_in(name: str) -> httpx.Client:
        if name not in clients:
            clients[name] = _logged_in(url, name)
        return clients[name]

    return log_in


@dataclass
class Busy:
    """A host of its own, after some bad days. `of`: what happened there."""

    host: Host
    of: Aftermath
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.host.page_port}"

    def log_in(self, name: str) -> httpx.Client:
        """Somebody of PEOPLE, logged in once."""
        if name not in self._clients:
            self._clients[name] = _logged_in(self.url, name)
        return self._clients[name]


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Busy]:
    with Host(tmp_path_factory.mktemp("busy") / "host") as host:
        host.register("KASSA001", month.MERCHANT, IKID.hex())
        with host.ledger.write() as db:
            for name, (role, mid) in PEOPLE.items():
                users.add(db, mid, name, role, PASSWORD, "tests")
        pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
        till = Terminal().connect(host.port, host.home)
        assert till.ask(till.handshake()).code == "00"
        yield Busy(host, aftermath.make(host, till))
        till.hang_up()


def _logged_in(url: str, name: str) -> httpx.Client:
    client = httpx.Client(base_url=url, headers={"origin": url})
    form = {"name": name, "merchant": PEOPLE[name][1], "password": PASSWORD}
    assert client.post("/login", data=form).headers["location"] == "/"
    return client
