# SPDX-License-Identifier: MIT
"""A repeated request gets the same answer; a different one with the same uid is refused; reversals win any race."""

from collections.abc import Callable

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal, derive, mac
from tools.sim.host import Host


def states(host: Host) -> list[str]:
    return [payment["state"] for payment in host.view()["payments"]]


def alarms(host: Host) -> set[str]:
    return {alarm["what"] for alarm in host.view()["alarms"]}


def test_a_repeat_gets_the_stored_answer_in_a_fresh_envelope(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250))
    first, second = till.ask(till.sale(record, deferred=True)), till.ask(till.sale(record, deferred=True))
    assert first.content == second.content and first.code == "00"
    assert first.elements[53] != second.elements[53] and first.elements[64] != second.elements[64]
    assert host.view()["accounts"]["terminal clearing"] == -1250


def test_a_repeat_is_answered_after_a_restart(
    new_host: Callable[[], Host], till: Terminal, host: Host, card: Card
) -> None:
    record = till.record(1250, card.tap(1250))
    first = till.ask(till.sale(record))
    host.stop()
    again = new_host()
    till.connect(again.port, again.home)
    assert till.ask(till.sale(record)).content == first.content


def test_an_answer_lost_after_the_commit_is_sent_to_the_repeat(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "cut"
    record = till.record(1250, card.tap(1250))
    till.send(till.sale(record))
    with pytest.raises((EOFError, ConnectionError)):
        till.receive()
    assert states(host) == ["APPROVED"]
    host.mood = "normal"
    till.connect(host.port, host.home)
    assert till.ask(till.sale(record)).code == "00"
    assert host.view()["accounts"]["terminal clearing"] == -1250


def test_the_status_nibble_is_not_content(till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250))
    first = till.ask(till.sale(record))
    frame = till.sale(record)
    test_mode = bytearray(frame[2:-8])
    test_mode[7] |= 0x10
    tagged = bytes(test_mode) + mac(derive(0x2000, till.counter), bytes(test_mode[5:]))
    assert till.ask(till.wrap(tagged)).content == first.content


def test_the_same_uid_with_another_amount_is_refused_and_alarmed(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250))
    till.ask(till.sale(record))
    answer = till.ask(till.sale(record, de_4=bytes.fromhex("000000009999")))
    assert answer.code == "94"
    assert "same uid, other content" in alarms(host)
    assert host.view()["accounts"]["terminal clearing"] == -1250


def test_a_stan_used_twice_in_a_batch_is_refused_and_alarmed(host: Host, till: Terminal, card: Card) -> None:
    till.ask(till.sale(till.record(1250, card.tap(1250))))
    till.stan -= 1
    answer = till.ask(till.sale(till.record(700, card.tap(700))))
    assert (answer.code, answer.text) == ("30", "STAN used before")
    assert sorted(states(host)) == ["APPROVED", "DECLINED"] and "STAN used before" in alarms(host)


def test_a_declined_payment_stays_declined(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "decline 51"
    record = till.record(1250, card.tap(1250))
    assert till.ask(till.sale(record, deferred=True)).code == "51"
    host.mood = "normal"
    assert till.ask(till.sale(record, deferred=True)).code == "51"


def test_answers_that_are_not_final_are_not_stored(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "decline 91"
    record = till.record(1250, card.tap(1250))
    assert till.ask(till.sale(record, deferred=True)).code == "91"
    assert states(host) == ["RECEIVED"]
    host.mood = "normal"
    assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert states(host) == ["APPROVED"]


def test_a_reversal_takes_the_money_back_once(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250), kind=0x52)
    till.ask(till.sale(record))
    reversal = till.ask(till.reversal(record))
    assert (reversal.mti, reversal.code, reversal.elements[11]) == ("0410", "00", record.stan)
    assert set(reversal.elements) == {3, 4, 11, 12, 13, 25, 39, 41, 42, 49, 53, 60, 63, 64}
    assert till.ask(till.reversal(record)).content == reversal.content
    assert states(host) == ["REVERSED"] and set(host.view()["accounts"].values()) == {0}


def test_a_reversal_before_its_payment_blocks_the_uid(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.reversal(record)).code == "25"
    assert till.ask(till.sale(record)).code == "12"
    assert till.ask(till.sale(record)).code == "12"
    assert till.ask(till.reversal(record)).code == "25"
    assert host.view()["payments"] == [] and set(host.view()["accounts"].values()) == {0}
    assert host.view()["terminals"][0]["gaps"] == []


def test_a_reversal_of_an_undecided_payment_ends_it(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "decline 91"
    record = till.record(1250, card.tap(1250), kind=0x52)
    till.ask(till.sale(record))
    host.mood = "normal"
    assert till.ask(till.reversal(record)).code == "00"
    assert till.ask(till.sale(record)).code == "12"
    assert states(host) == ["REVERSED"] and set(host.view()["accounts"].values()) == {0}


def test_a_reversal_of_a_declined_payment_is_confirmed(host: Host, till: Terminal, card: Card) -> None:
    host.mood = "decline 51"
    record = till.record(1250, card.tap(1250), kind=0x52)
    till.ask(till.sale(record))
    assert till.ask(till.reversal(record)).code == "00"
    assert states(host) == ["DECLINED"]


def test_a_payment_sent_on_two_connections_at_once_is_booked_once(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250))
    other = Terminal(counter=till.counter + 100).connect(host.port, host.home)
    till.send(till.sale(record, deferred=True))
    other.send(other.sale(record, deferred=True))
    answers = [other.receive()]
    while answers[-1].code == "09" and len(answers) < 50:  # the issuer is still deciding for the first connection
        answers.append(other.ask(other.sale(record, deferred=True)))
    other.hang_up()
    assert answers[-1].code == "00"
    assert host.view()["accounts"]["terminal clearing"] == -1250 and states(host) == ["APPROVED"]
