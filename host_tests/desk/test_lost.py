# SPDX-License-Identifier: MIT
"""A payment that cannot be read is given up: its amount alone leaves what is pending, whatever else waits."""

from __future__ import annotations

from host_tests.harness.uplink.till import Till, TinyHost, track


def test_what_else_waits_is_counted_on(till: Till) -> None:
    """A sale, cash, money back in cash, a refund that had no answer: all of them are still to be sent."""
    host = TinyHost(till)
    host.connect()
    till.ask(0x25, 50, track(1))
    host.pull()
    till.lost()  # sent and not answered: it is repeated
    lost = till.sell(7000, track(2))
    till.sell(300, track(3))
    till.cash(1250)
    till.advise(0x77, 200, "", 0)
    state = till.state()
    assert (state["count"], state["sum"]) == (5, 50 + 7000 + 300 + 1250 + 200)
    assert till.lose(lost) == 1
    state = till.state()
    assert (state["count"], state["sum"]) == (4, 50 + 300 + 1250 + 200)
