# SPDX-License-Identifier: MIT
"""Checks come before anybody outside is asked, and whatever comes to nothing is undone there."""

from __future__ import annotations

import asyncio

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import alarms, books, rows
from host_tests.harness.host.terminal import Answer, Record, Terminal, element
from host_tests.host.test_voids import frame, sold, void_record
from tools.host.errors import IssuerFault
from tools.host.outside import outbox
from tools.host.outside.issuer import Decision, Payment
from tools.sim.host import Host

LATER = {"de_25": b"\6"}  # pre-authorisations and what follows them


def asked(host: Host, monkeypatch: pytest.MonkeyPatch) -> list[Payment]:
    """Every payment that the issuer is asked about from now on."""
    seen: list[Payment] = []
    decide = host.simulator.decide

    async def note(payment: Payment) -> Decision:
        seen.append(payment)
        return await decide(payment)

    monkeypatch.setattr(host.service._issuer, "decide", note)
    return seen


def refund(till: Terminal, card: Card, amount: int, slip: bytes = b"") -> Answer:
    reference = b"\xdf\x04\6" + bytes.fromhex(slip.decode()) if slip else b""
    record = till.record(amount, card.tap(amount) + reference, kind=0x52, type=0x25)
    return till.ask(till.payment(0x0220, "25", record, de_3=b"\x20\0\0"))


def held(till: Terminal, card: Card, amount: int) -> bytes:
    """A pre-authorisation; its authorisation code."""
    record = till.record(amount, card.tap(amount), kind=0x52, type=0x10)
    answer = till.ask(till.payment(0x0100, "10", record, de_3=b"\3\0\0", **LATER))
    assert answer.code == "00", answer.text
    return answer.elements[38]


def complete(till: Terminal, card: Card, amount: int, code: bytes) -> tuple[Record, Answer]:
    record = till.record(amount, card.tap(amount) + b"\x89\6" + code, kind=0x52, type=0x20)
    return record, till.ask(till.payment(0x0200, "20", record, **LATER))


def void_completion(
    till: Terminal, completion: Record, mti: int = 0x0200, record: Record | None = None
) -> tuple[Record, Answer]:
    if record is None:
        body = b"\xdf\x02\x10" + completion.uid
        more = {"at_42": b"\0", "at_48": completion.raw[48:53], "at_54": b"\0\1"}
        record = till.record(int(completion.amount.hex()), body, kind=0x52, type=0x21, **more)
    named = {"de_3": b"\x20\0\0", "de_22": b"\0\x20", "de_61": element(61, completion.batch + completion.stan, 12)}
    if mti == 0x0400:
        named |= {"de_39": b"98", "de_61": element(61, record.batch + record.stan, 12)}
    return record, till.ask(till.payment(mti, "21", record, **named, **LATER))


def outside(host: Host) -> int:
    """What the issuer has to the merchant's credit, minor units."""
    host.wait_until_told()
    return sum(host.simulator.held.values())


def test_a_refund_of_more_than_was_paid_never_reaches_the_issuer(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = till.record(3000, card.tap(3000), kind=0x52)
    slip = till.ask(till.sale(record)).elements[37]
    seen = asked(host, monkeypatch)
    assert refund(till, card, 900_000, slip).code == "61"
    assert refund(till, card, 3000, b"000000000000").code == "25"
    assert seen == [] and outside(host) == 3000
    assert refund(till, card, 1000, slip).code == "00"
    assert len(seen) == 1 and outside(host) == 2000 and books(host)[0] == 2000


def test_refunds_without_a_reference_have_one_limit_together(host: Host, till: Terminal, card: Card) -> None:
    assert refund(till, card, 600_000).code == "00"
    assert refund(till, card, 400_001).code == "61"
    assert refund(till, card, 400_000).code == "00"
    assert refund(till, card, 1).code == "61"
    assert books(host)[0] == -1_000_000


def test_the_issuer_is_told_of_voids_and_reversals(host: Host, till: Terminal, card: Card) -> None:
    first, second = sold(till, card, 1250), sold(till, card, 800)
    assert outside(host) == 2050
    void = void_record(till, first)
    assert till.ask(frame(till, void, first)).code == "00"
    assert outside(host) == 800
    undo = {"de_39": b"98", "de_61": element(61, void.batch + void.stan, 12)}
    assert till.ask(frame(till, void, first, 0x0400, **undo)).code == "00"
    assert outside(host) == 2050, "a sale whose void was reversed is still a sale"
    assert till.ask(till.reversal(second)).code == "00"
    assert outside(host) == 1250 == books(host)[0]


def test_what_the_issuer_does_not_hear_is_told_until_it_answers(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = sold(till, card, 1250)
    undo = host.simulator.undo

    async def down(tid: str, uid: bytes) -> None:
        raise IssuerFault("no line")

    with monkeypatch.context() as patch:
        patch.setattr(host.service.messenger._issuer, "undo", down)
        assert till.ask(till.reversal(sale)).code == "00"
        while rows(host, "SELECT trouble FROM outbox") != [("no line",)]:
            pass
    assert undo and sale.uid in host.simulator.held and books(host)[0] == 0
    with host.ledger.write() as db:
        outbox.hurry(db)
    assert outside(host) == 0 and sale.uid in host.simulator.undone


def test_an_answer_that_comes_too_late_is_undone(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The issuer says yes after the host gave up waiting; the terminal reverses, as it had no answer."""
    monkeypatch.setattr("tools.host.transactions.service._ISSUER_WAIT", 0.2)
    decide = host.simulator.decide

    async def slow(payment: Payment) -> Decision:
        said = await decide(payment)
        await asyncio.sleep(60)
        return said

    monkeypatch.setattr(host.service._issuer, "decide", slow)
    record = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.sale(record)).code == "98"
    assert sum(host.simulator.held.values()) == 1250, "it is unknown here, and held there"
    assert till.ask(till.reversal(record)).code == "00"
    assert outside(host) == 0 == books(host)[0]


def test_a_pre_authorisation_is_captured_once_whatever_is_undone(host: Host, till: Terminal, card: Card) -> None:
    """Complete, void the completion, complete again: now the void cannot be reversed any more."""
    code = held(till, card, 5000)
    first, answer = complete(till, card, 5000, code)
    assert answer.code == "00"
    assert complete(till, card, 5000, code)[1].code == "12"
    void, answer = void_completion(till, first)
    assert answer.code == "00", answer.text
    second, answer = complete(till, card, 4000, code)
    assert answer.code == "00"
    _, answer = void_completion(till, first, 0x0400, void)
    assert (answer.code, answer.text) == ("12", "Something was done because of it")
    assert any(what == "quarantine" for what in alarms(host))
    assert books(host)[0] == 4000 and outside(host) == 4000
    assert second.uid in host.simulator.held


@pytest.mark.parametrize("type", [0x22, 0x71])
def test_a_payment_of_nothing_is_refused(host: Host, till: Terminal, card: Card, type: int) -> None:
    record = till.record(0, card.tap(0) if type == 0x22 else b"", kind=0x52, type=type)
    answer = till.ask(till.sale(record) if type == 0x22 else till.cash(record))
    assert (answer.code, answer.text) == ("12", "No amount") and outside(host) == 0


def test_a_payment_of_a_batch_that_was_never_opened(host: Host, till: Terminal, card: Card) -> None:
    """Online it is refused. Taken without the host, it counts in the open batch, with an alarm: no money is lost."""
    till.batch = 777
    record = till.record(1250, card.tap(1250), kind=0x52)
    answer = till.ask(till.sale(record))
    assert (answer.code, answer.text) == ("12", "Batch 000001 is open")
    deferred = till.record(900, card.tap(900))
    assert till.ask(till.sale(deferred, deferred=True)).code == "00"
    assert "payment for a batch that was never opened" in alarms(host)
    assert rows(host, "SELECT settled_in FROM payment WHERE state = 'APPROVED'") == [("000001",)]
    assert books(host)[0] == 900


def test_an_authorisation_code_that_cannot_be_sent_is_left_out(host: Host, till: Terminal, card: Card) -> None:
    record = till.record(1250, card.tap(1250) + b"\x89\6\xc3\xa9\xff\0\1\2", kind=0x52)
    answer = till.ask(till.sale(record))
    assert answer.code == "00" and 38 not in answer.elements
    assert till.ask(till.sale(record)).content == answer.content and books(host)[0] == 1250


def test_a_record_of_an_unknown_type_is_refused_and_stored_nowhere(host: Host, till: Terminal, card: Card) -> None:
    for type in (0x70, 0x72, 0x99):
        record = till.record(1250, card.tap(1250), type=type)
        assert till.ask(till.sale(record)).code == "30"
        assert till.ask(till.void(record)).code == "30"
    assert host.view()["payments"] == [] and rows(host, "SELECT count(*) FROM link") == [(0,)]


def test_a_card_is_proven_once_for_each_of_its_counters(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = card.tap(1250)
    assert till.ask(till.sale(till.record(1250, body, kind=0x52))).code == "00"
    seen = asked(host, monkeypatch)
    assert till.ask(till.sale(till.record(1250, body, kind=0x52))).code == "59"
    assert seen == [] and books(host)[0] == 1250
