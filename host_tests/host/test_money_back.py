# SPDX-License-Identifier: MIT
"""Refunds by the original means: code payments by their wallet, up to their amount; cash from the drawer; never twice."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Answer, Record, Terminal, element
from host_tests.host.test_upload import by_code, differs, end, owed, result, upload
from tools.host.errors import IssuerFault
from tools.host.keys import seal
from tools.host.store.schema import payment
from tools.host.transactions import rrn
from tools.host.wire import kinds
from tools.sim.host import Host
from tools.sim.issuer import IssuerSimulator

PAID = 990  # the amount that by_code pays


def about(original: Record) -> bytes:
    """The body that names a payment of the open batch."""
    return b"\xdf\x02\x10" + original.uid


def reference(slip: bytes) -> bytes:
    """The body for a typed reference number from a receipt."""
    return b"\xdf\x04\x06" + bytes.fromhex(slip.decode())


def back(till: Terminal, amount: int, body: bytes, type: int = 0x76) -> Record:
    record = till.record(amount, body, kind=0x51 if type == 0x77 else 0x52, type=type, at_42=b"\0", at_48=bytes(5))
    record.entry = b"\0\x20"
    return record


def ask(till: Terminal, record: Record, original: Record | None = None, type: str = "76") -> Answer:
    named = {"de_61": element(61, original.batch + original.stan, 12)} if original else {}
    return till.ask(till.payment(0x0220, type, record, de_3=b"\x20\0\0", **named))


def paid(till: Terminal) -> tuple[Record, bytes]:
    """A code payment and its reference."""
    record = by_code(till)
    return record, till.ask(till.payment(0x0200, "74", record)).elements[37]


def paid_in_cash(till: Terminal) -> bytes:
    """Make a cash sale; returns its reference."""
    return till.ask(till.cash(till.record(1250, kind=0x51, type=0x71))).elements[37]


def original_of(host: Host, record: Record) -> str | None:
    with host.ledger.read() as db:
        return db.execute(payment.select().where(payment.c.uid == record.uid.hex())).one().original


def accounts(host: Host) -> dict[str, int]:
    return host.view()["accounts"]


def test_a_code_payment_is_refunded_once_by_its_wallet(host: Host, till: Terminal) -> None:
    code, _ = paid(till)
    record = back(till, PAID, about(code))
    first, again = ask(till, record, code), ask(till, record, code)
    assert (first.code, again.code, again.elements[37]) == ("00", "00", first.elements[37]), first.text
    assert host.wallet.paid == {code.uid: 0} and owed(host) == 0 == accounts(host)["wallet receivable"]
    assert original_of(host, record) == code.uid.hex()
    assert ask(till, back(till, PAID, about(code)), code).code == "61"
    batch = host.view()["batches"][0]
    assert (batch["qr_amount"], batch["qr_count"], batch["amount"]) == (0, 2, 0)
    assert result(till, 0, 0) == "1"


def test_parts_of_a_code_payment_are_refunded_by_its_reference(host: Host, till: Terminal) -> None:
    code, slip = paid(till)
    assert ask(till, back(till, 600, reference(slip))).code == "00"
    assert ask(till, back(till, 391, reference(slip))).code == "61"
    assert ask(till, back(till, PAID, about(code)), code).code == "61", "less is left"
    assert result(till, 0, 0) == "1"
    till.batch += 1
    assert ask(till, back(till, 390, reference(slip))).code == "00", "the payment is in a closed batch"
    assert host.wallet.paid == {code.uid: 0} and owed(host) == 0


@pytest.mark.parametrize(
    "what", ["nothing of that reference", "a card's", "another DE 61", "not paid", "no name at all"]
)
def test_a_refund_that_names_no_paid_code_payment_is_refused(host: Host, till: Terminal, card: Card, what: str) -> None:
    code, slip = paid(till)
    before = dict(host.wallet.paid)
    sale = till.record(700, card.tap(700), kind=0x52)
    bought = till.ask(till.sale(sale)).elements[37]
    if what == "nothing of that reference":
        answer = ask(till, back(till, 100, reference(b"%012d" % (int(slip) + 99))))
    elif what == "a card's":
        answer = ask(till, back(till, 100, reference(bought)))
    elif what == "another DE 61":
        answer = ask(till, back(till, PAID, about(code)), sale)
    elif what == "not paid":
        assert till.ask(till.reversal(code, "74")).code == "00"
        host.wait_until_told()
        before = {}
        answer = ask(till, back(till, PAID, about(code)), code)
    else:
        answer = ask(till, back(till, 100, b""))
    assert answer.code == ("12" if what == "not paid" else "25"), answer.text
    assert host.wallet.paid == before and owed(host) == 700 + sum(before.values())


def test_a_refund_is_repeated_after_the_wallet_was_unreachable(
    host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, slip = paid(till)
    record = back(till, 500, reference(slip))

    async def down(_: object) -> None:
        raise IssuerFault("down")

    with monkeypatch.context() as patch:
        patch.setattr(host.wallet, "give_back", down)
        assert ask(till, record).code == "91"
        assert ask(till, back(till, 500, reference(slip))).code == "61", "the undecided refund counts"
    assert owed(host) == PAID
    assert ask(till, record).code == "00"
    assert host.wallet.paid == {code.uid: PAID - 500} and owed(host) == PAID - 500


def test_a_cash_refund_is_always_accepted_and_an_unfounded_one_is_an_alarm(host: Host, till: Terminal) -> None:
    cash = till.record(1250, kind=0x51, type=0x71)
    assert till.ask(till.cash(cash)).code == "00"
    record = back(till, 1250, about(cash), 0x77)
    assert ask(till, record, cash, "77").code == "00" == ask(till, record, cash, "77").code
    assert original_of(host, record) == cash.uid.hex() and not host.view()["alarms"]
    assert ask(till, back(till, 300, b"", 0x77), type="77").code == "00"
    assert not host.view()["alarms"]
    again = back(till, 1250, about(cash), 0x77)
    assert ask(till, again, cash, "77").code == "00", "the cash has left the drawer"
    assert host.view()["alarms"][0]["what"] == "cash given back that was not taken"
    assert accounts(host)["cash in till"] == 1250 - 1250 - 300 - 1250 and owed(host) == 0
    assert result(till, 0, 0) == "1"


def test_a_sale_that_was_refunded_cannot_be_voided_too(host: Host, till: Terminal, card: Card) -> None:
    sale = till.record(1250, card.tap(1250), kind=0x52)
    bought = till.ask(till.sale(sale)).elements[37]
    refund = till.record(250, card.tap(250) + reference(bought), kind=0x52, type=0x25)
    assert till.ask(till.payment(0x0220, "25", refund, de_3=b"\x20\0\0")).code == "00"
    answer = voided(till, sale)
    assert (answer.code, answer.text) == ("12", "Refunded already, or a part of it")
    assert owed(host) == 1000


@pytest.mark.on_sqlite("copies its file")
def test_a_payment_lost_and_uploaded_again_keeps_the_reference_on_its_receipt(
    new_host: Callable[[], Host], host: Host, till: Terminal
) -> None:
    backup = (host.home / "host.db").with_suffix(".copy")
    with closing(sqlite3.connect(host.ledger.path)) as source, closing(sqlite3.connect(backup)) as copy:
        source.backup(copy)
    code, slip = paid(till)
    till.hang_up()
    host.stop()
    for file in host.home.glob("host.db*"):
        file.unlink()
    backup.rename(host.ledger.path)
    host = new_host()
    till.connect(host.port, host.home)
    assert result(till, 1, 1) == "2" and owed(host) == 0
    assert upload(till, code, type="74").code == "00" and end(till, 1).code == "00"
    assert host.view()["payments"][0]["rrn"].encode() == slip
    till.batch += 1
    assert ask(till, back(till, PAID, reference(slip))).code == "00"
    assert owed(host) == 0


def test_no_reference_is_used_twice(host: Host, till: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """If two uids give the same eight digits, the later payment gets other digits."""
    numbers = iter((7, 7, 8, 7, 8, 9))
    monkeypatch.setattr(rrn, "_digits", lambda uid, attempt: next(numbers))
    slips = [paid_in_cash(till) for _ in range(3)]
    assert [slip[4:] for slip in slips] == [b"00000007", b"00000008", b"00000009"]


def test_uploaded_refunds_count_against_their_originals(host: Host, till: Terminal, card: Card) -> None:
    code, code_slip = paid(till)
    cash = till.record(1250, kind=0x51, type=0x71)
    assert till.ask(till.cash(cash)).code == "00"
    sale = till.record(2000, card.tap(2000), kind=0x52)
    bought = till.ask(till.sale(sale)).elements[37]
    lost = {  # the host answered these, then lost its disk
        "76": back(till, 600, reference(code_slip)),
        "77": back(till, 1250, about(cash), 0x77),
        "25": till.record(1500, card.tap(1500) + reference(bought), kind=0x52, type=0x25),
    }
    assert result(till, 2001, 1) == "2"
    everything = {"74": code, "71": cash, "22": sale, **lost}
    assert [upload(till, one, type=kind).code for kind, one in everything.items()] == ["00"] * 6
    assert end(till, 6).code == "00"
    assert [original_of(host, one) for one in lost.values()] == [one.uid.hex() for one in (code, cash, sale)]
    assert owed(host) == (PAID - 600) + (2000 - 1500) and accounts(host)["cash in till"] == 0
    till.batch += 1
    assert ask(till, back(till, PAID - 599, reference(code_slip))).code == "61"
    more = till.record(501, card.tap(501) + reference(bought), kind=0x52, type=0x25)
    assert till.ask(till.payment(0x0220, "25", more, de_3=b"\x20\0\0")).code == "61"


def voided(till: Terminal, sale: Record) -> Answer:
    record = till.record(1250, about(sale), kind=0x52, type=0x23, at_42=b"\0", at_48=sale.raw[48:53])
    record.entry = b"\0\x20"
    named = element(61, sale.batch + sale.stan, 12)
    return till.ask(till.payment(0x0200, "23", record, de_3=b"\x20\0\0", de_61=named))


def test_a_refunded_or_voided_payment_is_not_reversed(host: Host, till: Terminal, card: Card) -> None:
    """A terminal that asks for this has lost an approval, so it is quarantined."""
    code, slip = paid(till)
    assert ask(till, back(till, 400, reference(slip))).code == "00"
    sale = till.record(1250, card.tap(1250), kind=0x52)
    assert till.ask(till.sale(sale)).code == "00" == voided(till, sale).code
    for record, kind in ((code, "74"), (sale, "22")):
        answer = till.ask(till.reversal(record, kind))
        assert (answer.code, answer.text) == ("12", "Another payment is about it")
        assert upload(till, record, paid=False, type=kind).code == "12"
    assert host.wallet.paid == {code.uid: PAID - 400} and owed(host) == PAID - 400
    assert "after another payment named it" in host.view()["terminals"][0]["quarantine"]


@pytest.mark.parametrize("type", sorted(set(kinds.KINDS) - kinds.REVERSED))
def test_a_kind_that_is_repeated_instead_of_reversed_cannot_be_reversed(host: Host, till: Terminal, type: str) -> None:
    code, slip = paid(till)
    record = back(till, 400, reference(slip))
    assert ask(till, record).code == "00"
    till.send(till.reversal(record, type))
    assert till.line is not None and till.line.recv(1) == b"", "the connection ends"
    assert host.wallet.paid == {code.uid: PAID - 400} and owed(host) == PAID - 400


def test_a_cash_refund_for_a_sale_that_was_not_approved_is_an_alarm(host: Host, till: Terminal) -> None:
    cash = till.record(1250, kind=0x51, type=0x71)
    assert till.ask(till.payment(0x0220, "71", cash, de_4=bytes.fromhex("000000001251"))).code == "64"
    record = back(till, 1250, about(cash), 0x77)
    assert ask(till, record, cash, "77").code == "00" and original_of(host, record) is None
    assert host.view()["alarms"][0]["what"] == "cash given back that was not taken"


def test_a_refund_decided_by_an_upload_counts_against_its_sale(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = till.record(2000, card.tap(2000), kind=0x52)
    bought = till.ask(till.sale(sale)).elements[37]
    refund = till.record(1500, card.tap(1500) + reference(bought), kind=0x52, type=0x25)

    async def down(*_: object) -> None:
        raise IssuerFault("down")

    with monkeypatch.context() as patch:
        patch.setattr(IssuerSimulator, "decide", down)
        assert till.ask(till.payment(0x0220, "25", refund, de_3=b"\x20\0\0")).code == "91"
    differs(till)
    assert upload(till, refund, type="25").code == "00"
    assert original_of(host, refund) == sale.uid.hex() and owed(host) == 500
    more = till.record(501, card.tap(501) + reference(bought), kind=0x52, type=0x25)
    assert till.ask(till.payment(0x0220, "25", more, de_3=b"\x20\0\0")).code == "61"


def test_an_uploaded_refund_of_an_unknown_payment_is_held(host: Host, till: Terminal, card: Card) -> None:
    """It is checked as online, where it would be declined: it is not on the books, and people have to look at it."""
    sale = till.record(2000, card.tap(2000), kind=0x52)
    slip = rrn._number(seal.parse(sale.raw), 0).encode()
    refund = till.record(1500, card.tap(1500) + reference(slip), kind=0x52, type=0x25)
    differs(till)
    assert upload(till, refund, type="25").code == "12" and owed(host) == 0
    assert "uploaded as paid, but held: No such payment of this card" in {one["what"] for one in host.view()["alarms"]}
