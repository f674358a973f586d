# SPDX-License-Identifier: MIT
"""The host misbehaves on request: its moods."""

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from tools.host.errors import SetupError
from tools.sim.host import Host


def sale(till: Terminal, card: Card) -> bytes:
    return till.sale(till.record(100, card.tap(100)))


def test_silent_reads_requests_without_processing_them(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "silent"
    till.send(sale(till, card))
    while host.counters.get("unanswered") != 1:
        pass
    host.mood = "normal"
    assert till.ask(till.handshake()).mti == "0810"
    assert host.view()["payments"] == []


def test_bad_mac_sends_answers_with_a_wrong_mac(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "bad_mac"
    till.send(sale(till, card))
    assert not till.receive().mac_holds


def test_twice_repeats_the_answer_and_wrong_amount_changes_it(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "twice"
    till.send(sale(till, card))
    assert till.receive().frame == till.receive().frame
    host.mood = "wrong_amount"
    answer = till.ask(sale(till, card))
    assert (answer.code, answer.elements[4].hex(), answer.mac_holds) == ("00", "000000000101", True)
    assert [row["amount"] for row in host.view()["payments"]] == [100, 100]


def test_html_answers_with_http_and_books_nothing(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "html"
    till.send(sale(till, card))
    assert till.line and till.line.recv(4).startswith(b"HTTP")
    assert host.view()["payments"] == []


def test_late_still_answers(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "late 50"
    assert till.ask(sale(till, card)).code == "00"
    assert host.mood == "late 50"


def test_slow_still_answers(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "slow 20"
    assert till.ask(sale(till, card)).code == "00"


def test_decline_means_05_by_default(host: Host) -> None:
    host.mood = "decline"
    assert host.mood == "decline 05"


@pytest.mark.parametrize("text", ["", "angry", "decline 5", "slow x", "slow 9999999", "html 3", "decline 0\n5"])
def test_an_unknown_mood_is_refused(host: Host, text: str) -> None:
    with pytest.raises(SetupError):
        host.mood = text
    assert host.mood == "normal"


def test_a_host_waiting_to_answer_late_stops_at_once(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "late 600000"
    till.send(sale(till, card))
    while not host.view()["accounts"]["card receivable"]:
        pass
    host.stop()
    with pytest.raises((EOFError, ConnectionError)):
        till.receive()
