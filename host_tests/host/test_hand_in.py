# SPDX-License-Identifier: MIT
"""An operator hands in the journal of a broken terminal: taken in once, checked like deferred payments, never believed."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from host_tests.harness.host.broken import journal
from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import alarms, books, counts, day, hand_in, refusal, whys
from host_tests.harness.host.terminal import Terminal
from tools.host.outside.issuer import Decision, Payment
from tools.host.store.schema import terminal
from tools.host.store.schema_keys import terminal_key
from tools.sim.host import Host
from tools.support.__main__ import main


def test_payments_are_taken_in_and_the_repaired_terminal_doubles_nothing(
    host: Host, till: Terminal, card: Card
) -> None:
    sold = day(till, card)
    report = hand_in(host, journal(*sold))
    assert report["sums"] == {"taken in": {"sale": [2, 4250], "cash": [1, 800]}} and report["complete"]
    assert (report["terminal"], report["newest"], report["missing"]) == ("KASSA001", 3, [])
    assert books(host) == (4250, 800, 0)
    for one in host.view()["payments"]:
        assert one["state"] == "APPROVED" and one["handed_in"]["by"] == "Ms Li" and one["handed_in"]["at"], one
    assert {"hand-in begun", "hand-in ended"} <= {*alarms(host)}
    before = host.view()["payments"]
    answers = [till.ask(till.sale(sold[0], deferred=True)), till.ask(till.cash(sold[1]))]
    answers.append(till.ask(till.sale(sold[2], deferred=True)))
    assert [one.code for one in answers] == ["00"] * 3
    assert {one.elements[37].decode() for one in answers} == {one["rrn"] for one in before}
    assert host.view()["payments"] == before and books(host) == (4250, 800, 0)
    assert not {what for what in alarms(host) if "same" in what or "STAN" in what}
    assert till.ask(till.close(4250, 2)).elements[48].hex()[30] == "1"


def test_the_same_journal_again_changes_nothing_and_is_named(host: Host, till: Terminal, card: Card) -> None:
    image = journal(*day(till, card))
    hand_in(host, image)
    before = host.view()["payments"], books(host)
    again = hand_in(host, image)
    assert counts(again) == {"there already": 3} and again["complete"]
    assert any("were handed in on" in one and "Ms Li" in one for one in again["remarks"])
    assert (host.view()["payments"], books(host)) == before


def test_what_the_terminal_had_sent_before_it_broke_is_there_already(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    assert till.ask(till.sale(sold[0], deferred=True)).code == "00"
    report = hand_in(host, journal(*sold))
    assert counts(report) == {"there already": 1, "taken in": 2}
    assert books(host) == (4250, 800, 0)
    assert [bool(one["handed_in"]) for one in host.view()["payments"]] == [True, True, False]


@pytest.mark.parametrize("at", [24, 29, 5, 8, 32, 38, 53, 100, 239, 247])
def test_an_altered_record_is_listed_and_never_posted(host: Host, till: Terminal, card: Card, at: int) -> None:
    sold = day(till, card)
    altered = bytearray(sold[2].raw)
    altered[at] ^= 1
    report = hand_in(host, journal(*sold[:2], bytes(altered)), status=1)
    assert counts(report) == {"taken in": 2, "refused": 1} and not report["complete"]
    assert "its seal does not hold" in report["lines"][0]["why"]
    assert books(host) == (1250, 800, 0) and len(host.view()["payments"]) == 2
    assert host.view()["terminals"][0]["quarantine"] is None
    assert till.ask(till.sale(sold[2], deferred=True)).code == "00"  # the true one still comes


def test_a_forged_copy_does_not_hide_the_true_record(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    forged = bytearray(sold[0].raw)
    forged[29] ^= 1
    report = hand_in(host, journal(*sold, bytes(forged)), status=1)
    assert counts(report) == {"taken in": 3, "refused": 1} and books(host) == (4250, 800, 0)
    again = hand_in(host, journal(*sold, bytes(forged)), status=1)  # now the true one is here
    assert "differs from the payment received" in again["lines"][0]["why"]


def test_records_of_another_terminal_are_named_and_not_posted(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    host.register("KASSA002", "898000000000002", "1234567899999999")
    report = hand_in(host, journal(*sold), "--terminal", "KASSA002", status=1)
    assert counts(report) == {"refused": 3} and books(host) == (0, 0, 0)
    assert all("a record of KASSA001" in one["why"] for one in report["lines"])
    assert hand_in(host, journal(*sold))["terminal"] == "KASSA001"


def test_a_journal_of_an_unknown_terminal_is_refused(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    with host.ledger.write() as db:  # as if it had never been registered here
        db.execute(update(terminal).values(ikid="1234567899999999"))
        db.execute(update(terminal_key).values(ikid="1234567899999999"))
    assert "no terminal registered here sealed these records" in refusal(host, journal(*sold))
    assert "KASSA009 is not registered" in refusal(host, journal(*sold), "--terminal", "KASSA009")
    assert "no records of payments" in refusal(host, b"\xff" * 8192)
    assert books(host) == (0, 0, 0)


def test_a_record_dropped_from_the_middle_is_missing_and_keeps_the_batch_open(
    host: Host, till: Terminal, card: Card
) -> None:
    sold = day(till, card)
    report = hand_in(host, journal(sold[0], sold[2]), status=1)
    assert report["missing"] == [[2, 2]] and counts(report) == {"taken in": 2}
    assert till.ask(till.close(4250, 2)).elements[48].hex()[30] == "2"
    assert hand_in(host, journal(*sold))["missing"] == []  # the whole one


def test_the_end_cut_off_is_an_older_copy(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    assert till.ask(till.handshake()).code == "00"  # tells the host of three records
    report = hand_in(host, journal(*sold[:2]), status=1)
    assert report["missing"] == [[3, 3]]
    assert any("older copy" in one and "record 2" in one and "3 is known" in one for one in report["remarks"])
    assert books(host) == (1250, 800, 0)


def test_two_genuine_records_with_one_sequence_put_their_money_into_quarantine(
    host: Host, till: Terminal, card: Card
) -> None:
    first = till.record(1250, card.tap(1250))
    till.sequence, till.head = 0, bytes(8)  # as a rolled-back chip would
    second = till.record(600, card.tap(600))
    assert counts(hand_in(host, journal(first))) == {"taken in": 1}
    report = hand_in(host, journal(second), status=1)
    assert counts(report) == {"taken in": 1}
    assert any("in quarantine" in one for one in report["remarks"])
    merchant, _, held = books(host)
    assert (merchant + held, held in (600, 1250)) == (1850, True)


@pytest.mark.parametrize("kind", [0x51, 0x52])
def test_a_record_whose_place_another_took_may_be_half_written_and_moves_no_money(
    host: Host, till: Terminal, card: Card, kind: int
) -> None:
    """The power failed in its journal tag, which the host cannot check: the terminal said that nothing was charged."""
    torn = till.record(1250, card.tap(1250), kind=kind)
    till.sequence, till.head = 0, bytes(8)
    sold = till.record(1250, card.tap(1250))
    report = hand_in(host, journal(torn, sold), status=int(kind == 0x51))
    assert counts(report) == {"held" if kind == 0x51 else "never became a payment": 1, "taken in": 1}
    assert "half written" in whys(report)[1] and books(host) == (1250, 0, 0)
    assert host.view()["terminals"][0]["quarantine"] is None
    assert till.ask(till.sale(sold, deferred=True)).code == "00"  # it is repaired
    assert till.ask(till.close(1250, 1)).elements[48].hex()[30] == "1"


@pytest.mark.parametrize("kind", [0x51, 0x52])
def test_the_newest_record_with_a_blank_end_is_half_written(host: Host, till: Terminal, card: Card, kind: int) -> None:
    sold, torn = till.record(600, card.tap(600)), till.record(1250, card.tap(1250), kind=kind)
    image = bytearray(journal(sold, torn))
    image[3 * 256 - 3 : 3 * 256] = b"\xff" * 3
    report = hand_in(host, bytes(image), status=int(kind == 0x51))
    assert counts(report) == {"taken in": 1, "held" if kind == 0x51 else "never became a payment": 1}
    assert books(host) == (600, 0, 0) and report["missing"] == []
    if kind == 0x51:  # a receipt shows it after all
        assert counts(hand_in(host, bytes(image), "--deferred", "2")) == {"there already": 1, "taken in": 1}
    else:  # the terminal is repaired, and its next record has that place
        till.sequence, till.head = 1, sold.raw[240:248]
        assert till.ask(till.sale(till.record(700, card.tap(700)), deferred=True)).code == "00"
        assert host.view()["terminals"][0]["quarantine"] is None


def test_without_the_issuer_payments_wait_and_are_handed_in_again(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    host.mood = "decline 91"
    report = hand_in(host, journal(*sold), status=1)
    assert counts(report) == {"no answer yet": 2, "taken in": 1} and report["missing"] == []
    assert books(host) == (0, 800, 0)
    host.mood = "normal"
    assert counts(hand_in(host, journal(*sold))) == {"taken in": 2, "there already": 1}
    assert books(host) == (4250, 800, 0)


@pytest.mark.parametrize("silent", [1, 20])
def test_one_bank_that_does_not_answer_does_not_keep_out_the_others(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch, silent: int
) -> None:
    """Payments are sent in groups, and this one is alone in its group. But nobody waits for a dead issuer for hours."""
    decide, asked = host.simulator.decide, []

    async def one_bank(payment: Payment) -> Decision:
        asked.append(payment.amount)
        return Decision("91") if payment.amount < 1000 else await decide(payment)

    monkeypatch.setattr(host.simulator, "decide", one_bank)
    sold = []
    for _ in range(silent):
        sold.append(till.record(100, card.tap(100)))
        sold.append(
            till.record(110, b"\xdf\x02\x10" + sold[-1].uid, type=0x34, at_42=b"\0", at_48=bytes(5), at_54=b"\0\1")
        )
        sold[-1].entry = b"\0\x20"
    report = hand_in(host, journal(*sold, till.record(3000, card.tap(3000)), till.record(800, type=0x71)), status=1)
    if silent == 1:
        assert counts(report) == {"no answer yet": 1, "held": 1, "taken in": 2} and books(host) == (3000, 800, 0)
    else:
        assert asked == [100] * 8 and counts(report) == {"no answer yet": 22, "held": 20}


def test_what_the_issuer_declines_is_not_on_the_books(host: Host, till: Terminal, card: Card) -> None:
    good, wrong = till.record(700, card.tap(700)), till.record(1250, card.tap(9999))  # the card signed another amount
    used = card.tap(500)
    image = journal(good, wrong, till.record(500, used), till.record(500, used))
    report = hand_in(host, image, status=1)
    assert counts(report) == {"taken in": 2, "declined": 2} and books(host) == (1200, 0, 0)
    assert "64" in whys(report)[2] and "used before" in whys(report)[4]
    assert counts(hand_in(host, image)) == {"there already": 2, "there already, not paid": 2}


def test_what_no_terminal_takes_without_the_host_is_refused(host: Host, till: Terminal, card: Card) -> None:
    refund = till.record(1000, card.tap(1000), type=0x25)
    void = till.record(1000, b"\xdf\x02\x10" + os.urandom(16), type=0x23, at_42=b"\0", at_48=bytes(5))
    long = till.record(1000, card.tap(1000), at_53=b"\4")
    report = hand_in(host, journal(refund, void, long), status=1)
    assert counts(report) == {"refused": 3} and books(host) == (0, 0, 0) and host.view()["payments"] == []


def test_a_page_that_is_no_record_is_counted_and_needs_attention(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    broken = sold[2].raw[:24] + b"\xff" * 6 + sold[2].raw[30:]  # an amount that is no number
    report = hand_in(host, journal(*sold[:2], broken), status=1)
    assert report["remarks"] == ["1 pages look like records and cannot be read"] and books(host) == (1250, 800, 0)


def test_pages_the_chip_did_not_give_and_a_bundles_odd_texts_are_told(host: Host, till: Terminal, card: Card) -> None:
    folder = host.home / "opened"
    folder.mkdir()
    (folder / "journal.bin").write_bytes(journal(*day(till, card)))
    info = {"pulled": "2026-11-29", "stop": "\x1b[2Jall is well\n", "unreadable": [[3, 256], [3, 512]]}
    (folder / "info.json").write_text(json.dumps(info))
    arguments = ["hand-in", str(folder), "--home", str(host.home), "--by", "Ms Li", "--json"]
    result = CliRunner().invoke(main, arguments)
    report = json.loads(result.output)
    assert result.exit_code == 1 and not report["complete"] and books(host) == (4250, 800, 0)
    assert report["remarks"] == ["2 pages of the flash could not be read"]
    assert report["note"] == "pulled 2026-11-29, stop ?[2Jall is well?"
    arguments[arguments.index("Ms Li")] = "Ms\nLi"
    assert CliRunner().invoke(main, arguments).exit_code == 2


def test_a_journal_of_forgeries_costs_a_bounded_report(host: Host, till: Terminal, card: Card) -> None:
    good = till.record(700, card.tap(700))
    forged = [good.raw[:8] + os.urandom(16) + good.raw[24:] for _ in range(3000)]
    report = hand_in(host, journal(good, *forged), "--terminal", "KASSA001", status=1)
    assert counts(report) == {"taken in": 1, "refused": 3000}
    assert (len(report["lines"]), report["more"]) == (200, 2800)
    assert books(host) == (700, 0, 0) and len(host.view()["payments"]) == 1
    assert host.view()["terminals"][0]["gaps"] == []  # no forged sequence opened one


def test_a_hand_in_that_is_cut_short_is_finished_by_the_next(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host dies after it stored the payments and before it stored their answers."""
    image = journal(*day(till, card))
    settle = host.service._settle

    async def dies(_asked: object) -> list[dict[str, str]]:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(host.service, "_settle", dies)
    assert "nothing is done twice" in refusal(host, image)
    assert "hand-in begun" in alarms(host) and "hand-in ended" not in alarms(host)
    assert books(host) == (0, 800, 0) and len(host.view()["payments"]) == 3
    monkeypatch.setattr(host.service, "_settle", settle)
    host.ledger.let_go()  # as the next start does
    assert counts(hand_in(host, image)) == {"taken in": 2, "there already": 1}
    assert books(host) == (4250, 800, 0) and len(host.view()["payments"]) == 3


def test_a_terminal_that_sends_the_same_payment_meanwhile_waits_for_the_same_answer(
    host: Host, till: Terminal, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = till.record(1250, card.tap(1250))
    image = journal(record)
    decide = host.simulator.decide
    asked, go = threading.Event(), threading.Event()

    async def slow(payment: Payment) -> Decision:
        asked.set()
        while not go.is_set():
            await asyncio.sleep(0.01)
        return await decide(payment)

    monkeypatch.setattr(host.simulator, "decide", slow)
    reports: list[dict[str, Any]] = []
    operator = threading.Thread(target=lambda: reports.append(hand_in(host, image)))
    operator.start()
    assert asked.wait(20)
    assert till.ask(till.sale(record, deferred=True)).code == "09"
    assert "another request" in refusal(host, image)  # a second operator
    go.set()
    operator.join(20)
    assert counts(reports[0]) == {"taken in": 1}
    assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert books(host) == (1250, 0, 0) and len(host.view()["payments"]) == 1


def test_it_needs_no_running_host_but_it_needs_its_folder(
    new_host: Callable[[], Host], host: Host, till: Terminal, card: Card, tmp_path: Path
) -> None:
    sold = day(till, card)
    till.hang_up()
    host.stop()
    assert not (host.home / "operator.json").exists()
    assert counts(hand_in(host, journal(*sold))) == {"taken in": 3}
    again = new_host()
    assert books(again) == (4250, 800, 0)
    (tmp_path / "empty").mkdir()
    again.home = tmp_path / "empty"
    assert "not a host's folder" in refusal(again, journal(*sold))


def test_the_receipt_says_what_became_of_each_kind(host: Host, till: Terminal, card: Card) -> None:
    sold = day(till, card)
    altered = bytearray(till.record(500, card.tap(500)).raw)
    altered[29] ^= 1
    path = host.home / "journal.bin"
    path.write_bytes(journal(*sold, bytes(altered)))
    result = CliRunner().invoke(main, ["hand-in", str(path), "--home", str(host.home), "--by", "Ms Li"])
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    assert result.exit_code == 1 and "NOT COMPLETE: see above" in lines
    assert {"by Ms Li", "taken in", "sale 2 42.50", "cash 1 8.00", "refused", "sale 1 5.01"} <= {*lines}, lines
    assert "record 4, sale, 5.01: refused" in lines and "its seal does not hold" in lines
