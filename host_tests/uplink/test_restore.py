# SPDX-License-Identifier: MIT
"""The host is behind: the terminal sends again what it still holds, closed batches too, before its queue."""

from __future__ import annotations

import pytest

from host_tests.harness.uplink.till import ZONE, Till, TinyHost
from tools.host.wire.message import Message


def behind(host: TinyHost, after: int, state: int = 2) -> None:
    """Connect to a host that is behind: it has nothing above record `after`."""
    high = f"{after:08X}" + "00" * 8
    host.connect(_62=f"01{state:02X}0001{high}{host.time:%Y%m%d%H%M%S}{host.counter:08X}{ZONE}")


def sent(requests: list[Message]) -> list[tuple[int, str]]:
    """Sequence and 60.3 of uploaded records."""
    return [(one.record.sequence, one.fields["60"][8:11]) for one in requests if one.record]


def two_closed_batches(till: Till, host: TinyHost) -> None:
    """Records 1 to 3, of which 2 is refused, and 4 and 5, in two closed batches."""
    for batch, count in ((1, 3), (2, 2)):
        till.sells(count)
        host.batch = batch
        host.connect()
        host.settle(lambda request: "51" if request.record and request.record.sequence == 2 else "00")
        till.close()
        (close,) = host.pull()
        till.feed(host.answer(close).hex())
    host.batch = 3
    assert till.state()["closed"] == 5


@pytest.mark.parametrize("after", [0, 3, 5])
def test_everything_above_what_the_host_has_is_sent_again(till: Till, host: TinyHost, after: int) -> None:
    two_closed_batches(till, host)
    behind(host, after)
    requests = host.settle()
    results = {1: "205", 2: "206", 3: "205", 4: "205", 5: "205"}
    assert sent(requests) == [(one, result) for one, result in results.items() if one > after]
    assert {one.mti for one in requests[:-1]} <= {"0320"}
    assert (requests[-1].mti, requests[-1].fields["60"][8:11]) == ("0820", "901")
    assert requests[-1].body[-4:] == (5).to_bytes(4, "big"), "up to its watermark everything is final"
    host.connect()
    assert host.pull() == [], "once is enough"


def test_what_is_not_answered_yet_comes_after_it_and_in_the_usual_way(till: Till, host: TinyHost) -> None:
    two_closed_batches(till, host)
    till.sells(2)
    behind(host, 3)
    requests = host.settle()
    assert [(one.mti, one.record.sequence if one.record else 0) for one in requests] == [
        ("0320", 4), ("0320", 5), ("0820", 0), ("0200", 6), ("0200", 7)
    ]  # fmt: skip
    assert requests[2].body[-4:] == (5).to_bytes(4, "big")
    assert till.state()["count"] == 0


@pytest.mark.parametrize("code", ["91", "12"])
def test_an_answer_that_is_no_yes_does_not_stop_it(till: Till, host: TinyHost, code: str) -> None:
    two_closed_batches(till, host)
    till.sells(1)
    behind(host, 0)
    requests = host.settle(lambda request: code if request.mti == "0320" else "00")
    assert len(sent(requests)) == 6 and till.state()["count"] == 0


def test_a_restart_in_the_middle_begins_it_again(till: Till, host: TinyHost) -> None:
    two_closed_batches(till, host)
    behind(host, 0)
    assert len(host.pull()) == 5
    till.restart()
    behind(host, 0)
    assert len(host.settle()) == 6


def test_a_quarantined_terminal_sends_it_too(till: Till, host: TinyHost) -> None:
    two_closed_batches(till, host)
    behind(host, 3, state=3)
    assert sent(host.settle()) == [(4, "205"), (5, "205")]
