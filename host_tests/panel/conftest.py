# SPDX-License-Identifier: MIT
"""One simulation for all tests of this folder, with the real host, firmware and web server. It ends with them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.harness.panel.page import Page
from tools.panel.server import Server
from tools.panel.simulation import Simulation
from tools.provision.device import Terminal


@pytest.fixture(scope="package")
def simulation(micropython: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulation]:
    """A simulation that is switched on, with English as the terminal's language."""
    home: Path = tmp_path_factory.mktemp("panel") / "run"
    with Simulation(home, micropython, Terminal(language="en"), "simulated") as simulation:
        simulation.commands.do({"do": "power", "on": True})
        yield simulation


@pytest.fixture(scope="package")
def server(simulation: Simulation) -> Iterator[Server]:
    with Server(simulation, 0) as server:
        yield server


@pytest.fixture
def page(server: Server) -> Iterator[Page]:
    """A connection like that of the web page. The terminal is idle, Wi-Fi is on, and the host behaves normally."""
    with Page(server.port) as page:
        page.rest()
        yield page
