# SPDX-License-Identifier: MIT
"""A rolled-back or cloned chip: seen, told, quarantined; its payments are kept, none refused for it."""

import copy

from host_tests.host.card import Card
from host_tests.host.terminal import Answer, Terminal
from tools.host.app import Host


def state(answer: Answer) -> int:
    return answer.elements[62][1]


def quarantine(host: Host) -> str | None:
    return host.view()["terminals"][0]["quarantine"]


def back_in_time(till: Terminal) -> Terminal:
    """The chip as it is now, to be used later: an attacker's copy. It shares no connection."""
    line, till.line = till.line, None
    clone = copy.deepcopy(till)
    till.line = line
    return clone


def test_terminal_behind_is_told_and_quarantined(host: Host, till: Terminal, card: Card) -> None:
    old = back_in_time(till)
    till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True))
    old.counter = till.counter  # its message keys are fresh, its journal is not
    old.connect(host.port, host.home)
    assert state(old.ask(old.handshake())) == 1
    assert "journal ends at 0" in str(quarantine(host))
    old.hang_up()


def test_stale_handshake_is_answered_with_state_1(host: Host, till: Terminal, card: Card) -> None:
    old = back_in_time(till)
    till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True))
    old.counter -= 1
    old.connect(host.port, host.home)
    assert state(old.ask(old.handshake())) == 1
    assert quarantine(host) == "its message keys were used before"
    old.hang_up()


def test_same_sequence_with_another_tag_is_a_clone(host: Host, till: Terminal, card: Card) -> None:
    clone = back_in_time(till)
    till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True))
    clone.record(600, card.tap(600))
    clone.counter = till.counter
    clone.connect(host.port, host.home)
    assert state(clone.ask(clone.handshake())) == 1
    clone.hang_up()


def test_payments_of_a_clone_are_kept_and_quarantined(host: Host, till: Terminal, card: Card) -> None:
    clone = back_in_time(till)
    till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True))
    twin = clone.record(600, card.tap(600))  # same sequence, STAN and body key, another uid
    clone.counter = till.counter
    clone.connect(host.port, host.home)
    assert clone.ask(clone.sale(twin, deferred=True)).code == "00"
    accounts = host.view()["accounts"]
    assert (accounts["merchant payable"], accounts["quarantine"]) == (-1250, -600)
    assert [payment["quarantined"] for payment in host.view()["payments"]] == [True, False]
    answer = clone.ask(clone.close(1850, 2))
    assert answer.elements[48].hex()[30] == "3" and "supervisor" in answer.text
    clone.hang_up()


def test_supervisor_releases_the_money_and_a_new_epoch_begins(host: Host, till: Terminal, card: Card) -> None:
    test_payments_of_a_clone_are_kept_and_quarantined(host, till, card)
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    accounts = host.view()["accounts"]
    assert (accounts["merchant payable"], accounts["quarantine"]) == (-1850, 0)
    till.counter += 1000
    answer = till.ask(till.handshake())
    assert state(answer) == 0 and int.from_bytes(answer.elements[62][2:4], "big") == 2


def test_a_broken_link_is_seen_from_either_side(host: Host, till: Terminal, card: Card) -> None:
    first = till.record(100, card.tap(100))
    till.head = bytes(8)  # the next record names no predecessor
    second = till.record(200, card.tap(200))
    for record in (second, first):
        assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert "the chain does not hold" in str(quarantine(host))


def test_one_flipped_bit_costs_one_record(host: Host, till: Terminal, card: Card) -> None:
    records = [till.record(100, card.tap(100)) for _ in range(3)]
    rotten = bytearray(records[1].raw)
    rotten[100] ^= 4
    records[1].raw = bytes(rotten)
    codes = [till.ask(till.sale(record, deferred=True)).code for record in records]
    assert codes == ["00", "30", "00"] and quarantine(host) is None
    assert till.ask(till.close(200, 2)).elements[48].hex()[30] == "1"


def test_rot_in_the_tag_itself_leaves_the_chain_whole(host: Host, till: Terminal, card: Card) -> None:
    records = [till.record(100, card.tap(100)) for _ in range(2)]
    rotten = bytearray(records[0].raw)
    rotten[244] ^= 4
    records[0].raw = bytes(rotten)
    codes = [till.ask(till.sale(record, deferred=True)).code for record in records]
    assert codes == ["30", "00"] and quarantine(host) is None


def test_a_record_that_cannot_be_read_does_not_jam_the_queue(host: Host, till: Terminal, card: Card) -> None:
    rotten, sound = till.record(100, card.tap(100)), till.record(100, card.tap(100))
    header = bytearray(rotten.raw)
    header[48] = 0xAB  # no digit
    rotten.raw = bytes(header)
    assert [till.ask(till.sale(record, deferred=True)).code for record in (rotten, sound)] == ["30", "00"]
    assert till.ask(till.reversal(rotten)).code == "30"
    assert host.view()["terminals"][0]["gaps"] == [(1, 1)]


def test_epoch_nobody_began_is_suspect(host: Host, till: Terminal, card: Card) -> None:
    till.ask(till.sale(till.record(100, card.tap(100))))
    assert state(till.ask(till.handshake(epoch=2))) == 1


def test_first_contact_brings_its_own_epoch(host: Host, till: Terminal) -> None:
    assert state(till.ask(till.handshake(epoch=7))) == 0
    assert host.view()["terminals"][0]["epoch"] == 7
