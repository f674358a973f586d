# SPDX-License-Identifier: MIT
"""Online sales that were never sent: while the cashier is asked, afterwards, and if no decision could be stored."""

import pytest

from host_tests.harness.in_micropython.runner import InsideError
from host_tests.harness.uplink.till import Till, TinyHost, track


def sent(host: TinyHost) -> list[tuple[str, str]]:
    return [(request.mti, request.type) for request in host.settle()]


@pytest.mark.parametrize(("wanted", "message"), [(True, ("0200", "70")), (False, ("0220", "72"))])
def test_a_connection_does_not_send_a_sale_that_the_cashier_is_deciding_about(
    till: Till, host: TinyHost, wanted: bool, message: tuple[str, str]
) -> None:
    first = till.intent(500, track(1))
    assert till.withdraw() == first
    host.connect()
    assert sent(host) == []
    assert till.unsent(first, 500, track(1), wanted)
    assert till.state()["count"] == int(wanted)
    assert sent(host) == [message]
    state = till.state()
    assert (state["count"], state["sum"], state["reversing"]) == (0, 0, 0)


def test_an_undecided_intent_is_reversed_by_the_next_connection(till: Till, host: TinyHost) -> None:
    """For example because its mark could not be written. Later sales wait for it."""
    host.connect()
    assert sent(host) == []
    first = till.intent(500, track(1), False)
    till.sells(2)
    host.connect()
    assert ("0400", "22") in sent(host)
    assert till.state()["watermark"] == first + 2


@pytest.mark.parametrize("wanted", [True, False])
def test_a_reversed_sale_can_be_neither_deferred_nor_voided(till: Till, host: TinyHost, wanted: bool) -> None:
    first = till.intent(500, track(1), False)
    host.connect()
    assert sent(host) == [("0400", "22")]
    with pytest.raises(InsideError, match="Refused"):
        till.unsent(first, 500, track(1), wanted)
    assert till.state()["count"] == 0
