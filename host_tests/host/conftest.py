# SPDX-License-Identifier: MIT
"""Fixtures: a running host with one registered terminal, and that terminal with its certificate."""

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host.keys import pki
from tools.sim.host import Host

NOON = datetime.datetime(2026, 11, 23, 12, 0, 0)


@pytest.fixture
def new_host(tmp_path: Path) -> Iterator[Callable[[], Host]]:
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
def card() -> Card:
    return Card()
