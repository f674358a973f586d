# SPDX-License-Identifier: MIT
"""The batch close, the upload after different totals, and a journal so full that only answers still fit."""

from __future__ import annotations

import pytest

from host_tests.harness.in_micropython.runner import InsideError
from host_tests.harness.uplink.till import NO, YES, Till, TinyHost, content, track
from tools.host.wire.message import Message


def test_a_balanced_batch_closes_and_the_next_begins(till: Till, host: TinyHost) -> None:
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


def test_a_host_error_leaves_the_batch_open(till: Till, host: TinyHost) -> None:
    till.sells(3)
    host.connect()
    host.settle()
    till.close()
    (close,) = host.pull()
    till.feed(host.answer(close, text="Batch 000009 is open", _48=close.fields["48"][:30] + "3" + "0" * 30 + "3").hex())
    state = till.state()
    assert (state["outcome"], state["closed"], state["batch"], state["text"]) == (NO, 0, 1, "Batch 000009 is open")
    assert host.pull() == []
    assert state["closing"] == 0 and till.restart()["closing"] == 0


def differ(till: Till, host: TinyHost) -> list[Message]:
    """Close with totals that differ from the host's; returns the requests that the terminal sends next."""
    till.close()
    (close,) = host.pull()
    till.feed(host.answer(close, text="Host has 2 for 20.00", _48=close.fields["48"][:30] + "2" + "0" * 30 + "1").hex())
    return host.pull()


def test_after_different_totals_every_record_is_uploaded_and_the_batch_closes(till: Till, host: TinyHost) -> None:
    till.sells(3)
    till.intent(500, track(9))
    host.connect()
    host.settle(lambda request: "51" if request.type == "22" else "00")
    records = differ(till, host)
    assert [(one.mti, one.group, one.fields["60"][8:11]) for one in records] == [
        ("0320", "upload", "205"), ("0320", "upload", "205"), ("0320", "upload", "205"), ("0320", "upload", "206")
    ]  # fmt: skip
    assert [one.record.sequence for one in records] == [1, 2, 3, 4]
    for one in records:
        till.feed(
            host.answer(one, "94" if one.record.sequence == 2 else "12" if one.record.sequence == 3 else "00").hex()
        )
    (end,) = host.pull()
    assert (end.mti, end.fields["60"][8:11], end.fields["48"]) == ("0320", "202", "0004")
    till.feed(host.answer(end).hex())
    state = till.state()
    assert (state["outcome"], state["closed"], state["batch"], state["closing"]) == (YES, 4, 2, 0)
    assert (state["uploaded"], state["disputed"]) == (4, 1)


@pytest.mark.parametrize("lose", ["the totals' answer", "some records", "the end"])
def test_an_upload_goes_on_after_a_lost_connection_or_a_power_cut(till: Till, host: TinyHost, lose: str) -> None:
    till.sells(5)
    host.connect()
    host.settle()
    for again in range(3):
        if lose == "the totals' answer":
            till.close()
            host.pull()
        else:
            for one in differ(till, host)[: 5 if lose == "the end" else 2]:
                till.feed(host.answer(one).hex())
            host.pull()
        assert till.state()["closing"] == 1 and till.state()["closed"] == 0
        if again == 1:
            till.lost()
        else:
            assert till.restart()["closing"] == 1
        host.connect()
    for one in differ(till, host):
        till.feed(host.answer(one).hex())
    (end,) = host.pull()
    till.feed(host.answer(end).hex())
    assert (till.state()["closed"], till.state()["batch"], till.state()["closing"]) == (5, 2, 0)


def test_a_record_still_missing_after_the_upload_leaves_the_batch_open(till: Till, host: TinyHost) -> None:
    till.sells(1)
    host.connect()
    host.settle()
    (one,) = differ(till, host)
    till.feed(host.answer(one).hex())
    (end,) = host.pull()
    till.feed(host.answer(end, "30", text="Record 7 missing").hex())
    state = till.state()
    assert (state["outcome"], state["closed"], state["closing"], state["text"]) == (NO, 0, 0, "Record 7 missing")


def test_an_upload_that_the_host_postpones_ends_the_connection(till: Till, host: TinyHost) -> None:
    till.sells(1)
    host.connect()
    host.settle()
    (one,) = differ(till, host)
    with pytest.raises(InsideError) as failure:
        till.feed(host.answer(one, "96").hex())
    assert failure.value.kind == "WireError" and till.state()["closing"] == 1


@pytest.mark.parametrize("code", ["96", "97"])
def test_no_close_while_a_record_is_pending(till: Till, host: TinyHost, code: str) -> None:
    """Neither while the record waits, nor after the host has postponed it."""
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


def test_a_close_does_not_cover_payments_taken_after_its_totals(till: Till, host: TinyHost) -> None:
    """Payments taken while the close is in flight stay pending, whatever its answer is."""
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


def test_an_unanswered_close_is_remembered_until_it_is_answered(till: Till, host: TinyHost) -> None:
    """It is stored before it is sent, and survives restarts until the host answers."""
    till.sells(2)
    host.connect()
    host.settle()
    assert till.state()["closing"] == 0
    till.close()
    host.pull()
    assert till.state()["closing"] == 1
    assert till.restart()["closing"] == 1 and till.restart()["closing"] == 1
    host.connect()
    de48, *_ = till.close()
    (again,) = host.pull()
    assert again.fields["48"] == de48
    till.feed(host.answer(again).hex())
    state = till.state()
    assert (state["closing"], state["closed"], state["batch"]) == (0, 2, 2) and till.restart()["closing"] == 0


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


def test_a_full_journal_is_drained_after_any_number_of_handshakes(till: Till, host: TinyHost) -> None:
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
