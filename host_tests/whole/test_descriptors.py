# SPDX-License-Identifier: MIT
"""A failed connection leaves no socket open: a terminal may retry for days, and has few sockets."""

from pathlib import Path

import pytest

TRIES = 8


def descriptors(pid: int) -> int:
    """The number of files and sockets that a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not list open descriptors")
@pytest.mark.parametrize("air", ["portal", "on", "half_open"])
def test_failed_connections_leave_no_descriptor_open(cashier, air: str) -> None:
    """A portal's HTML breaks the handshake, an absent host refuses the connection, a silent one lets it time out."""
    world = cashier.world
    cashier.go_offline()
    cashier.sell(700, "amber", "Accepted")
    before, tried = descriptors(world.pid), world.radio.connections
    if air == "on":
        world.radio.host_port = None
    world.radio.state = air
    world.wait(lambda: world.radio.connections >= tried + TRIES, f"{TRIES} tries", 120)
    world.radio.state = "off"
    world.wait_screen("Offline", 60)
    assert descriptors(world.pid) <= before
    world.radio.host_port = cashier.host.port
    cashier.drain()
    assert cashier.agree() == 700
