# SPDX-License-Identifier: MIT
"""The courier, stepped without clock or socket: what it sends, and what each answer or its absence leaves in the journal."""

from __future__ import annotations

import pytest

from host_tests.inside.inside import InsideError
from host_tests.uplink.till import NO, NOON_SECONDS, REVERSE, YES, Till, TinyHost, content, track

FINAL_NO = ("05", "14", "51", "54", "61", "10", "12", "25", "ZZ")
LATER = ("09", "68", "90", "91", "92", "96", "98", "99", "A0", "A7", "97")


def dropped(till: Till) -> None:
    """The line closes the connection after an error."""
    till.lost()


def kinds(till: Till, sequence: int) -> list[int]:
    return [kind for about, kind in till.marks() if about == sequence]


# -- the handshake ----------------------------------------------------------------------------------------------------


def test_nothing_leaves_before_the_handshake_is_answered(till: Till, host: TinyHost) -> None:
    till.sells(3)
    till.open()
    (request,) = host.pull()
    assert request.mti == "0800" and till.fill() == ""
    till.feed(host.answer(request).hex())
    assert len(host.pull()) == 3


def test_the_handshake_brings_time_and_batch(till: Till, host: TinyHost) -> None:
    host.time = host.time.replace(hour=13)
    host.batch = 7
    till.clock(5, False)
    host.connect()
    state = till.state()
    assert (state["time"], state["trusted"], state["heard"]) == (NOON_SECONDS + 3600, True, NOON_SECONDS + 3600)
    assert state["batch"] == 7 and till.restart()["batch"] == 7
    till.sells(1)
    host.batch = 9
    host.connect()
    assert till.state()["batch"] == 7, "never in the middle of a batch"


@pytest.mark.parametrize(
    "elements",
    [
        {"_62": "0100" + "0001" + "00" * 12 + "20261317120000"},
        {"_62": "0100" + "0001" + "00" * 12 + "2026FF17120000"},
        {"_62": "0200" + "0001" + "00" * 12 + "20260817120000"},
        {"_62": "01"},
        {"_39": "05"},
        {"_60": "00ABCDEF900"},
        {"_39": "96"},
    ],
)
def test_a_handshake_answer_that_makes_no_sense_ends_the_connection(till: Till, host: TinyHost, elements: dict) -> None:
    before = till.state()
    with pytest.raises(InsideError) as failure:
        host.connect(**elements)
    assert failure.value.kind == "WireError"
    after = till.state()
    assert not after["handshaken"] and (after["batch"], after["time"]) == (before["batch"], before["time"])


def test_a_host_that_does_not_know_us(till: Till, host: TinyHost) -> None:
    till.sells(2)
    with pytest.raises(InsideError):
        host.connect(_39="97")
    assert till.state()["fault"] == "stranger" and till.state()["count"] == 2
    dropped(till)
    host.connect()
    assert till.state()["fault"] == ""


def test_a_rollback_is_told_and_payments_go_on(till: Till, host: TinyHost) -> None:
    till.sells(1)
    host.connect(_62="0101" + "0001" + "00000009" + "11" * 8 + "20260817120000")
    assert till.state()["fault"] == "rollback"
    assert len(host.settle()) == 1


# -- the queue --------------------------------------------------------------------------------------------------------


def test_a_window_of_64_with_answers_in_any_order(till: Till, host: TinyHost) -> None:
    till.sells(100)
    host.connect()
    window = host.pull()
    assert [request.record.sequence for request in window] == list(range(1, 65)) and till.state()["flights"] == 64
    for request in reversed(window[1:]):
        till.feed(host.answer(request).hex())
    more = host.pull()
    assert [request.record.sequence for request in more] == list(range(65, 101)), "free slots are used at once"
    assert till.state()["watermark"] == 0, "the first is still open"
    for request in [window[0], *more]:
        till.feed(host.answer(request).hex())
    assert host.pull() == []
    state = till.state()
    assert (state["watermark"], state["count"], state["sum"], state["flights"]) == (100, 0, 0, 0)
    assert not state["keys_left"], "every answer key is zeroed"
    assert [kind for _, kind in till.marks()] == [], "one watermark for all"
    journal = till.read()
    assert {journal.state(record) for record in journal.records.values()} == {"settled"}


def test_answers_in_pieces(till: Till, host: TinyHost) -> None:
    till.sells(5)
    host.connect()
    stream = b"".join(host.answer(request) for request in host.pull())
    for at in range(0, len(stream), 7):
        till.feed(stream[at : at + 7].hex())
    assert till.fill() == "" and till.state()["watermark"] == 5


def test_refused_ones_get_their_own_mark_before_the_watermark(till: Till, host: TinyHost) -> None:
    till.sells(6)
    host.connect()
    host.settle(lambda request: "51" if request.record.sequence in (2, 5) else "00")
    state = till.state()
    assert (state["watermark"], state["count"], state["sum"], state["refused"]) == (6, 0, 0, 2)
    marks = [(mark.kind, mark.about, mark.code) for mark in till.read().marks if mark.kind in ("REFUSED", "WATERMARK", "YES")]
    assert marks == [("REFUSED", 2, "51"), ("REFUSED", 5, "51"), ("WATERMARK", 6, "")]
    assert [kinds(till, sequence) for sequence in (1, 2, 5)] == [[], [0x63], [0x63]]


@pytest.mark.parametrize("code", LATER)
def test_later_keeps_it_pending(till: Till, host: TinyHost, code: str) -> None:
    """Not a final answer: it stays, later ones are marked on their own, and the next connection sends it again unchanged."""
    till.sells(3)
    host.connect()
    first = host.settle(lambda request: code if request.record.sequence == 2 else "00")
    state = till.state()
    assert (state["watermark"], state["count"], state["sum"]) == (1, 1, 1001)
    assert kinds(till, 3) == [0x61] and kinds(till, 2) == []
    assert till.fill() == "", "not again on this connection"
    till.lost()
    host.connect()
    (again,) = host.settle()
    assert content(again) == content(first[1]) and again.counter > first[1].counter
    assert till.state()["watermark"] == 3 and till.state()["count"] == 0


@pytest.mark.parametrize("code", FINAL_NO)
def test_any_other_code_is_a_final_no(till: Till, host: TinyHost, code: str) -> None:
    till.sells(1)
    host.connect()
    host.settle(lambda request: code)
    assert kinds(till, 1) == [0x63] and till.state()["count"] == 0


@pytest.mark.parametrize("code", ["00", "11", "A2", "A4", "A5", "A6", "94"])
def test_every_final_yes(till: Till, host: TinyHost, code: str) -> None:
    till.sells(1)
    host.connect()
    host.settle(lambda request: code)
    assert till.state()["watermark"] == 1 and till.state()["fate"] == "approved"


def test_connection_lost_in_the_middle_of_a_window(till: Till, host: TinyHost) -> None:
    """What was answered is kept; the rest is sent again byte for byte, but for the envelope."""
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


def test_a_late_answer_from_the_old_connection_is_no_answer(till: Till, host: TinyHost) -> None:
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
    assert [request.record.sequence for request in again] == list(range(2, 9)), "a yes that was not durable is asked again"
    assert content(again[0]) == content(window[1])
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


# -- answers that do not count ----------------------------------------------------------------------------------------

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
    """MAC and KSN are right; one thing is another's."""
    till.sells(1)
    host.connect()
    (request,) = host.pull()
    till.feed(host.answer(request, "51", **WRONG[wrong]).hex())
    state = till.state()
    assert (state["count"], state["flights"], kinds(till, 1)) == (1, 1, [])
    till.feed(host.answer(request).hex())
    till.fill()
    assert till.state()["watermark"] == 1


def test_three_bad_macs_end_the_connection_and_a_sign_on_that_fails_too_means_stranger(till: Till, host: TinyHost) -> None:
    till.sells(4)
    host.connect()
    window = host.pull()
    for request in window[:2]:
        till.feed(broken(host.answer(request)))
    assert till.state()["flights"] == 4 and till.state()["count"] == 4
    with pytest.raises(InsideError) as failure:
        till.feed(broken(host.answer(window[2])))
    assert failure.value.kind == "WireError" and till.state()["fault"] == ""
    dropped(till)
    till.open()
    (handshake,) = host.pull()
    with pytest.raises(InsideError):
        till.feed(broken(host.answer(handshake)))
    assert till.state()["fault"] == "stranger" and till.state()["count"] == 4
    dropped(till)
    host.connect()
    assert till.state()["fault"] == "" and len(host.settle()) == 4 and till.state()["count"] == 0


def test_a_good_answer_forgives_bad_ones(till: Till, host: TinyHost) -> None:
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
def test_what_is_no_frame_ends_the_connection(till: Till, host: TinyHost, data: bytes) -> None:
    till.sells(1)
    host.connect()
    host.pull()
    with pytest.raises(InsideError) as failure:
        till.feed(data.hex())
    assert failure.value.kind == "WireError" and till.state()["count"] == 1


def broken(answer: bytes) -> str:
    """The same with one bit of its MAC flipped."""
    return (answer[:-1] + bytes([answer[-1] ^ 1])).hex()


# -- online -----------------------------------------------------------------------------------------------------------


def test_online_yes(till: Till, host: TinyHost) -> None:
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
    assert state["programs"] - before == 1, "one mark: the watermark itself"


def test_online_no(till: Till, host: TinyHost) -> None:
    host.connect()
    sequence = till.intent(12_300, track(1))
    (request,) = host.pull()
    till.feed(host.answer(request, "51", "不够").hex())
    state = till.state()
    assert (state["outcome"], state["fate"], state["text"]) == (NO, "declined", "不够")
    assert kinds(till, sequence) == [0x64] and state["reversing"] == 0
    assert host.pull() == [] and till.restart()["fate"] == "declined"


def test_no_answer_is_reversed_until_the_host_agrees(till: Till, host: TinyHost) -> None:
    """0400 goes out unchanged on every connection; 00, 12 and 25 end it, nothing else does."""
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
        assert till.fill() == "", "not again and again on one connection"
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
def test_codes_that_end_a_reversal(till: Till, host: TinyHost, code: str) -> None:
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


def test_a_bad_mac_on_an_online_answer_is_reversed_for_that_reason(till: Till, host: TinyHost) -> None:
    host.connect()
    till.intent(100, track(1))
    (sale,) = host.pull()
    till.feed(broken(host.answer(sale)))
    (reversal,) = host.pull()
    assert reversal.fields["39"] == "A0"
    till.restart()
    host.connect()
    (again,) = host.pull()
    assert content(again) == content(reversal), "for the same reason after a restart"


def test_a_lost_connection_reverses_what_may_have_left(till: Till, host: TinyHost) -> None:
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


def test_the_reversal_goes_before_everything_else(till: Till, host: TinyHost) -> None:
    till.sells(2)
    till.intent(100, track(1))
    till.restart()
    till.sells(1)
    host.connect()
    assert [request.mti for request in host.pull()] == ["0400"]


# -- the batch close --------------------------------------------------------------------------------------------------


def test_batch_close(till: Till, host: TinyHost) -> None:
    till.sells(3)
    host.connect()
    host.settle()
    de48, *_ = till.close()
    (close,) = host.pull()
    assert close.mti == "0500" and close.fields["48"] == de48
    till.feed(host.answer(close).hex())
    state = till.state()
    assert (state["outcome"], state["closed"], state["batch"]) == (YES, 3, 2)
    assert (till.restart()["closed"], till.state()["batch"]) == (3, 2)


def test_totals_that_do_not_agree_leave_the_batch_open(till: Till, host: TinyHost) -> None:
    till.sells(3)
    host.connect()
    host.settle()
    till.close()
    (close,) = host.pull()
    till.feed(host.answer(close, text="Host has 2 for 20.00", _48=close.fields["48"][:30] + "2" + "0" * 30 + "1").hex())
    state = till.state()
    assert (state["outcome"], state["closed"], state["batch"], state["text"]) == (NO, 0, 1, "Host has 2 for 20.00")
    assert host.pull() == []


@pytest.mark.parametrize("code", ["96", "97"])
def test_no_close_while_a_record_is_pending(till: Till, host: TinyHost, code: str) -> None:
    """Neither while it waits, nor when the host puts it off."""
    till.sells(3)
    host.connect()
    till.close()
    window = host.pull()
    assert {request.mti for request in window} == {"0200"}
    for request in window:
        till.feed(host.answer(request, code if request.record.sequence == 3 else "00").hex())
    assert host.pull() == [] and till.state()["closed"] == 0
    till.lost()
    host.connect()
    (again,) = host.pull()
    till.feed(host.answer(again).hex())
    assert [request.mti for request in host.pull()] == ["0500"]


def test_a_close_does_not_cover_what_came_after_its_totals(till: Till, host: TinyHost) -> None:
    """Payments taken while the close is on its way stay pending and in the journal, whatever its answer says."""
    till.sells(3)
    host.connect()
    host.settle()
    till.close()
    (close,) = host.pull()
    till.sells(2, 7_000)
    till.feed(host.answer(close).hex())
    state = till.state()
    assert (state["closed"], state["count"], state["sum"]) == (3, 2, 14_001)
    sent = host.settle()
    assert [request.record.sequence for request in sent] == [4, 5] and till.state()["count"] == 0


def test_a_close_sent_again_is_the_same_message(till: Till, host: TinyHost) -> None:
    till.sells(1)
    host.connect()
    host.settle()
    till.close()
    (first,) = host.pull()
    till.lost()
    host.connect()
    (again,) = host.pull()
    assert content(again) == content(first)


# -- room -------------------------------------------------------------------------------------------------------------


def test_a_full_journal_is_drained_and_hears_the_host_without_end(till: Till, host: TinyHost) -> None:
    """Handshakes never use up the pages that answers need."""
    with pytest.raises(InsideError) as failure:
        till.sells(400)
    assert failure.value.kind == "JournalFull"
    taken = till.state()["count"]
    for _ in range(300):
        host.connect()
        till.lost()
    host.connect()
    host.settle(lambda request: "51" if request.record.sequence % 9 == 0 else "00")
    state = till.state()
    assert (state["count"], state["watermark"]) == (0, taken)
    till.close()
    host.settle()
    assert till.state()["closed"] == taken
    while till.idle():
        pass
    assert till.sells(1) == [taken + 1]
