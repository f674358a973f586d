# SPDX-License-Identifier: MIT
"""Payments on the pages: found, filtered, told with their whole history, and exported."""

from __future__ import annotations

import csv
import datetime
import html
import io
import re

import httpx
import pytest
from sqlalchemy import select

from host_tests.harness.host import month
from host_tests.harness.host.month import Shop
from host_tests.harness.host.pages import LogIn, rows, text
from host_tests.harness.host.terminal import Record
from tools.host.books import double_entry
from tools.host.page import export
from tools.host.page.queries import payments
from tools.host.page.queries.payments import Wanted
from tools.host.page.viewer import Viewer
from tools.host.store.schema import payment, terminal
from tools.sim.host import Host


@pytest.mark.parametrize(
    "what, said",
    [("approved", "Approved"), ("declined", "Declined"), ("refused later", "Refused later"), ("code", "Paid"),
     ("cash", "Paid in cash"), ("void", "Voided"), ("reversed", "Reversed")],
)  # fmt: skip
def test_a_payment_has_the_word_of_the_terminal(
    logged_in: LogIn, made: dict[str, Record], what: str, said: str
) -> None:
    page = logged_in("Wang").get(f"/payments/KASSA001/{made[what].uid.hex()}").text
    assert re.findall(r'<div class="sum"><h1>[^<]*</h1><span class="pill \w+">([^<]*)</span>', page) == [said]


def test_the_search_finds_by_each_thing(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    client, sale = logged_in("Wang"), made["approved"]
    with host.ledger.read() as db:
        row = db.execute(select(payment).where(payment.c.uid == sale.uid.hex())).one()
    for asked in ("12.50", "¥12.50", row.last4, row.stan, row.rrn, row.uid, row.uid.upper(), row.uid[:9]):
        found = client.get("/payments", params={"q": asked})
        assert row.uid in rows(found), asked
    assert rows(client.get("/payments", params={"q": "98765.43"})) == []
    assert rows(client.get("/payments", params={"q": row.rrn})) == [row.uid]
    with host.ledger.read() as db:
        amounts = payments.find(db, Viewer(month.MERCHANT, "", "merchant"), Wanted(text="12.50"), most=500).rows
    assert amounts and {one.amount for one in amounts} == {1250}


@pytest.mark.parametrize(
    "state, what", [("declined", "declined"), ("refused_later", "refused later"), ("reversed", "reversed")]
)
def test_the_list_is_filtered_by_state(logged_in: LogIn, made: dict[str, Record], state: str, what: str) -> None:
    assert rows(logged_in("Wang").get("/payments", params={"state": state})) == [made[what].uid.hex()]


def test_the_list_is_filtered_by_kind_day_terminal_and_batch(
    host: Host, logged_in: LogIn, made: dict[str, Record]
) -> None:
    client, today = logged_in("Wang"), datetime.date.today()
    ours = {record.uid.hex() for record in made.values()}
    assert rows(client.get("/payments", params={"kind": "void"})) == [made["void"].uid.hex()]
    assert set(rows(client.get("/payments", params={"from": today, "to": today}))) == ours
    yesterday = today - datetime.timedelta(days=1)
    earlier = rows(client.get("/payments", params={"to": yesterday}))
    assert len(earlier) == 50 and not ours & set(earlier)
    assert set(rows(client.get("/payments", params={"batch": "12", "terminal": "KASSA001"}))) == ours
    assert rows(client.get("/payments", params={"terminal": "KASSA002"})) == []
    for bad in (
        {"from": "soon"},
        {"batch": "x"},
        {"before": "-1"},
        {"state": "x"},
        {"kind": "x"},
        {"q": "%"},
        {"q": "' OR 1=1"},
    ):
        assert client.get("/payments", params=bad).status_code == 200, bad


def test_pages_of_the_list_show_each_payment_once(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    client, path, seen = logged_in("Wang"), "/payments", []
    while path:
        page = client.get(path)
        seen += rows(page)
        older = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = html.unescape(older[1]) if older else ""
    with host.ledger.read() as db:
        mine = select(payment.c.uid).where(payment.c.mid == month.MERCHANT).order_by(payment.c.number.desc())
        assert seen == list(db.execute(mine).scalars())
    assert len(seen) > 60


def test_a_search_goes_on_where_its_slice_ended(
    host: Host, logged_in: LogIn, made: dict[str, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "SLICE", 10)
    client, path, seen, pages = logged_in("Wang"), "/payments?kind=cash", [], 0
    while path and pages < 50:
        page = client.get(path)
        seen += rows(page)
        pages += 1
        on = re.search(r'Searched back to.*?href="([^"]+)"', page.text)
        path = html.unescape(on[1]) if on else ""
    with host.ledger.read() as db:
        mine = select(payment.c.uid).where(payment.c.mid == month.MERCHANT, payment.c.type == "71")
        assert seen == list(db.execute(mine.order_by(payment.c.number.desc())).scalars())
    assert pages > 5


def test_the_history_of_a_reversed_payment(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    host.wait_until_told()
    said = text(logged_in("Zhao").get(f"/payments/KASSA001/{made['reversed'].uid.hex()}"))
    told = ["KASSA001 asked for it", "by the terminal's clock", "Received by the host", "Approved, answer 00",
            "¥27.00 on the books",
            "Reversed: ¥27.00 taken back", "Undone at issuer or wallet"]  # fmt: skip
    places = [said.find(one) for one in told]
    assert -1 not in places and places == sorted(places), said
    assert said.count("¥27.00") >= 6, "four entries"


def test_the_history_of_a_void_leads_to_its_sale_and_back(logged_in: LogIn, made: dict[str, Record]) -> None:
    client, void, sale = logged_in("Wang"), made["void"].uid.hex(), made["voided"].uid.hex()
    assert f"/payments/KASSA001/{sale}" in client.get(f"/payments/KASSA001/{void}").text
    assert f"/payments/KASSA001/{void}" in client.get(f"/payments/KASSA001/{sale}").text


def test_a_payment_without_an_answer_needs_attention(trade: Shop, host: Host, logged_in: LogIn) -> None:
    trade.till.connect(host.port, host.home)  # the line may have been idle for too long
    trade.till.ask(trade.till.handshake())
    waiting = trade.card(6600)
    host.wait_until_told()
    with host.ledger.read() as db:
        before = db.execute(select(payment).where(payment.c.uid == waiting.uid.hex())).one()
        reported = db.execute(select(terminal.c.reported_sequence).where(terminal.c.tid == "KASSA001")).scalar_one()
    month.stuck(host, waiting.uid)
    try:
        said = text(logged_in("Wang").get("/"))
        assert "Payment without a final answer 1" in said and "hand its journal in" in said
        assert "Records missing at the host 1" in said
        page = logged_in("Wang").get(f"/payments/KASSA001/{waiting.uid.hex()}").text
        assert ">Unresolved</span>" in page and "No final answer yet" in page
    finally:
        with host.ledger.write() as db:
            mine = payment.c.uid == waiting.uid.hex()
            db.execute(payment.update().where(mine).values({**before._asdict()}))
            db.execute(terminal.update().where(terminal.c.tid == "KASSA001").values(reported_sequence=reported))


def table(page: httpx.Response) -> list[dict[str, str]]:
    assert page.status_code == 200 and page.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(page.text[1:])))


def test_the_export_has_every_payment_that_was_asked_for(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    client = logged_in("Wang")
    with host.ledger.read() as db:
        everything = db.execute(select(payment).where(payment.c.mid == month.MERCHANT)).all()
    lines = table(client.get("/payments.csv"))
    assert sorted(line["Id"] for line in lines) == sorted(row.uid for row in everything)
    void = next(line for line in lines if line["Id"] == made["void"].uid.hex())
    assert void["Amount"] == "-45.60" and void["State"] == "Voided" and void["Currency"] == "CNY"
    assert re.fullmatch(r"476173\*{6}\d{4}", void["Card"])
    cash = table(client.get("/payments.csv", params={"kind": "cash"}))
    assert len(cash) == sum(row.type == "71" for row in everything) and {line["Kind"] for line in cash} == {"Cash sale"}


def test_the_export_reads_in_parts(host: Host, made: dict[str, Record]) -> None:
    viewer = Viewer(month.MERCHANT, "", "merchant")
    parts = list(payments.every(host.ledger.read, viewer, Wanted(), 7))
    assert max(len(part) for part in parts) == 7 and len(parts) > 5
    numbers = [row.number for part in parts for row in part]
    assert numbers == sorted(set(numbers), reverse=True)


@pytest.mark.parametrize("value", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "-x", "-"])
def test_no_cell_is_a_formula(value: str) -> None:
    assert export.cell(value) == "'" + value


@pytest.mark.parametrize("value", ["-12.50", "12.50", "000123", "Sale", "", "a=b"])
def test_other_cells_are_left_as_they_are(value: str) -> None:
    assert export.cell(value) == value


def test_what_a_terminal_sends_is_never_markup(host: Host, logged_in: LogIn, foreign: str) -> None:
    evil = "<script>alert(1)</script>"
    with host.ledger.write() as db:
        db.execute(payment.update().where(payment.c.uid == foreign).values(text=evil, auth_code='"><b>'))
        double_entry.note(db, "KASSA009", evil, f"{evil} uid {foreign}")
    for path in (f"/payments/KASSA009/{foreign}", "/terminals/KASSA009", "/audit", "/payments?q=%3Cscript%3E"):
        page = logged_in("Zhao").get(path)
        assert page.status_code == 200 and "<script" not in page.text and '"><b>' not in page.text, path
    assert "&lt;script&gt;" in logged_in("Zhao").get("/audit").text
