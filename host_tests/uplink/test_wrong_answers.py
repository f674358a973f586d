# SPDX-License-Identifier: MIT
"""Answers that are rejected: for another request, with a wrong MAC, or not a frame at all."""

from __future__ import annotations

import pytest

from host_tests.harness.in_micropython.runner import InsideError
from host_tests.harness.uplink.till import Till, TinyHost, broken, kinds

WRONG = {
    "terminal": {"_41": "KASSA002"},
    "STAN": {"_11": "999999"},
    "amount": {"_4": "000000001001"},
    "uid": {"_63": (b"01 " + bytes(16)).hex()},
    "MTI of another class": {"_t": "0410"},
    "MTI of an advice": {"_t": "0230"},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_an_answer_must_match_its_request(till: Till, host: TinyHost, wrong: str) -> None:
    """MAC and KSN are valid, but one element belongs to another request."""
    till.sells(1)
    host.connect()
    (request,) = host.pull()
    till.feed(host.answer(request, "51", **WRONG[wrong]).hex())
    state = till.state()
    assert (state["count"], state["flights"], kinds(till, 1)) == (1, 1, [])
    till.feed(host.answer(request).hex())
    till.fill()
    assert till.state()["watermark"] == 1


def test_three_bad_macs_end_the_connection_and_one_on_the_next_handshake_is_a_fault(till: Till, host: TinyHost) -> None:
    till.sells(4)
    host.connect()
    window = host.pull()
    for request in window[:2]:
        till.feed(broken(host.answer(request)))
    assert till.state()["flights"] == 4 and till.state()["count"] == 4
    with pytest.raises(InsideError) as failure:
        till.feed(broken(host.answer(window[2])))
    assert failure.value.kind == "WireError" and till.state()["fault"] == ""
    till.lost()
    till.open()
    (handshake,) = host.pull()
    with pytest.raises(InsideError):
        till.feed(broken(host.answer(handshake)))
    assert till.state()["fault"] == "unknown terminal" and till.state()["count"] == 4
    till.lost()
    host.connect()
    assert till.state()["fault"] == "" and len(host.settle()) == 4 and till.state()["count"] == 0


def test_a_good_answer_resets_the_count_of_bad_macs(till: Till, host: TinyHost) -> None:
    till.sells(6)
    host.connect()
    window = host.pull()
    for request in window[:5]:
        till.feed(broken(host.answer(request)))
        till.feed(host.answer(request).hex())
    till.feed(host.answer(window[5]).hex())
    assert till.fill() == "" and till.state()["watermark"] == 6


HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>"


@pytest.mark.parametrize("data", [HTML, b"\0\0", b"\xff" * 40, b"\0\x1e" + bytes(30)])
def test_bytes_that_are_not_a_frame_end_the_connection(till: Till, host: TinyHost, data: bytes) -> None:
    till.sells(1)
    host.connect()
    host.pull()
    with pytest.raises(InsideError) as failure:
        till.feed(data.hex())
    assert failure.value.kind == "WireError" and till.state()["count"] == 1
