# SPDX-License-Identifier: MIT
"""Two transactions about the same money, the second begun before the first is committed: either order, never half of each."""

from __future__ import annotations

import base64
import datetime
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import counts, rows
from host_tests.harness.host.terminal import Terminal
from host_tests.host.test_checks_first import complete, held, void_completion
from host_tests.host.test_upload import result
from tools.host.books import differences as books_differences
from tools.host.books import full_audit, reconciliation, report_file, totals
from tools.host.errors import IssuerFault
from tools.host.keys import seal
from tools.host.operations import ask_host, closing, reconcile
from tools.host.outside.issuer import Decision, Payment
from tools.host.store.schema import hand_in as handed_in
from tools.host.store.schema import payment
from tools.host.transactions import decisions, idempotency, terminals
from tools.host.wire import as_sent, kinds
from tools.sim.host import Host

_PATIENCE = 20.0  # seconds
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


def differences(host: Host) -> list[str]:
    with host.ledger.read() as db:
        return list(full_audit.differences(db))


def meanwhile(host: Host, first: Callable[[Connection], object], second: Callable[[], Any]) -> list[Any]:
    """Do `first`, and commit it when `second` waits for it or is done. Returns what `second` returned.

    SQLite has one writer, so there `second` waits at its beginning.
    """
    returned: list[Any] = []
    other = threading.Thread(target=lambda: returned.append(second()))
    with host.ledger.write() as db:
        first(db)
        other.start()
        end = time.monotonic() + _PATIENCE
        while not host.ledger.is_sqlite and other.is_alive() and time.monotonic() < end:
            if rows(host, _WAITING) != [(0,)]:
                break
    other.join(_PATIENCE)
    assert returned, "it did not end"
    return returned


async def away(_: Payment) -> Decision:
    raise IssuerFault("away")


def approval(host: Host, till: Terminal, card: Card) -> Callable[[Connection], None]:
    """Take a payment whose issuer does not answer; returns what approves it."""
    sale = till.record(1250, card.tap(1250))
    assert till.ask(till.sale(sale, deferred=True)).code == "91"
    record = seal.parse(sale.raw)
    with host.ledger.read() as db:
        known = terminals.load(db, "KASSA001", lock=False)
    assert known is not None
    booked = decisions.Booked(as_sent.message(known, record, kinds.DEFERRED_SALE), record)

    def approve(db: Connection) -> None:
        answer = decisions.settle(db, datetime.datetime(2026, 11, 23), [(booked, Decision("00"))])[0]
        assert answer is not None and answer["39"] == "00"

    return approve


def test_a_payment_is_approved_while_a_supervisor_clears_its_terminal(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its money must not stay in quarantine, where nobody looks for it any more."""
    monkeypatch.setattr(host.simulator, "decide", away)
    with host.ledger.write() as db:
        db.execute(text("UPDATE terminal SET quarantine = 'why not'"))
    approve = approval(host, till, card)
    meanwhile(host, approve, lambda: host.ledger.clear_quarantine("KASSA001", "Ms Li") or True)
    accounts = host.view()["accounts"]
    assert (accounts["quarantine"], accounts["terminal clearing"]) == (0, -1250) and differences(host) == []


def test_a_payment_is_approved_while_its_batch_is_compared(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when an operator hands it in: it is not in the terminal's totals, so the batch does not close with it."""
    monkeypatch.setattr(host.simulator, "decide", away)
    approve, of_batch = approval(host, till, card), totals.of_batch

    def slow(db: Connection, tid: str, epoch: int, number: str) -> totals.Totals:
        sums = of_batch(db, tid, epoch, number)
        if not host.ledger.is_sqlite:  # where nobody can write now
            with host.ledger.write() as other:
                approve(other)
        return sums

    monkeypatch.setattr(totals, "of_batch", slow)
    assert result(till, 0, 0) == "2"
    monkeypatch.setattr(totals, "of_batch", of_batch)
    assert differences(host) == [] and host.view()["accounts"]["merchant payable"] == 0


def test_a_payment_is_reversed_by_an_operator_while_its_batch_is_closed(host: Host, till: Terminal, card: Card) -> None:
    """A closed batch stays as it is: either the payment is reversed before, or it is not."""
    sale = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.sale(sale)).code == "00"
    wanted = {
        "by": "Ms Li",
        "deferred": [],
        "reverse": [1],
        "records": [[base64.b64encode(sale.raw).decode(), "ended"]],
    }
    [report] = meanwhile(
        host,
        lambda db: closing.run(db, "KASSA001", "Ms Li", despite=False),
        lambda: ask_host.ask(host.home, "hand-in", {**wanted, "terminal": None}),
    )
    assert counts(report) in ({"held": 1}, {"there already": 1})
    assert differences(host) == [] and host.view()["accounts"]["merchant payable"] == -1250


def test_a_void_is_reversed_while_what_it_freed_is_completed_again(host: Host, till: Terminal, card: Card) -> None:
    """The pre-authorisation would be captured twice. The other completion comes from another terminal of the shop."""
    completion, answer = complete(till, card, 1000, held(till, card, 1000))
    void, voided = void_completion(till, completion)
    assert answer.code == voided.code == "00"

    def completed_again(db: Connection) -> None:
        db.execute(select(payment).where(payment.c.type == kinds.PREAUTH).with_for_update()).one()
        first = db.execute(select(payment).where(payment.c.type == kinds.COMPLETION)).one()._asdict()
        other = {"tid": "KASSA002", "uid": "ab" * 16, "state": "RECEIVED", "rrn": None, "atc": None}
        db.execute(payment.insert().values({**first, **other}))

    [reversed_] = meanwhile(host, completed_again, lambda: void_completion(till, completion, 0x0400, void)[1])
    assert reversed_.code == "12", "the void stands: something was done because of it"


def test_two_files_with_the_same_payment_are_reconciled(host: Host, till: Terminal, card: Card) -> None:
    """Its money is received once; the second time is a difference."""
    sale = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.sale(sale)).code == "00"
    uid = sale.uid.hex()

    def first(db: Connection) -> None:
        line = report_file.Line(2, uid, 1250, 0, "2026-11-23")
        reconciliation.Slice(db, "ab" * 32, "card", {uid: ("KASSA001", uid)}, frozenset({uid})).work([line])

    path = host.home / "paid.csv"
    path.write_text(f"reference,amount,day\n{uid},12.50,2026-11-23\n")
    meanwhile(host, first, lambda: reconcile.run(host.ledger, path, "card", "Ms Li"))
    with host.ledger.read() as db:
        assert [(row.what, row.theirs) for row in books_differences.listed(db)] == [("twice", 1250)]
    assert host.view()["accounts"]["card receivable"] == 0


def test_two_operators_hand_in_at_two_hosts(host: Host, till: Terminal, card: Card) -> None:
    """Each hand-in has a number of its own."""
    sale = till.record(1250, card.tap(1250))
    wanted = {"by": "Ms Li", "deferred": [], "reverse": [], "records": [[base64.b64encode(sale.raw).decode(), "open"]]}

    def first(db: Connection) -> None:
        terminals.load(db, "KASSA001")
        row = {"tid": "KASSA001", "number": 1, "at": "2026-11-23", "operator": "Mr Wu", "digest": "ab"}
        db.execute(handed_in.insert().values(row))

    [report] = meanwhile(host, first, lambda: ask_host.ask(host.home, "hand-in", {**wanted, "terminal": None}))
    assert report["number"] == 2 and counts(report) == {"taken in": 1}


def test_a_repeat_that_another_process_answers_meanwhile_gets_the_same_answer(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is stored after the repeat looked for it, and before it looks at the payment."""
    sale = till.record(1250, card.tap(1250))
    first = till.ask(till.sale(sale, deferred=True))
    look, late = idempotency.look, [idempotency.Verdict(seen=True)]

    def too_early(*about: Any) -> idempotency.Verdict:
        return late.pop() if late else look(*about)

    monkeypatch.setattr(idempotency, "look", too_early)
    again = till.ask(till.sale(sale, deferred=True))
    assert not late and again.content == first.content and again.elements[38]
