# SPDX-License-Identifier: MIT
"""Sending payments taken offline: windows, order, refusals, answers that are not final, lost connections."""

from __future__ import annotations

import pytest

from host_tests.harness.uplink.till import FINAL_NO, LATER, Till, TinyHost, content, kinds, track


def test_a_window_of_64_is_answered_in_any_order(till: Till, host: TinyHost) -> None:
    till.sells(100)
    host.connect()
    window = host.pull()
    assert [request.record.sequence for request in window] == list(range(1, 65)) and till.state()["flights"] == 64
    for request in reversed(window[1:]):
        till.feed(host.answer(request).hex())
    more = host.pull()
    assert [request.record.sequence for request in more] == list(range(65, 101)), "free slots are reused at once"
    assert till.state()["watermark"] == 0, "the first is still open"
    for request in [window[0], *more]:
        till.feed(host.answer(request).hex())
    assert host.pull() == []
    state = till.state()
    assert (state["watermark"], state["count"], state["sum"], state["flights"]) == (100, 0, 0, 0)
    assert not state["keys_left"], "every answer key is zeroed"
    assert [kind for _, kind in till.marks()] == [], "one watermark covers all"
    journal = till.read()
    assert {journal.state(record) for record in journal.records.values()} == {"settled"}


def test_answers_may_arrive_in_pieces(till: Till, host: TinyHost) -> None:
    till.sells(5)
    host.connect()
    stream = b"".join(host.answer(request) for request in host.pull())
    for at in range(0, len(stream), 7):
        till.feed(stream[at : at + 7].hex())
    assert till.fill() == "" and till.state()["watermark"] == 5


def test_refused_payments_get_their_own_marks_before_the_watermark(till: Till, host: TinyHost) -> None:
    till.sells(6)
    host.connect()
    host.settle(lambda request: "51" if request.record.sequence in (2, 5) else "00")
    state = till.state()
    assert (state["watermark"], state["count"], state["sum"], state["refused"]) == (6, 0, 0, 2)
    marks = [
        (mark.kind, mark.about, mark.code) for mark in till.read().marks if mark.kind in ("REFUSED", "WATERMARK", "YES")
    ]
    assert marks == [("REFUSED", 2, "51"), ("REFUSED", 5, "51"), ("WATERMARK", 6, "")]
    assert [kinds(till, sequence) for sequence in (1, 2, 5)] == [[], [0x63], [0x63]]


@pytest.mark.parametrize("code", LATER)
def test_an_answer_that_is_not_final_keeps_the_payment_pending(till: Till, host: TinyHost, code: str) -> None:
    """Payments after it get their own marks, and the next connection sends it again unchanged."""
    till.sells(3)
    host.connect()
    first = host.settle(lambda request: code if request.record.sequence == 2 else "00")
    state = till.state()
    assert (state["watermark"], state["count"], state["sum"]) == (1, 1, 1001)
    assert kinds(till, 3) == [0x61] and kinds(till, 2) == []
    assert till.fill() == "" and not state["work"], "not repeated on this connection"
    till.lost()
    host.connect()
    (again,) = host.settle()
    assert content(again) == content(first[1]) and again.counter > first[1].counter
    assert till.state()["watermark"] == 3 and till.state()["count"] == 0


@pytest.mark.parametrize("code", FINAL_NO)
def test_any_other_code_is_a_final_refusal(till: Till, host: TinyHost, code: str) -> None:
    till.sells(1)
    host.connect()
    host.settle(lambda request: code)
    assert kinds(till, 1) == [0x63] and till.state()["count"] == 0


@pytest.mark.parametrize("code", ["00", "11", "A2", "A4", "A5", "A6", "94"])
def test_every_approval_code_settles_the_payment(till: Till, host: TinyHost, code: str) -> None:
    till.sells(1)
    host.connect()
    host.settle(lambda request: code)
    assert till.state()["watermark"] == 1 and till.state()["fate"] == "approved"


def test_after_a_connection_lost_in_mid_window_only_unanswered_payments_are_repeated(
    till: Till, host: TinyHost
) -> None:
    """They are repeated byte for byte, except the envelope."""
    till.sells(10)
    host.connect()
    window = host.pull()
    for index in (0, 1, 4, 7):
        till.feed(host.answer(window[index]).hex())
    till.lost()
    state = till.state()
    assert (state["watermark"], state["count"], state["flights"], state["keys_left"]) == (2, 6, 0, False)
    host.connect()
    again = host.pull()
    assert [request.record.sequence for request in again] == [3, 4, 6, 7, 9, 10]
    for request in again:
        assert content(request) == content(window[request.record.sequence - 1])
        assert request.frame != window[request.record.sequence - 1].frame
    for request in again:
        till.feed(host.answer(request).hex())
    host.pull()
    assert till.state()["watermark"] == 10 and till.restart()["count"] == 0


def test_an_answer_to_the_previous_connection_is_ignored(till: Till, host: TinyHost) -> None:
    till.sells(1)
    host.connect()
    (old,) = host.pull()
    till.lost()
    host.connect()
    till.feed(host.answer(old).hex())
    assert till.state()["count"] == 1 and till.state()["fault"] == ""


def test_a_drain_survives_a_restart_at_any_moment(till: Till, host: TinyHost) -> None:
    till.sells(8)
    host.connect()
    window = host.pull()
    till.feed(host.answer(window[0], "51").hex())
    till.feed(host.answer(window[1]).hex())
    till.restart()
    host.connect()
    again = host.settle()
    assert [request.record.sequence for request in again] == list(range(1, 9)), (
        "a payment whose answer was not yet durable is sent again"
    )
    assert [content(request) for request in again[:2]] == [content(request) for request in window[:2]]
    state = till.state()
    assert (state["watermark"], state["count"], state["sum"]) == (8, 0, 0)


def test_an_unsent_online_sale_becomes_a_deferred_one_or_a_void_entry(till: Till, host: TinyHost) -> None:
    first, second = till.intent(500, track(1)), 0
    assert till.unsent(first, 500, track(1), True)
    second = till.intent(600, track(2))
    assert till.unsent(second, 600, track(2), False)
    assert (till.state()["count"], till.state()["sum"]) == (1, 500)
    host.connect()
    sent = host.settle()
    assert [(request.mti, request.type) for request in sent] == [("0200", "70"), ("0220", "72")]
    assert kinds(till, second) == [0x6D, 0x6B] and till.state()["watermark"] == 2 and till.state()["count"] == 0


def test_a_frame_received_in_part_is_completed_after_a_pause(till: Till, host: TinyHost) -> None:
    """A byte that comes while no answer is awaited keeps nothing from being sent, and does not lose the frame."""
    host.connect()
    till.feed("00")
    till.pause()
    till.sells(1)
    assert till.resume()
    (request,) = host.pull()
    till.feed(host.answer(request).hex()[2:])
    assert host.pull() == []
    assert till.state()["count"] == 0


def test_a_payment_taken_on_an_idle_connection_is_sent_although_another_one_is_postponed(
    till: Till, host: TinyHost
) -> None:
    till.sells(1)
    host.connect()
    host.settle(lambda request: "91")
    till.pause()
    assert not till.resume()  # nothing new
    till.take(1500, track(9))
    assert till.resume()
    (request,) = host.pull()
    assert request.record.sequence == 2
    till.feed(host.answer(request).hex())
    assert host.pull() == []
    assert till.state()["count"] == 1


def test_what_cannot_be_sent_does_not_make_an_idle_connection_active_again_and_again(
    till: Till, host: TinyHost
) -> None:
    till.sells(1)
    host.connect()
    host.settle(lambda request: "91")
    for _ in range(3):
        till.pause()
        assert not till.resume()
        till.take(1500, track(9))
        assert till.resume()
        host.settle(lambda request: "91")
