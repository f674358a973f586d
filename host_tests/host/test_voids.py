# SPDX-License-Identifier: MIT
"""Voids at the host: full amount, once, open batch only; also repeated, reversed, and with false data."""

from __future__ import annotations

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import owed
from host_tests.harness.host.terminal import Record, Terminal, element
from tools.sim.host import Host


def sold(till: Terminal, card: Card, amount: int = 1250) -> Record:
    record = till.record(amount, card.tap(amount), kind=0x52)
    assert till.ask(till.sale(record)).code == "00"
    return record


def void_record(till: Terminal, sale: Record, amount: int | None = None) -> Record:
    body = b"\xdf\x02\x10" + sale.uid
    value = int(sale.amount.hex()) if amount is None else amount
    return till.record(value, body, kind=0x52, type=0x23, at_42=b"\0", at_48=sale.raw[48:53], at_54=b"\0\1")


def frame(till: Terminal, record: Record, sale: Record, mti: int = 0x0200, **replace: bytes) -> bytes:
    named = {"de_3": b"\x20\0\0", "de_22": b"\0\x20", "de_61": element(61, sale.batch + sale.stan, 12)}
    return till.payment(mti, "23", record, **{**named, **replace})


def test_a_void_takes_back_the_sale_and_a_repeat_gets_the_same_answer(host: Host, till: Terminal, card: Card) -> None:
    sale = sold(till, card)
    record = void_record(till, sale)
    first = till.ask(frame(till, record, sale))
    again = till.ask(frame(till, record, sale))  # the answer was lost
    assert first.code == "00", first.text
    assert (first.code, again.code, first.elements[37]) == ("00", "00", again.elements[37])
    assert owed(host) == 0 and len(host.view()["payments"]) == 2


def test_a_sale_is_voided_once(host: Host, till: Terminal, card: Card) -> None:
    sale = sold(till, card)
    assert till.ask(frame(till, void_record(till, sale), sale)).code == "00"
    assert till.ask(frame(till, void_record(till, sale), sale)).code == "12"
    assert owed(host) == 0


def test_after_a_reversed_void_the_sale_can_be_voided_again(host: Host, till: Terminal, card: Card) -> None:
    sale = sold(till, card)
    record = void_record(till, sale)
    assert till.ask(frame(till, record, sale)).code == "00"
    undo = {"de_39": b"98", "de_61": element(61, record.batch + record.stan, 12)}
    for _ in range(2):
        assert till.ask(frame(till, record, sale, 0x0400, **undo)).code == "00"
    assert owed(host) == 1250
    assert till.ask(frame(till, void_record(till, sale), sale)).code == "00"
    assert owed(host) == 0


def test_a_void_that_arrives_after_its_reversal_is_refused(host: Host, till: Terminal, card: Card) -> None:
    sale = sold(till, card)
    record = void_record(till, sale)
    undo = {"de_39": b"98", "de_61": element(61, record.batch + record.stan, 12)}
    assert till.ask(frame(till, record, sale, 0x0400, **undo)).code == "25"
    assert till.ask(frame(till, record, sale)).code == "12"
    assert owed(host) == 1250


@pytest.mark.parametrize("lie", ["unknown", "other trace", "other amount", "processing code", "a void", "declined"])
def test_a_void_that_names_no_voidable_sale_is_refused(host: Host, till: Terminal, card: Card, lie: str) -> None:
    sale = sold(till, card)
    record, named, more, code = void_record(till, sale), sale, {}, "25"
    if lie == "unknown":
        named = till.record(1250, b"", kind=0x52)
        record = void_record(till, named)
    elif lie == "other trace":
        more = {"de_61": element(61, sale.batch + b"\x99\x99\x99", 12)}
    elif lie == "other amount":
        record, code = void_record(till, sale, 1000), "64"
    elif lie == "processing code":
        more, code = {"de_3": bytes(3)}, "12"
    elif lie == "a void":
        assert till.ask(frame(till, record, sale)).code == "00"
        named, record = record, void_record(till, record)
    else:
        named = till.record(777, card.tap(778), kind=0x52)  # the card's amount differs
        assert till.ask(till.sale(named)).code == "64"
        record, code = void_record(till, named), "12"
    assert till.ask(frame(till, record, named, **more)).code == code
    assert owed(host) == (0 if lie == "a void" else 1250)
