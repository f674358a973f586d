# SPDX-License-Identifier: MIT
"""A connection that fails leaves nothing open: a terminal tries for days beside a captive portal, and sockets are few."""

from pathlib import Path

import pytest

TRIES = 8


def descriptors(pid: int) -> int:
    """How many files and sockets a process holds open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not list open descriptors")
@pytest.mark.parametrize("air", ["portal", "on", "half_open"])
def test_tries_that_fail_leave_no_descriptor_open(cashier, air: str) -> None:
    """A portal's HTML ends the handshake, an absent host the connection, a silent one the patience."""
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
