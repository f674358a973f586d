# SPDX-License-Identifier: MIT
"""An unreadable payment is given up: only its amount leaves the pending totals."""

from __future__ import annotations

from host_tests.harness.uplink.till import Till, TinyHost, track


def test_other_pending_payments_still_count(till: Till) -> None:
    """Pending are a sale, a cash payment, a cash refund and an unanswered refund."""
    host = TinyHost(till)
    host.connect()
    till.ask(0x25, 50, track(1))
    host.pull()
    till.lost()  # sent but not answered: it will be repeated
    unreadable = till.sell(7000, track(2))
    till.sell(300, track(3))
    till.cash(1250)
    till.advise(0x77, 200, "", 0)
    state = till.state()
    assert (state["count"], state["sum"]) == (5, 50 + 7000 + 300 + 1250 + 200)
    assert till.give_up_unreadable(unreadable) == unreadable
    state = till.state()
    assert (state["count"], state["sum"]) == (4, 50 + 300 + 1250 + 200)
