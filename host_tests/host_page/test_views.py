# SPDX-License-Identifier: MIT
"""What the pages show, to whom, in which words; the search, the export, and what needs attention."""

from __future__ import annotations

import csv
import datetime
import html
import io
import re
from collections.abc import Callable
from string import Formatter

import httpx
import pytest
from sqlalchemy import select

from host_tests.harness.host import shop
from host_tests.harness.host.shop import Shop
from host_tests.harness.host.terminal import Record
from host_tests.host_page.conftest import PASSWORD, PEOPLE
from tools.host.books import double_entry
from tools.host.page import chart, export, sessions
from tools.host.page.queries import batches, payments
from tools.host.page.queries.payments import Wanted
from tools.host.page.texts import en, zh
from tools.host.page.viewer import Viewer
from tools.host.page.words import LANGUAGES, Words, money
from tools.host.store.schema import balance, entry, payment, terminal
from tools.host.transactions import terminals
from tools.host.wire import kinds
from tools.sim.host import Host

LogIn = Callable[[str], httpx.Client]
READERS = [*PEOPLE]


def text(page: httpx.Response) -> str:
    """What a page says, without markup."""
    assert page.status_code == 200, page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2])).split())


def rows(page: httpx.Response) -> list[str]:
    """The uids of the payments that a page lists, in order."""
    found = re.findall(r'<td class="time"><a href="/payments/\w{8}/([0-9a-f]{32})">', page.text)
    assert page.status_code == 200
    return found


# Languages and words


def test_both_languages_have_every_key_and_the_same_fields() -> None:
    assert en.TEXTS.keys() == zh.TEXTS.keys()
    for key in en.TEXTS:
        fields = [
            sorted(name for _, name, _, _ in Formatter().parse(texts[key]) if name) for texts in LANGUAGES.values()
        ]
        assert fields[0] == fields[1] and en.TEXTS[key] and zh.TEXTS[key], key


def test_every_kind_account_and_state_has_a_word() -> None:
    say = Words("zh")
    for kind in kinds.RECORDS:
        say(f"kind_{kind}")
    for account in double_entry.ACCOUNTS:
        say(f"account_{account}"), say(f"about_{account}")
    for what in batches.DIFFERENCES:
        say(f"diff_{what}")
    for state in payments.STATES:
        say(f"state_{state}")
    assert {kind for group in payments.GROUPS.values() for kind in group} == kinds.RECORDS, "each kind is in one group"


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_exists_for_every_role_in_both_languages(
    logged_in: LogIn, made: dict[str, Record], name: str, language: str
) -> None:
    client, uid = logged_in(name), made["void"].uid.hex()
    pages = ["/", "/payments", f"/payments/KASSA001/{uid}", "/batches", "/batches/KASSA001/1/000012", "/terminals",
             "/terminals/KASSA001", "/days", "/books"]  # fmt: skip
    for path in pages:
        answer = client.get(path, params={"lang": language})
        assert answer.status_code == 200 and "kassa_language=" in answer.headers["set-cookie"], path
        said = answer.text.partition("<main")[2]
        foreign = re.search("[一-鿿]", said)
        assert bool(foreign) == (language == "zh"), (path, foreign)
    client.get("/", params={"lang": "en"})


def test_the_language_is_the_browsers_until_one_is_chosen(url: str) -> None:
    chinese = {"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}
    assert "登录" in httpx.get(url + "/login", headers=chinese).text
    assert "Log in" in httpx.get(url + "/login", headers={"accept-language": "de, en"}).text
    assert "Log in" in httpx.get(url + "/login?lang=en", headers=chinese).text


# Roles


def test_a_merchant_sees_nothing_of_another(logged_in: LogIn, foreign: str, made: dict[str, Record]) -> None:
    mine, everybody = logged_in("Wang"), logged_in("Zhao")
    assert foreign in rows(everybody.get("/payments")) and foreign not in rows(mine.get("/payments"))
    assert everybody.get(f"/payments/KASSA009/{foreign}").status_code == 200
    assert mine.get(f"/payments/KASSA009/{foreign}").status_code == 404
    for path in ("/payments?q=999999999999", f"/payments?q={foreign}", "/payments?terminal=KASSA009"):
        assert rows(everybody.get(path)) == [foreign] and rows(mine.get(path)) == [], path
    assert mine.get("/terminals/KASSA009").status_code == 404
    for path in ("/terminals", "/payments", "/", "/batches", "/books", "/payments.csv"):
        assert "KASSA009" not in mine.get(path).text and shop.OTHER not in mine.get(path).text, path
    assert "KASSA009" in everybody.get("/terminals").text and shop.OTHER in everybody.get("/payments.csv").text


@pytest.mark.parametrize("name, allowed", [("Wang", False), ("Li", True), ("Zhao", True), ("Chen", True)])
def test_audit_lines_are_not_for_merchants(logged_in: LogIn, made: dict[str, Record], name: str, allowed: bool) -> None:
    client = logged_in(name)
    assert client.get("/audit").status_code == (200 if allowed else 403)
    assert ("Audit lines" in client.get("/terminals/KASSA001").text) == allowed
    assert ("status 01" in client.get("/terminals/KASSA001").text) == allowed


@pytest.mark.parametrize("name", ["Wang", "Li", "Zhao"])
def test_only_an_administrator_changes_users(logged_in: LogIn, name: str) -> None:
    client = logged_in(name)
    form = {"form_token": sessions.form_token(client.cookies["kassa"]), "name": "Eve", "role": "operator",
            "password": PASSWORD}  # fmt: skip
    assert client.get("/users").status_code == 403
    assert client.post("/users", data=form).status_code == 403
    assert client.post("/users/remove", data={**form, "name": "Chen", "merchant": ""}).status_code == 403
    assert "Eve" not in logged_in("Chen").get("/users").text


def test_an_administrator_adds_and_removes_users_but_not_themselves(logged_in: LogIn) -> None:
    client = logged_in("Chen")
    form = {"form_token": sessions.form_token(client.cookies["kassa"]), "name": "Eve", "role": "merchant",
            "password": PASSWORD, "merchant": shop.MERCHANT}  # fmt: skip
    assert client.post("/users", data=form).headers["location"] == "/users?done=users_added"
    assert "Eve" in client.get("/users").text
    assert client.post("/users", data={**form, "password": "short"}).status_code == 400
    assert client.post("/users/remove", data=form).headers["location"] == "/users?done=users_removed"
    assert "Eve" not in client.get("/users").text
    client.post("/users/remove", data={**form, "name": "Chen", "merchant": ""})
    assert "Chen" in client.get("/users").text


@pytest.mark.parametrize("name, allowed", [("Wang", False), ("Zhao", False), ("Li", True)])
def test_a_quarantine_is_cleared_by_those_who_may(
    host: Host, logged_in: LogIn, foreign: str, name: str, allowed: bool
) -> None:
    client = logged_in(name)
    with host.ledger.write() as db:
        found = terminals.load(db, "KASSA009")
        assert found
        terminals.quarantine(db, found, "two records have sequence 7")
    answer = client.post("/terminals/KASSA009/clear", data={"form_token": sessions.form_token(client.cookies["kassa"])})
    assert (answer.status_code == 303) == allowed
    with host.ledger.read() as db:
        reason = db.execute(select(terminal.c.quarantine).where(terminal.c.tid == "KASSA009")).scalar_one()
    assert (reason is None) == allowed
    page = text(logged_in("Zhao").get("/"))
    assert ("Terminal held for review" in page) != allowed and ("two records have sequence 7" in page) != allowed


# Payments


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
        amounts = payments.find(db, Viewer(shop.MERCHANT, "", "merchant"), Wanted(text="12.50"), most=500).rows
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
        mine = select(payment.c.uid).where(payment.c.mid == shop.MERCHANT).order_by(payment.c.number.desc())
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
        mine = select(payment.c.uid).where(payment.c.mid == shop.MERCHANT, payment.c.type == "71")
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
    waiting = trade.card(6600)
    host.wait_until_told()
    with host.ledger.read() as db:
        before = db.execute(select(payment).where(payment.c.uid == waiting.uid.hex())).one()
        reported = db.execute(select(terminal.c.reported_sequence).where(terminal.c.tid == "KASSA001")).scalar_one()
    shop.stuck(host, waiting.uid)
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


# Batches, terminals, books


def test_batches_have_the_totals_of_their_payments(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    page = text(logged_in("Wang").get("/batches/KASSA001/1/000003"))
    with host.ledger.read() as db:
        mine = payment.c.settled_in == "000003", payment.c.state == "APPROVED", payment.c.mid == shop.MERCHANT
        found = db.execute(select(payment.c.worth).where(*mine)).scalars().all()
    assert f"Total {money(sum(found))} {len(found)} payments" in page and "Batch closed" in page
    assert "Terminal and host agree." in page
    assert text(logged_in("Wang").get("/batches")).count("Batch closed") == 11
    assert logged_in("Wang").get("/batches/KASSA001/1/999999").status_code == 404


def test_what_did_not_agree_is_listed_line_by_line(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    record = made["code"]
    with host.ledger.write() as db:
        detail = f"0320 uid {record.uid.hex()} STAN {record.stan.hex()} batch 000012"
        double_entry.note(db, "KASSA001", "batch not balanced", "0500 uid 00 STAN 000001 batch 000012")
        double_entry.note(db, "KASSA001", "taken in from a batch upload", detail)
    page = logged_in("Wang").get("/batches/KASSA001/1/000012")
    said = text(page)
    assert "The totals differed" in said and "The host lacked this payment, and took it in" in said
    assert f'href="/payments/KASSA001/{record.uid.hex()}"' in page.text
    assert "The totals differed" not in text(logged_in("Wang").get("/batches/KASSA001/1/000011"))


def test_a_terminal_shows_what_it_reported(logged_in: LogIn, made: dict[str, Record]) -> None:
    said = text(logged_in("Wang").get("/terminals/KASSA001"))
    assert "To send 2 as reported" in said and "Free sectors of the journal 1900" in said and "KASSA001 Good" in said
    assert "KASSA002 898000000000001 never – 000001 Epoch 1 not seen yet Never connected" in text(
        logged_in("Wang").get("/terminals")
    )


def test_the_books_agree_with_the_entries(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    with host.ledger.read() as db:
        amounts = db.execute(select(entry.c.account, entry.c.amount).where(entry.c.mid == shop.MERCHANT)).all()
    owed = -sum(amount for account, amount in amounts if account == double_entry.MERCHANT)
    said = text(logged_in("Wang").get("/books"))
    assert f"owed to the merchant {money(owed)}" in said and "The books agree" in said


def test_books_that_do_not_agree_are_called_so(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    mine = balance.c.tid == "KASSA001", balance.c.account == double_entry.TILL
    with host.ledger.write() as db:
        db.execute(balance.update().where(*mine).values(amount=balance.c.amount + 1))
    try:
        assert "The books do not agree" in text(logged_in("Wang").get("/books"))
        assert "Stop paying out" in text(logged_in("Wang").get("/"))
    finally:
        with host.ledger.write() as db:
            db.execute(balance.update().where(*mine).values(amount=balance.c.amount - 1))


def test_days_are_the_sums_of_their_payments(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    day = datetime.date.today() - datetime.timedelta(days=3)
    with host.ledger.read() as db:
        mine = payment.c.day == f"{day}", payment.c.state == "APPROVED", payment.c.mid == shop.MERCHANT
        worth = db.execute(select(payment.c.worth).where(*mine)).scalars().all()
    said = text(logged_in("Wang").get("/days", params={"from": day, "to": day}))
    assert (
        f"Total {money(sum(worth))}" not in said
        and said.count(money(sum(worth))) >= 2
        and f"{len(worth)} Total" in said
    )


def test_a_chart_is_in_proportion_also_below_zero() -> None:
    day = datetime.date(2026, 11, 1)
    sums = {
        day: batches.Sums({"card": 30_000, "code": 10_000, "cash": 0}, {}),
        day + datetime.timedelta(days=1): batches.Sums({"card": -10_000, "code": 0, "cash": 20_000}, {}),
    }
    drawn = chart.draw(sums, 400, 276)
    heights = {(bar.means, bar.x < 200): bar.height for bar in drawn.bars}
    assert heights == {("card", True): 120, ("code", True): 40, ("card", False): 40, ("cash", False): 80}
    assert [bar.y for bar in drawn.bars if bar.means == "card"] == [drawn.zero - 120, drawn.zero]
    assert chart.draw({day: batches.Sums(dict.fromkeys(batches.MEANS, 0), {})}, 400, 236).bars == []


# Export


def table(page: httpx.Response) -> list[dict[str, str]]:
    assert page.status_code == 200 and page.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(page.text[1:])))


def test_the_export_has_every_payment_that_was_asked_for(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    client = logged_in("Wang")
    with host.ledger.read() as db:
        everything = db.execute(select(payment).where(payment.c.mid == shop.MERCHANT)).all()
    lines = table(client.get("/payments.csv"))
    assert sorted(line["Id"] for line in lines) == sorted(row.uid for row in everything)
    void = next(line for line in lines if line["Id"] == made["void"].uid.hex())
    assert void["Amount"] == "-45.60" and void["State"] == "Voided" and void["Currency"] == "CNY"
    assert re.fullmatch(r"476173\*{6}\d{4}", void["Card"])
    cash = table(client.get("/payments.csv", params={"kind": "cash"}))
    assert len(cash) == sum(row.type == "71" for row in everything) and {line["Kind"] for line in cash} == {"Cash sale"}


def test_the_export_reads_in_parts(host: Host, made: dict[str, Record]) -> None:
    viewer = Viewer(shop.MERCHANT, "", "merchant")
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
