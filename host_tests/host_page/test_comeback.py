# SPDX-License-Identifier: MIT
"""What a terminal brings back: restores, held payments and hand-ins on its page, and who may decide about them."""

from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import select, update

from host_tests.harness.host import month
from host_tests.harness.host.pages import text
from host_tests.host_page.conftest import PEOPLE, Busy
from tools.host.books import double_entry
from tools.host.operations import closing, hand_in_checks
from tools.host.page import sessions
from tools.host.page.words import LANGUAGES, Words
from tools.host.store.schema import audit, terminal
from tools.host.store.schema_behind import asked, held, restore
from tools.host.wire import kinds

TERMINAL = "/terminals/KASSA001"


def address(busy: Busy, place: int) -> str:
    return f"{TERMINAL}/held/{busy.of.held[place].uid.hex()}"


def decide(client: httpx.Client, where: str, verdict: str, why: str) -> httpx.Response:
    form = {"form_token": sessions.form_token(client.cookies["kassa"]), "verdict": verdict, "why": why}
    return client.post(where, data=form)


def payable(busy: Busy) -> int:
    with busy.host.ledger.read() as db:
        return -double_entry.balances(db)[double_entry.PAYABLE]


def test_every_outcome_and_kind_of_a_hand_in_has_its_words() -> None:
    outcomes = (
        "TAKEN",
        "DECLINED",
        "REVERSED",
        "THERE",
        "THERE_UNPAID",
        "NO_PAYMENT",
        "HELD",
        "WAITS",
        "REFUSED",
        "UNANSWERED",
    )
    for language in LANGUAGES:
        say = Words(language)
        for outcome in outcomes:
            say(f"hand_in_{getattr(hand_in_checks, outcome)}")
        for kind in kinds.KINDS.values():
            say(f"name_{kind.name}")


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_has_the_pages_in_both_languages(busy: Busy, name: str, language: str) -> None:
    client = busy.log_in(name)
    for path in (TERMINAL, address(busy, 0), f"{TERMINAL}/hand-ins/1", "/batches/KASSA001/1/000006"):
        answer = client.get(path, params={"lang": language})
        assert answer.status_code == 200, path
        assert bool(re.search("[一-鿿]", answer.text.partition("<main")[2])) == (language == "zh"), path
    client.get("/", params={"lang": "en"})


@pytest.mark.parametrize("name", PEOPLE)
def test_a_terminal_that_is_being_restored_says_so(busy: Busy, name: str) -> None:
    client = busy.log_in(name)
    said = text(client.get(TERMINAL))
    assert "KASSA001 Getting records" in said and "Records asked for 9 to 19" in said
    assert "Came back so far 7 ¥241.50" in said
    assert "Records 4 to 6 of epoch 1 exist nowhere any more" in said
    assert ("Records 4 to 8 were asked for; 2 payments came back, ¥12.30" in said) == (name != "Wang"), (
        "an ended restore may be of an earlier merchant"
    )
    said = text(client.get("/"))
    assert "The host is getting records again 1" in said and "records 9 to 19 asked for, 7 payments came back" in said
    assert "Getting records" in text(client.get("/terminals"))


def test_a_restore_that_has_ended_needs_nobody(busy: Busy) -> None:
    client, mine = busy.log_in("Li"), (restore.c.tid == "KASSA001", restore.c.number == 2)
    with busy.host.ledger.write() as db:
        db.execute(update(restore).where(*mine).values(ended=double_entry.now()))
    try:
        assert "getting records" not in text(client.get("/")) and "Records asked for" not in text(client.get(TERMINAL))
    finally:
        with busy.host.ledger.write() as db:
            db.execute(update(restore).where(*mine).values(ended=None))


def test_what_a_terminal_did_not_have_is_listed(busy: Busy) -> None:
    mine = asked.c.tid == "KASSA001"
    with busy.host.ledger.write() as db:
        db.execute(update(asked).where(mine).values(ended=double_entry.now(), missing="[[3, 5], [7, 7]]"))
    assert "The totals differed, so its records were asked for. The terminal did not have 3 to 5, 7" in text(
        busy.log_in("Wang").get(TERMINAL)
    )


def test_held_payments_are_on_the_overview_the_terminal_and_their_batch(busy: Busy) -> None:
    client = busy.log_in("Zhao")
    for path in ("/", TERMINAL):
        page = client.get(path)
        assert {address(busy, 0), address(busy, 1)} <= set(re.findall(r'href="([^"]+)"', page.text)), path
    assert "Held payment 2" in text(client.get("/"))
    said = text(client.get(address(busy, 0)))
    assert "¥52.00 Held for review" in said and "It is not on the books" in said and "51 " in said
    assert "it did not pass the checks, and is held" in text(client.get("/batches/KASSA001/1/000006"))


@pytest.mark.parametrize("name, allowed", [("Wang", False), ("Zhao", False), ("Li", True)])
def test_who_may_settles_a_held_payment_with_a_reason(busy: Busy, name: str, allowed: bool) -> None:
    client, where, before = busy.log_in(name), address(busy, 0), payable(busy)
    assert ('value="settled"' in client.get(where).text) == allowed
    if allowed:
        assert decide(client, where, "settled", " ").status_code == 409 and payable(busy) == before
        assert decide(client, where, "lost", "x").status_code == 409
    answer = decide(client, where, "settled", "the acquirer has it")
    assert answer.status_code == (303 if allowed else 403)
    assert payable(busy) - before == (5200 if allowed else 0)
    if not allowed:
        return
    said = text(client.get(answer.headers["location"]))
    assert "The held payment is settled." in said and "the acquirer has it" in said and "What to do" not in said
    again = decide(client, where, "refused", "no")
    assert again.status_code == 409 and "already" in again.text and payable(busy) - before == 5200
    assert "Settled by an operator: the acquirer has it" in text(
        client.get(f"/payments/KASSA001/{busy.of.held[0].uid.hex()}")
    )
    assert "Held payment 1" in text(client.get("/"))
    with busy.host.ledger.read() as db:
        (line,) = db.execute(select(audit.c.detail).where(audit.c.what == "held payment settled")).scalars()
    assert line.endswith("by Li: the acquirer has it")


def test_an_administrator_refuses_a_held_payment(busy: Busy) -> None:
    client, where, before = busy.log_in("Chen"), address(busy, 1), payable(busy)
    answer = decide(client, where, "refused", "paid in cash instead")
    assert answer.status_code == 303 and payable(busy) == before
    assert "Refused by an operator paid in cash instead" in text(client.get(where))
    assert address(busy, 1) not in client.get(TERMINAL).text


def test_a_merchant_does_not_see_what_is_held_of_another(busy: Busy) -> None:
    mine = held.c.uid == busy.of.held[0].uid.hex()
    with busy.host.ledger.write() as db:
        db.execute(update(held).where(mine).values(mid=month.OTHER, ended=None))
    try:
        assert busy.log_in("Wang").get(address(busy, 0)).status_code == 404
        assert address(busy, 0) not in busy.log_in("Wang").get(TERMINAL).text
        assert address(busy, 0) not in busy.log_in("Wang").get("/").text
        assert busy.log_in("Zhao").get(address(busy, 0)).status_code == 200
    finally:
        with busy.host.ledger.write() as db:
            db.execute(update(held).where(mine).values(mid=month.MERCHANT, ended=double_entry.now()))


def test_a_hand_in_is_on_the_page_of_its_terminal_with_its_result(busy: Busy) -> None:
    client = busy.log_in("Wang")
    said = text(client.get(TERMINAL))
    assert "Ms Li Hand-in 1 Declined 1 Needs attention" in said
    said = text(client.get(f"{TERMINAL}/hand-ins/1"))
    assert "Hand-in 1 Needs attention" in said and "Declined Sale 1 ¥7.00" in said and "Sale: Declined 51" in said
    for path in (f"{TERMINAL}/hand-ins/2", "/terminals/KASSA009/hand-ins/1", "/terminals/NONE/hand-ins/1"):
        assert client.get(path).status_code == 404, path


def test_a_merchant_does_not_see_a_hand_in_from_before_it_had_the_terminal(busy: Busy) -> None:
    """Nor what is its own of a terminal that went to another."""
    mine = terminal.c.tid == "KASSA001"
    with busy.host.ledger.write() as db:
        db.exec_driver_sql(f"UPDATE hand_in SET report = replace(report, '{month.MERCHANT}', '{month.OTHER}')")
    try:
        client = busy.log_in("Wang")
        assert client.get(f"{TERMINAL}/hand-ins/1").status_code == 404 and "Hand-in 1" not in client.get(TERMINAL).text
        with busy.host.ledger.write() as db:
            db.execute(update(terminal).where(mine).values(mid=month.OTHER))
        assert client.get(f"{TERMINAL}/hand-ins/1").status_code == client.get(TERMINAL).status_code == 404
    finally:
        with busy.host.ledger.write() as db:
            db.execute(update(terminal).where(mine).values(mid=month.MERCHANT))
            db.exec_driver_sql(f"UPDATE hand_in SET report = replace(report, '{month.OTHER}', '{month.MERCHANT}')")


def test_a_batch_that_an_operator_closed_is_told(busy: Busy) -> None:
    with busy.host.ledger.write() as db:
        closing.run(db, "KASSA001", "Ms Li", despite=True)
    said = text(busy.log_in("Zhao").get(TERMINAL))
    assert "An operator closed the batch by Ms Li: 000006 of epoch 1" in said
    assert "An operator closed the batch" not in text(busy.log_in("Wang").get(TERMINAL))


def test_a_quarantine_with_missing_records_is_cleared_only_with_their_exact_number(busy: Busy) -> None:
    """The terminal is asked for them first; what it can no longer bring is named before it is given up."""
    client, mine = busy.log_in("Li"), terminal.c.tid == "KASSA009"

    def clear(**fields: str) -> httpx.Response:
        form = {"form_token": sessions.form_token(client.cookies["kassa"]), **fields}
        return client.post("/terminals/KASSA009/clear", data=form)

    with busy.host.ledger.write() as db:
        now = {"quarantine": "two records have sequence 7", "reported_sequence": 3, "heard": double_entry.now()}
        db.execute(update(terminal).where(mine).values(**now))
    refused = clear()
    assert refused.status_code == 409 and "it may still hold records 1 to 3" in refused.text
    assert "Write off" not in refused.text and "is getting records" in text(client.get("/terminals/KASSA009"))
    with busy.host.ledger.write() as db:
        db.execute(update(terminal).where(mine).values(heard="2026-01-01T00:00:00.000+00:00"))
    for fields in ({}, {"write_off": "2"}, {"write_off": "x"}):
        refused = clear(**fields)
        assert refused.status_code == 409 and "records 1 to 3 would be written off" in refused.text, fields
        assert "Write off 3 and clear" in refused.text and 'name="write_off" value="3"' in refused.text
    assert clear(write_off="3").headers["location"] == "/terminals/KASSA009?done=cleared"
    with busy.host.ledger.read() as db:
        assert db.execute(select(terminal.c.quarantine, terminal.c.epoch).where(mine)).one() == (None, 2)
        lines = db.execute(select(audit.c.detail).where(audit.c.what == "records written off")).scalars().all()
    assert lines == ["by Li: 1 to 3 of epoch 1"]
