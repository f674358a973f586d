# SPDX-License-Identifier: MIT
"""Upload of a batch that did not balance: payments missing at the host, payments it should not have, lost answers."""

from __future__ import annotations

import os

import pytest

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import owed
from host_tests.harness.host.terminal import Answer, Record, Terminal, element
from tools.host.wire import kinds
from tools.sim.host import Host

CODE = b"134567890123456788"


def sold(till: Terminal, card: Card, amount: int = 1250) -> Record:
    record = till.record(amount, card.tap(amount), kind=0x52)
    assert till.ask(till.sale(record)).code == "00"
    return record


def upload(till: Terminal, record: Record, paid: bool = True, type: str = "22") -> Answer:
    form = bytes.fromhex(f"{type}{record.batch.hex()}{'205' if paid else '206'}600")
    named = element(61, record.batch + record.stan, 12)
    return till.ask(till.payment(0x0320, type, record, de_60=element(60, form, 14), de_61=named))


def end(till: Terminal, count: int) -> Answer:
    digits = {48: element(48, bytes.fromhex(f"{count:04}"), 4), 49: b"156"}
    return till.ask(till.management(0x0320, "202", os.urandom(16), digits))


def result(till: Terminal, amount: int, count: int) -> str:
    """Close with these totals; the host's result: 1 balanced, 2 not balanced, 3 error."""
    return till.ask(till.close(amount, count)).elements[48].hex()[30]


def differs(till: Terminal) -> None:
    """Close with totals that the host cannot have: it asks for an upload."""
    assert result(till, 1, 999) == "2"


def by_code(till: Terminal) -> Record:
    """A paid payment by customer's code."""
    record = till.record(
        990, b"\xdf\x03" + bytes((len(CODE),)) + CODE, kind=0x52, type=0x74, at_42=b"\3", at_48=bytes(5)
    )
    record.entry = b"\3\x20"
    assert till.ask(till.payment(0x0200, "74", record)).code == "00"
    return record


def test_a_payment_missing_at_the_host_is_taken_in_once(host: Host, till: Terminal, card: Card) -> None:
    lost = till.record(700, card.tap(700), kind=0x52)  # as if the host had lost it
    record = sold(till, card)
    assert result(till, 1950, 2) == "2"
    for _ in range(2):
        assert [upload(till, one).code for one in (lost, record)] == ["00", "00"]
    assert end(till, 2).code == "00"
    assert owed(host) == 1950
    assert {(one["amount"], one["state"]) for one in host.view()["payments"]} == {(700, "APPROVED"), (1250, "APPROVED")}
    assert host.view()["batches"][0]["uploaded"] == 2


@pytest.mark.parametrize("paid", [True, False])
def test_a_payment_undecided_at_the_host_ends_as_the_terminal_reports(
    host: Host, till: Terminal, card: Card, paid: bool
) -> None:
    """As after restoring a backup made between a payment's two commits: the request is there, its answer is not."""
    record = till.record(1250, card.tap(1250), kind=0x52)
    host.mood = "decline 91"  # not a final answer
    assert till.ask(till.sale(record)).code == "91"
    host.mood = "normal"
    other = sold(till, card)
    assert result(till, 2500, 2) == "2"
    assert end(till, 2).code == "30"
    assert [upload(till, record, paid).code, upload(till, other).code, end(till, 2).code] == ["00"] * 3
    assert owed(host) == (2500 if paid else 1250)
    assert till.ask(till.sale(record)).code == ("00" if paid else "12")  # if it is sent again
    assert owed(host) == (2500 if paid else 1250)
    assert host.view()["batches"][0]["uploaded"] == 2


@pytest.mark.parametrize("state", ["declined", "reversed"])
def test_a_payment_that_the_host_declined_or_reversed_is_disputed(
    host: Host, till: Terminal, card: Card, state: str
) -> None:
    record = till.record(777, card.tap(777 if state == "reversed" else 778), kind=0x52)
    till.ask(till.sale(record))
    if state == "reversed":
        assert till.ask(till.reversal(record)).code == "00"
    assert result(till, 777, 1) == "2"
    assert upload(till, record).code == "12"
    assert owed(host) == 0


def test_an_uploaded_payment_that_was_not_paid_is_undone(host: Host, till: Terminal, card: Card) -> None:
    record = sold(till, card)
    assert result(till, 0, 0) == "2"
    assert upload(till, record, paid=False).code == "00" and owed(host) == 0
    assert end(till, 1).code == "00"
    assert upload(till, record).code == "94", "the same record with another result"
    assert owed(host) == 0


def test_a_lost_upload_end_is_accepted_when_repeated(host: Host, till: Terminal, card: Card) -> None:
    """Host and terminal disagree permanently; the batch is closed, but the terminal does not know."""
    kept, disputed = sold(till, card), till.record(777, card.tap(778), kind=0x52)
    till.ask(till.sale(disputed))
    for _ in range(3):
        assert result(till, 2027, 2) == "2"
        assert [upload(till, one).code for one in (kept, disputed)] == ["00", "12"]
        ended = end(till, 2)
        assert ended.code == "00" and ended.elements[48].hex()[:31] == f"{1250:012}001{0:012}0001"
    assert owed(host) == 1250
    assert [batch["number"] for batch in host.view()["batches"] if batch["state"] == "closed"] == ["000001"]


def test_an_upload_does_not_reopen_a_balanced_batch(host: Host, till: Terminal, card: Card) -> None:
    sold(till, card)
    assert result(till, 1250, 1) == "1"
    assert result(till, 1300, 1) == "3"
    stranger = till.record(5000, card.tap(5000), kind=0x52)
    assert upload(till, stranger).code == "12" and owed(host) == 1250


def test_no_batch_closes_in_quarantine_or_with_a_gap(host: Host, till: Terminal, card: Card) -> None:
    till.record(100, card.tap(100))
    record = sold(till, card)
    differs(till)
    assert upload(till, record).code == "00"
    assert end(till, 1).text == "Record 1 missing"
    till.ask(till.handshake(sequence=0))  # as from an older chip image
    assert end(till, 1).text == "In quarantine: call a supervisor"
    assert not [batch for batch in host.view()["batches"] if batch["state"] == "closed"]


@pytest.mark.parametrize("how", ["another amount", "another uid", "another kind", "a broken seal"])
def test_a_record_that_contradicts_its_frame_is_refused(host: Host, till: Terminal, card: Card, how: str) -> None:
    record = till.record(700, card.tap(700), kind=0x52)
    form = bytes.fromhex(f"22{record.batch.hex()}205600")
    said = {"de_60": element(60, form, 14), "de_61": element(61, record.batch + record.stan, 12)}
    if how == "another amount":
        said["de_4"] = bytes.fromhex("000000000701")
    elif how == "another uid":
        said["de_63"] = element(63, b"01 " + os.urandom(16))
    elif how == "another kind":
        said["de_60"] = element(60, bytes.fromhex(f"25{record.batch.hex()}205600"), 14)
    else:
        record.raw = record.raw[:100] + bytes((record.raw[100] ^ 1,)) + record.raw[101:]
    assert till.ask(till.payment(0x0320, "22", record, **said)).code == "30"
    assert owed(host) == 0 and not host.view()["payments"]


def test_a_reversed_code_payment_is_revoked_at_its_wallet(host: Host, till: Terminal) -> None:
    record = by_code(till)
    assert till.ask(till.reversal(record, "74")).code == "00"
    host.wait_until_told()
    assert not host.wallet.paid and owed(host) == 0


def test_a_code_payment_uploaded_as_not_paid_is_revoked_at_its_wallet(host: Host, till: Terminal) -> None:
    record = by_code(till)
    assert upload(till, record, paid=False, type=kinds.QR_SCANNED).code == "12" and owed(host) == 990, "nobody asked"
    assert host.wallet.paid == {record.uid: 990}
    differs(till)
    rotten = Record(record.raw[:100] + bytes((record.raw[100] ^ 1,)) + record.raw[101:], record.entry)
    assert upload(till, rotten, paid=False, type=kinds.QR_SCANNED).code == "30"
    assert host.wallet.paid == {record.uid: 990}, "nothing is undone outside for a record whose seal fails"
    assert upload(till, record, paid=False, type=kinds.QR_SCANNED).code == "00"
    host.wait_until_told()
    assert not host.wallet.paid and owed(host) == 0


def test_the_wallet_refunds_nothing_for_a_reversal_that_is_refused(host: Host, till: Terminal) -> None:
    record = by_code(till)
    old = till.reversal(record, "74")
    assert till.ask(till.handshake()).code == "00"
    till.send(old)  # its KSN is too old: counted, not answered
    assert result(till, 0, 0) == "1"
    assert host.wallet.paid == {record.uid: 990}
    assert till.ask(till.reversal(record, "74")).code == "12", "settled already"
    assert host.wallet.paid == {record.uid: 990} and owed(host) == 990
