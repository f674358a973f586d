# SPDX-License-Identifier: MIT
"""A rolled-back or cloned chip is detected, reported and quarantined; its payments are kept, not refused."""

import copy

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Answer, Terminal
from tools.host.errors import SetupError
from tools.sim.host import Host


def state(answer: Answer) -> int:
    return answer.elements[62][1]


def quarantine(host: Host) -> str | None:
    return host.view()["terminals"][0]["quarantine"]


def back_in_time(till: Terminal) -> Terminal:
    """An attacker's copy of the current chip, for later use. It has no connection."""
    line, till.line = till.line, None
    clone = copy.deepcopy(till)
    till.line = line
    return clone


def test_a_terminal_with_an_older_journal_is_told_and_quarantined(host: Host, till: Terminal, card: Card) -> None:
    old = back_in_time(till)
    till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True))
    old.counter = till.counter  # its message keys are new, its journal is old
    old.connect(host.port, host.home)
    assert state(old.ask(old.handshake())) == 1
    assert "journal ends at 0" in str(quarantine(host))
    old.hang_up()


def test_a_stale_handshake_is_answered_with_state_1(host: Host, till: Terminal, card: Card) -> None:
    old = back_in_time(till)
    till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True))
    old.counter -= 1
    old.connect(host.port, host.home)
    assert state(old.ask(old.handshake())) == 1
    assert quarantine(host) == "its message keys were used before"
    old.hang_up()


def test_the_same_sequence_with_another_tag_is_a_clone(host: Host, till: Terminal, card: Card) -> None:
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
    twin = clone.record(600, card.tap(600))  # same sequence, STAN and body key, but another uid
    clone.counter = till.counter
    clone.connect(host.port, host.home)
    assert clone.ask(clone.sale(twin, deferred=True)).code == "00"
    accounts = host.view()["accounts"]
    assert (accounts["terminal clearing"], accounts["quarantine"]) == (-1250, -600)
    assert [payment["quarantined"] for payment in host.view()["payments"]] == [True, False]
    answer = clone.ask(clone.close(1850, 2))
    assert answer.elements[48].hex()[30] == "3" and "supervisor" in answer.text
    clone.hang_up()


def test_a_supervisor_releases_the_money_and_a_new_epoch_begins(host: Host, till: Terminal, card: Card) -> None:
    test_payments_of_a_clone_are_kept_and_quarantined(host, till, card)
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    accounts = host.view()["accounts"]
    assert (accounts["terminal clearing"], accounts["quarantine"]) == (-1850, 0)
    till.counter += 1000
    answer = till.ask(till.handshake())
    assert state(answer) == 0 and int.from_bytes(answer.elements[62][2:4], "big") == 2


def test_a_broken_link_is_detected_in_either_order_of_arrival(host: Host, till: Terminal, card: Card) -> None:
    first = till.record(100, card.tap(100))
    till.head = bytes(8)  # the next record names no predecessor
    second = till.record(200, card.tap(200))
    for record in (second, first):
        assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert "the chain does not hold" in str(quarantine(host))


def test_one_flipped_bit_loses_only_its_record(host: Host, till: Terminal, card: Card) -> None:
    records = [till.record(100, card.tap(100)) for _ in range(3)]
    rotten = bytearray(records[1].raw)
    rotten[100] ^= 4
    records[1].raw = bytes(rotten)
    codes = [till.ask(till.sale(record, deferred=True)).code for record in records]
    assert codes == ["00", "30", "00"] and quarantine(host) is None
    assert till.ask(till.close(200, 2)).elements[48].hex()[30] == "1"


def test_a_flipped_bit_in_a_tag_does_not_break_the_chain(host: Host, till: Terminal, card: Card) -> None:
    records = [till.record(100, card.tap(100)) for _ in range(2)]
    rotten = bytearray(records[0].raw)
    rotten[244] ^= 4
    records[0].raw = bytes(rotten)
    codes = [till.ask(till.sale(record, deferred=True)).code for record in records]
    assert codes == ["30", "00"] and quarantine(host) is None


def test_an_unreadable_record_does_not_block_the_queue(host: Host, till: Terminal, card: Card) -> None:
    rotten, sound = till.record(100, card.tap(100)), till.record(100, card.tap(100))
    header = bytearray(rotten.raw)
    header[48] = 0xAB  # not a digit
    rotten.raw = bytes(header)
    assert [till.ask(till.sale(record, deferred=True)).code for record in (rotten, sound)] == ["30", "00"]
    assert till.ask(till.reversal(rotten)).code == "30"
    assert host.view()["terminals"][0]["gaps"] == [(1, 1)]


def test_an_epoch_that_the_host_did_not_begin_is_suspect(host: Host, till: Terminal, card: Card) -> None:
    till.ask(till.sale(till.record(100, card.tap(100))))
    assert state(till.ask(till.handshake(epoch=2))) == 1


def test_at_first_contact_the_host_takes_over_the_terminals_epoch(host: Host, till: Terminal) -> None:
    assert state(till.ask(till.handshake(epoch=7))) == 0
    assert host.view()["terminals"][0]["epoch"] == 7


def begin(host: Host, till: Terminal) -> None:
    """A supervisor clears the terminal, which then starts the new epoch and batch."""
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    till.ask(till.handshake())
    till.epoch, till.batch, till.head = till.epoch + 1, till.batch + 1, bytes(8)


def in_quarantine(host: Host, till: Terminal, card: Card) -> None:
    """One good payment, then one with a broken link."""
    till.ask(till.sale(till.record(1250, card.tap(1250)), deferred=True))
    till.head = bytes(8)
    till.ask(till.sale(till.record(600, card.tap(600)), deferred=True))
    assert quarantine(host)


def test_a_new_epochs_batch_closes_and_the_old_one_with_it(host: Host, till: Terminal, card: Card) -> None:
    in_quarantine(host, till, card)
    begin(host, till)
    assert till.ask(till.sale(till.record(300, card.tap(300)))).code == "00"
    assert till.ask(till.close(300, 1)).elements[48].hex()[30] == "1"
    batches = [(batch["epoch"], batch["number"], batch["state"]) for batch in host.view()["batches"]]
    assert sorted(batches) == [(1, "000001", "closed"), (2, "000002", "closed")]
    assert host.view()["terminals"][0]["gaps"] == [] and quarantine(host) is None


def test_payments_of_the_old_epoch_may_arrive_before_the_new_one_begins(host: Host, till: Terminal, card: Card) -> None:
    in_quarantine(host, till, card)
    late = till.record(700, card.tap(700))
    host.ledger.clear_quarantine("KASSA001", "Ms Li")
    till.ask(till.handshake(sequence=2))
    assert till.ask(till.sale(late, deferred=True)).code == "00" and quarantine(host) is None
    till.epoch, till.batch, till.head = 2, 2, bytes(8)
    assert till.ask(till.sale(till.record(300, card.tap(300)))).code == "00"
    assert till.ask(till.close(300, 1)).elements[48].hex()[30] == "1"


def test_a_chip_from_before_the_new_epoch_is_seen(host: Host, till: Terminal, card: Card) -> None:
    in_quarantine(host, till, card)
    old = back_in_time(till)
    begin(host, till)
    assert state(till.ask(till.handshake())) == 0
    old.counter = till.counter
    old.connect(host.port, host.home)
    answer = old.ask(old.handshake())
    assert state(answer) == 1 and quarantine(host) == "epoch 1 is over, 2 was begun"
    assert old.ask(old.sale(old.record(900, card.tap(900)), deferred=True)).code == "00"
    assert host.view()["accounts"]["quarantine"] == -900
    old.hang_up()


def test_a_new_epoch_begins_without_a_predecessor_and_only_once(host: Host, till: Terminal, card: Card) -> None:
    in_quarantine(host, till, card)
    begin(host, till)
    till.ask(till.sale(till.record(300, card.tap(300))))
    till.head = bytes(8)
    till.ask(till.sale(till.record(400, card.tap(400))))
    assert quarantine(host) == "the chain does not hold at sequence 4"


def test_records_missing_for_good_are_written_off_by_a_supervisor(host: Host, till: Terminal, card: Card) -> None:
    till.record(100, card.tap(100))
    till.ask(till.sale(till.record(200, card.tap(200)), deferred=True))
    assert till.ask(till.close(200, 1)).text == "Record 1 missing"
    begin(host, till)
    till.ask(till.sale(till.record(300, card.tap(300))))
    assert till.ask(till.close(300, 1)).elements[48].hex()[30] == "1"
    with pytest.raises(SetupError):
        host.ledger.clear_quarantine("KASSA001", "Ms Li")


def test_a_handshake_answer_has_the_highest_key_used(host: Host, till: Terminal, card: Card) -> None:
    ahead = back_in_time(till)
    ahead.counter = 5000
    till.ask(till.sale(ahead.record(100, card.tap(100)), deferred=True))
    assert till.ask(till.handshake()).elements[62][23:27] == (5001).to_bytes(4, "big")


def test_a_settled_payment_is_not_reversed(host: Host, till: Terminal, card: Card) -> None:
    """A chip rolled back to before the answer does not know the approval, and asks for a reversal."""
    record = till.record(1250, card.tap(1250), kind=0x52)
    till.ask(till.sale(record))
    assert till.ask(till.close(1250, 1)).elements[48].hex()[30] == "1"
    assert till.ask(till.reversal(record)).code == "12"
    assert host.view()["payments"][0]["state"] == "APPROVED"
    assert host.view()["accounts"]["merchant payable"] == -1250
    assert quarantine(host) == "record 1 is to be reversed after its batch was closed"
