# SPDX-License-Identifier: MIT
"""Online sales of which nothing left: while the cashier is asked, after it, and when nobody could note what became of one."""

import pytest

from host_tests.harness.inside.inside import InsideError
from host_tests.harness.uplink.till import Till, TinyHost, track


def sent(host: TinyHost) -> list[tuple[str, str]]:
    return [(request.mti, request.type) for request in host.settle()]


@pytest.mark.parametrize(("wanted", "message"), [(True, ("0200", "70")), (False, ("0220", "72"))])
def test_a_connection_leaves_alone_what_the_cashier_is_asked_about(
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


def test_an_intent_that_nobody_decided_about_is_reversed_by_the_next_connection(till: Till, host: TinyHost) -> None:
    """Its mark could not be written, say; later sales do not settle around it."""
    host.connect()
    assert sent(host) == []
    first = till.intent(500, track(1), False)
    till.sells(2)
    host.connect()
    assert ("0400", "22") in sent(host)
    assert till.state()["watermark"] == first + 2


@pytest.mark.parametrize("wanted", [True, False])
def test_nothing_is_decided_twice(till: Till, host: TinyHost, wanted: bool) -> None:
    first = till.intent(500, track(1), False)
    host.connect()
    assert sent(host) == [("0400", "22")]
    with pytest.raises(InsideError, match="Refused"):
        till.unsent(first, 500, track(1), wanted)
    assert till.state()["count"] == 0
