# SPDX-License-Identifier: MIT
"""An online sale: approved, declined, or unanswered, which is reversed until the host confirms."""

from __future__ import annotations

import pytest

from host_tests.harness.uplink.till import LATER, NO, REVERSE, YES, Till, TinyHost, broken, content, kinds, track


def test_an_approved_sale_costs_one_mark(till: Till, host: TinyHost) -> None:
    host.connect()
    sequence = till.intent(12_300, track(1))
    before = till.state()["programs"]
    (request,) = host.pull()
    assert (request.mti, request.type, request.record.kind) == ("0200", "22", 0x52)
    till.feed(host.answer(request, "00", "Thank you").hex())
    state = till.state()
    assert (state["outcome"], state["request"], state["fate"]) == (YES, 0, "approved")
    assert (state["text"], state["auth"], state["rrn"]) == ("Thank you", "A1B2C3", "123456789012")
    assert state["watermark"] == sequence and state["count"] == 0
    assert state["programs"] - before == 1, "one mark, the watermark"


def test_a_declined_sale_is_not_reversed(till: Till, host: TinyHost) -> None:
    host.connect()
    sequence = till.intent(12_300, track(1))
    (request,) = host.pull()
    till.feed(host.answer(request, "51", "不够").hex())
    state = till.state()
    assert (state["outcome"], state["fate"], state["text"]) == (NO, "declined", "不够")
    assert kinds(till, sequence) == [0x64] and state["reversing"] == 0
    assert host.pull() == [] and till.restart()["fate"] == "declined"


def test_an_unanswered_sale_is_reversed_until_the_host_confirms(till: Till, host: TinyHost) -> None:
    """The 0400 is sent unchanged on every connection; only 00, 12 and 25 end it."""
    host.connect()
    sequence = till.intent(12_300, track(1))
    (sale,) = host.pull()
    till.give_up()
    state = till.state()
    assert (state["outcome"], state["reversing"], state["fate"]) == (REVERSE, 1, "reversing")
    till.feed(host.answer(sale).hex())
    assert till.state()["fate"] == "reversing", "a late answer changes nothing"
    (first,) = host.pull()
    assert (first.mti, first.uid, first.stan, first.fields["61"]) == ("0400", sale.uid, sale.stan, "000001" + sale.stan)
    reversals = [first]
    for code in ("96", "05", "94", "97"):
        till.feed(host.answer(reversals[-1], code).hex())
        assert till.state()["reversing"] == 1
        assert till.fill() == "", "once per connection"
        till.lost()
        if code == "05":
            assert till.restart()["reversing"] == 1
        host.connect()
        reversals += host.pull()
    assert all(content(request) == content(first) for request in reversals) and len(reversals) == 5
    till.feed(host.answer(reversals[-1], "25").hex())
    state = till.state()
    assert (state["reversing"], state["fate"], kinds(till, sequence)[-1]) == (0, "reversed", 0x66)
    assert host.pull() == [] and till.restart()["fate"] == "reversed"


@pytest.mark.parametrize("code", ["00", "12", "25"])
def test_these_codes_end_a_reversal(till: Till, host: TinyHost, code: str) -> None:
    host.connect()
    till.intent(100, track(1))
    host.pull()
    till.lost()
    host.connect()
    (reversal,) = host.pull()
    till.feed(host.answer(reversal, code).hex())
    assert till.state()["reversing"] == 0 and till.state()["watermark"] == 1


@pytest.mark.parametrize("code", [code for code in LATER if code != "97"])
def test_an_answer_that_is_not_final_reverses_an_online_sale(till: Till, host: TinyHost, code: str) -> None:
    host.connect()
    till.intent(100, track(1))
    (sale,) = host.pull()
    till.feed(host.answer(sale, code).hex())
    assert till.state()["outcome"] == REVERSE
    (reversal,) = host.pull()
    assert (reversal.mti, reversal.fields["39"]) == ("0400", "98")


def test_a_bad_mac_on_an_online_answer_is_the_reason_of_the_reversal(till: Till, host: TinyHost) -> None:
    host.connect()
    till.intent(100, track(1))
    (sale,) = host.pull()
    till.feed(broken(host.answer(sale)))
    (reversal,) = host.pull()
    assert reversal.fields["39"] == "A0"
    till.restart()
    host.connect()
    (again,) = host.pull()
    assert content(again) == content(reversal), "the same reason after a restart"


def test_a_lost_connection_reverses_a_sale_that_may_have_been_sent(till: Till, host: TinyHost) -> None:
    host.connect()
    sequence = till.intent(100, track(1))
    host.pull()
    till.lost()
    assert till.state()["outcome"] == REVERSE and kinds(till, sequence) == [0x65]


def test_at_boot_an_intent_counts_as_sent(till: Till, host: TinyHost) -> None:
    till.intent(100, track(1))
    state = till.restart()
    assert (state["reversing"], state["fate"]) == (1, "reversing")
    host.connect()
    (reversal,) = host.settle()
    assert reversal.mti == "0400" and till.state()["reversing"] == 0


def test_a_reversal_is_sent_before_everything_else(till: Till, host: TinyHost) -> None:
    till.sells(2)
    till.intent(100, track(1))
    till.restart()
    till.sells(1)
    host.connect()
    assert [request.mti for request in host.pull()] == ["0400"]
