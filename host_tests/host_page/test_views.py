# SPDX-License-Identifier: MIT
"""What the pages show, to whom, and in which words; batches, terminals and books."""

from __future__ import annotations

import datetime
import re
from string import Formatter

import httpx
import pytest
from sqlalchemy import select

from host_tests.harness.host import month
from host_tests.harness.host.pages import LogIn, rows, text
from host_tests.harness.host.terminal import Record
from host_tests.host_page.conftest import PASSWORD, PEOPLE
from tools.host.books import double_entry
from tools.host.page import chart, sessions
from tools.host.page.queries import batches, payments
from tools.host.page.texts import en, zh
from tools.host.page.words import LANGUAGES, Words, money
from tools.host.store.schema import balance, entry, payment, terminal
from tools.host.transactions import terminals
from tools.host.wire import kinds
from tools.sim.host import Host

READERS = [*PEOPLE]


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


def test_a_merchant_sees_nothing_of_another(logged_in: LogIn, foreign: str, made: dict[str, Record]) -> None:
    mine, everybody = logged_in("Wang"), logged_in("Zhao")
    assert foreign in rows(everybody.get("/payments")) and foreign not in rows(mine.get("/payments"))
    assert everybody.get(f"/payments/KASSA009/{foreign}").status_code == 200
    assert mine.get(f"/payments/KASSA009/{foreign}").status_code == 404
    for path in ("/payments?q=999999999999", f"/payments?q={foreign}", "/payments?terminal=KASSA009"):
        assert rows(everybody.get(path)) == [foreign] and rows(mine.get(path)) == [], path
    assert mine.get("/terminals/KASSA009").status_code == 404
    for path in ("/terminals", "/payments", "/", "/batches", "/books", "/payments.csv"):
        assert "KASSA009" not in mine.get(path).text and month.OTHER not in mine.get(path).text, path
    assert "KASSA009" in everybody.get("/terminals").text and month.OTHER in everybody.get("/payments.csv").text


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
            "password": PASSWORD, "merchant": month.MERCHANT}  # fmt: skip
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


def test_batches_have_the_totals_of_their_payments(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    page = text(logged_in("Wang").get("/batches/KASSA001/1/000003"))
    with host.ledger.read() as db:
        mine = payment.c.settled_in == "000003", payment.c.state == "APPROVED", payment.c.mid == month.MERCHANT
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


def test_an_administrator_blocks_a_terminal(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    form = {name: {"form_token": sessions.form_token(logged_in(name).cookies["kassa"])} for name in PEOPLE}
    for name in ("Wang", "Li", "Zhao"):
        answer = logged_in(name).post("/terminals/KASSA002/block", data={**form[name], "reason": "stolen"})
        assert answer.status_code == 403, name
    chen = logged_in("Chen")
    chen.post("/terminals/KASSA002/block", data={**form["Chen"], "reason": "stolen"})
    said = text(chen.get("/terminals/KASSA002"))
    assert "KASSA002 Blocked" in said and "stolen" in said and "Terminal blocked 1" in text(logged_in("Wang").get("/"))
    chen.post("/terminals/KASSA002/block", data=form["Chen"])
    assert "Blocked" not in text(chen.get("/terminals/KASSA002")).partition("Audit lines")[0]
    assert chen.post("/terminals/NONE/block", data=form["Chen"]).status_code == 404


def test_a_terminal_shows_what_it_reported(logged_in: LogIn, made: dict[str, Record]) -> None:
    said = text(logged_in("Wang").get("/terminals/KASSA001"))
    assert "To send 2 as reported" in said and "Free sectors of the journal 1900" in said and "KASSA001 Good" in said
    assert "KASSA002 898000000000001 never – 000001 Epoch 1 not seen yet Never connected" in text(
        logged_in("Wang").get("/terminals")
    )


def test_the_books_agree_with_the_entries(host: Host, logged_in: LogIn, made: dict[str, Record]) -> None:
    with host.ledger.read() as db:
        amounts = db.execute(select(entry.c.account, entry.c.amount).where(entry.c.mid == month.MERCHANT)).all()
    till = sum(amount for account, amount in amounts if account == double_entry.TILL)
    said = text(logged_in("Wang").get("/books"))
    assert f"The merchant has it already {money(till)}" in said and "The books agree" in said


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
        mine = payment.c.day == f"{day}", payment.c.state == "APPROVED", payment.c.mid == month.MERCHANT
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
