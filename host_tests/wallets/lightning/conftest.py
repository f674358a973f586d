# SPDX-License-Identifier: MIT
"""Fixtures: an LNbits server, simulated and real, and a bench around it. Each test runs on both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.harness.lightning import real_server
from host_tests.harness.lightning.bench import Bench, Server
from host_tests.harness.lightning.faulty_proxy import FaultyProxy
from tools.host.acquirers import orders
from tools.host.store.ledger import Ledger
from tools.sim.lnbits import LnbitsSimulator


@pytest.fixture(scope="session", params=["simulated", "real"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the whole run."""
    if request.param == "simulated":
        with LnbitsSimulator() as simulator:
            keys = simulator.shop.invoice_key, simulator.customer.admin_key
            yield Server(simulator.url, *keys, simulator)
        return
    if why := real_server.lacking():
        pytest.skip(why)
    folder = tmp_path_factory.mktemp("lnbits")
    with real_server.RealServer(folder) as real:
        yield Server(real.url, real.shop_key, real.customer_key, database=folder / "database.sqlite3")


@pytest.fixture
def bench(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    with FaultyProxy(server.url) as proxy:
        bench = Bench(server, proxy)
        monkeypatch.setattr(orders, "now", lambda: time.time_ns() // 1_000_000 + bench.late * 1000)
        yield bench


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "host.db")
    yield ledger
    ledger.close()
