# SPDX-License-Identifier: MIT
"""A host that misbehaves on request."""

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from tools.host.app import Host
from tools.host.errors import SetupError


def sale(till: Terminal, card: Card) -> bytes:
    return till.sale(till.record(100, card.tap(100)))


def test_silent_reads_and_forgets(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "silent"
    till.send(sale(till, card))
    while host.counters.get("unanswered") != 1:
        pass
    host.mood = "normal"
    assert till.ask(till.handshake()).mti == "0810"
    assert host.view()["payments"] == []


def test_bad_mac_answers(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "bad_mac"
    till.send(sale(till, card))
    assert not till.receive().mac_holds


def test_twice_and_wrong_amount(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "twice"
    till.send(sale(till, card))
    assert till.receive().frame == till.receive().frame
    host.mood = "wrong_amount"
    answer = till.ask(sale(till, card))
    assert (answer.code, answer.elements[4].hex(), answer.mac_holds) == ("00", "000000000101", True)
    assert [row["amount"] for row in host.view()["payments"]] == [100, 100]


def test_html_is_no_frame(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "html"
    till.send(sale(till, card))
    assert till.line and till.line.recv(4).startswith(b"HTTP")
    assert host.view()["payments"] == []


def test_late_commits_first(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "late 50"
    assert till.ask(sale(till, card)).code == "00"
    assert host.mood == "late 50"


def test_slow_still_answers(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "slow 20"
    assert till.ask(sale(till, card)).code == "00"


def test_decline_means_05_unless_told(host: Host) -> None:
    host.mood = "decline"
    assert host.mood == "decline 05"


@pytest.mark.parametrize("text", ["", "angry", "decline 5", "slow x", "slow 9999999", "html 3", "decline 0\n5"])
def test_no_such_mood(host: Host, text: str) -> None:
    with pytest.raises(SetupError):
        host.mood = text
    assert host.mood == "normal"


def test_a_host_that_dawdles_stops_at_once(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "late 600000"
    till.send(sale(till, card))
    while not host.view()["accounts"]["card receivable"]:
        pass
    host.stop()
    with pytest.raises((EOFError, ConnectionError)):
        till.receive()
