# SPDX-License-Identifier: MIT
"""Sale, cash, void entry and handshake: the answer to the terminal, and the entries in the ledger."""

from typing import Any

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from host_tests.host.conftest import NOON
from tools.host.keys import pki
from tools.sim.host import Host


def only(host: Host) -> dict[str, Any]:
    payments = host.view()["payments"]
    assert len(payments) == 1
    return payments[0]


def test_an_online_sale_is_approved_and_booked(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250), kind=0x52)
    answer = till.ask(till.sale(record))
    assert (answer.mti, answer.code, answer.uid) == ("0210", "00", record.uid)
    assert answer.elements[4] == record.amount and answer.elements[11] == record.stan
    assert len(answer.elements[38].decode()) == 6 and answer.elements[37].isdigit()
    payment = only(host)
    assert (payment["state"], payment["amount"], payment["card"]) == ("APPROVED", 1250, "476173******0011")
    assert host.view()["accounts"] | {"card receivable": 1250, "terminal clearing": -1250} == host.view()["accounts"]


def test_an_answer_has_exactly_the_specified_elements(till: Terminal, card: Card) -> None:
    answer = till.ask(till.sale(till.record(1250, card.tap(1250))))
    assert set(answer.elements) == {3, 4, 11, 12, 13, 25, 37, 38, 39, 41, 42, 49, 53, 60, 63, 64}
    declined = till.ask(till.sale(till.record(1250, card.tap(1251))))
    assert set(declined.elements) == {3, 4, 11, 12, 13, 25, 37, 39, 41, 42, 49, 53, 60, 63, 64}
    assert answer.frame[:5] == bytes.fromhex("6000000003")


def test_deferred_sales_sent_together_are_answered_in_order(host: Host, till: Terminal, card: Card) -> None:
    records = [till.record(100 + n, card.tap(100 + n)) for n in range(40)]
    till.send(*(till.sale(record, deferred=True) for record in records))
    answers = [till.receive() for _ in records]
    assert [(answer.uid, answer.code) for answer in answers] == [(record.uid, "00") for record in records]
    assert host.view()["accounts"]["terminal clearing"] == -sum(100 + n for n in range(40))


def test_deferred_sales_may_arrive_in_any_order(host: Host, till: Terminal, card: Card) -> None:
    records = [till.record(500, card.tap(500)) for _ in range(6)]
    for record in (records[i] for i in (3, 0, 5, 1, 4, 2)):
        assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert host.view()["terminals"][0]["gaps"] == []
    assert host.view()["terminals"][0]["quarantine"] is None


def test_cash_is_booked_to_its_own_accounts(host: Host, till: Terminal) -> None:
    answer = till.ask(till.cash(till.record(900, type=0x71)))
    assert (answer.mti, answer.code) == ("0230", "00")
    assert host.view()["accounts"] | {"cash in till": 900, "cash sales": -900} == host.view()["accounts"]
    assert only(host)["card"] is None


def test_a_void_entry_fills_the_gap_in_the_chain_and_moves_no_money(host: Host, till: Terminal, card: Card) -> None:
    void, sold = till.record(700, card.tap(700), kind=0x52), till.record(300, card.tap(300))
    assert till.ask(till.sale(sold, deferred=True)).code == "00"
    assert host.view()["terminals"][0]["gaps"] == [(1, 1)]
    assert till.ask(till.void(void)).code == "00"
    assert host.view()["terminals"][0]["gaps"] == []
    assert only(host)["amount"] == 300


def test_the_handshake_answer_has_time_batch_and_high_water_mark(till: Terminal, card: Card) -> None:
    record = till.record(100, card.tap(100))
    till.ask(till.sale(record))
    answer = till.ask(till.handshake())
    zone = int(NOON.astimezone().utcoffset().total_seconds()) // 900 & 0xFF
    assert answer.mti == "0810" and answer.code == "00"
    assert answer.elements[62] == bytes.fromhex(
        f"010000010000 0001{record.tag.hex()}20261123120000{till.counter:08x}{zone:02x}"
    )
    assert answer.elements[60].hex() == "000000019000"


def test_an_unknown_terminal_gets_97(host: Host, till: Terminal) -> None:
    till.terminal = b"KASSA999"
    pki.terminal_identity(host.authority, "KASSA999").save(host.home, "unknown")
    till.connect(host.port, host.home, "unknown")
    assert till.ask(till.handshake()).code == "97"
    assert till.ask(till.cash(till.record(900, type=0x71))).code == "97"
    assert host.view()["payments"] == []
