# SPDX-License-Identifier: MIT
"""Settlements, differences and disputes on the pages: their figures, their files, who may see and do what."""

from __future__ import annotations

import csv
import html
import io
import re

import httpx
import pytest
from sqlalchemy import select

from host_tests.harness.host import month
from host_tests.harness.host.aftermath import DAYS
from host_tests.harness.host.pages import text
from host_tests.host_page.conftest import PEOPLE, Busy
from tools.host.books import differences, double_entry, full_audit, settlement
from tools.host.books.money import text as text_of
from tools.host.page import money_views, sessions
from tools.host.page.queries import reconciliation, settlements
from tools.host.page.viewer import Viewer
from tools.host.page.words import LANGUAGES, Words, money
from tools.host.store.schema import audit
from tools.host.store.schema_books import difference

MINE, OTHERS = f"/settlements/{month.MERCHANT}", f"/settlements/{month.OTHER}"


def open_ones(busy: Busy, what: str = "") -> list[str]:
    """Addresses of the open differences."""
    with busy.host.ledger.read() as db:
        rows = differences.listed(db)
    return [money_views.address(row.mid, row.subject) for row in rows if what in ("", row.what)]


def form(client: httpx.Client, address: str = "", **fields: str) -> dict[str, str]:
    found = httpx.URL(address).params
    key = {"of": found["of"], "subject": found["subject"]} if address else {}
    return {"form_token": sessions.form_token(client.cookies["kassa"]), **key, **fields}


def explain(client: httpx.Client, address: str, **fields: str) -> httpx.Response:
    return client.post("/differences/one", data=form(client, address, **fields))


def test_every_state_and_account_has_its_words() -> None:
    for language in LANGUAGES:
        say = Words(language)
        for what in reconciliation.WHATS:
            say(f"difference_{what}"), say(f"difference_{what}_means"), say(f"difference_{what}_do")
        for state in reconciliation.STATES:
            say(f"difference_state_{state}")
        for state in settlements.STATES:
            say(f"payout_{state}"), say(f"payout_{state}_hint")
        for account in differences.DESTINATIONS:
            say(f"account_{account}")


@pytest.mark.parametrize("name", PEOPLE)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_has_the_pages_in_both_languages(busy: Busy, name: str, language: str) -> None:
    client, day = busy.log_in(name), busy.of.days[0]
    pages = ["/", "/settlements", f"{MINE}/{day}", "/differences", "/differences?state=explained", "/disputes"]
    for path in (*pages, open_ones(busy, differences.OTHER_AMOUNT)[0]):
        answer = client.get(path, params={**httpx.URL(path).params, "lang": language})
        assert answer.status_code == 200, path
        assert bool(re.search("[一-鿿]", answer.text.partition("<main")[2])) == (language == "zh"), path
    client.get("/", params={"lang": "en"})


def test_the_settlements_are_listed_with_their_states(busy: Busy) -> None:
    page = busy.log_in("Wang").get("/settlements")
    said = text(page)
    with busy.host.ledger.read() as db:
        for day in busy.of.days:
            (row,) = settlement.of_day(db, day, month.MERCHANT)
            assert f"{day} {money(row.sales)}" in said and f"{money(row.net)} " in said
        balances = double_entry.balances(db)
    assert [page.text.count(f">{word}</span>") for word in ("Paid", "Failed", "Ordered")] == [1, 1, DAYS - 2]
    assert f"Payouts under way {money(-balances[double_entry.PAYOUTS])}" in said
    positions = [said.index(day) for day in busy.of.days]
    assert positions == sorted(positions), "the newest first"


def test_a_settlement_shows_how_it_adds_up_and_its_batches(busy: Busy) -> None:
    client, failed = busy.log_in("Wang"), busy.of.days[-2]
    with busy.host.ledger.read() as db:
        (row,) = settlement.of_day(db, busy.of.days[-3], month.MERCHANT)
        (before,) = settlement.of_day(db, failed, month.MERCHANT)
    assert row.carried == before.net > 0, "what failed is carried"
    page = client.get(f"{MINE}/{row.day}")
    said = text(page)
    assert f"{money(row.sales)} Refunds" in said and f"0.60 % of {money(row.sales)} {money(-row.fee)}" in said
    assert f"that were settled {money(row.carried)} Paid out {money(row.net)}" in said
    (batch,) = re.findall(r'href="(/batches/KASSA001/1/\d{6})"', page.text)
    assert client.get(batch).status_code == 200
    said = text(client.get(f"{MINE}/{failed}"))
    assert "Failed: account closed" in said and "Reason: account closed" in said and " Paid 20" in said
    assert client.get(f"{MINE}/2020-01-01").status_code == 404


def test_the_account_is_not_shown_in_full(busy: Busy) -> None:
    page = busy.log_in("Chen").get(f"{MINE}/{busy.of.days[0]}")
    assert "•••• 4567" in page.text and "6222020000001234567" not in page.text


@pytest.mark.parametrize("name", PEOPLE)
def test_the_csv_is_the_file_of_the_command(busy: Busy, name: str) -> None:
    day = busy.of.days[2]
    answer = busy.log_in(name).get(f"{MINE}/{day}/settlement.csv")
    file = busy.host.home / "settlements" / f"settlement-{day}-{month.MERCHANT}.csv"
    assert answer.content == file.read_bytes() and answer.content.count(b"\n") > 2
    assert file.name in answer.headers["content-disposition"]


@pytest.mark.parametrize("name, allowed", [("Wang", False), ("Li", True), ("Zhao", False), ("Chen", True)])
def test_the_payment_file_is_that_of_the_command_and_for_operators(busy: Busy, name: str, allowed: bool) -> None:
    client, day = busy.log_in(name), busy.of.days[2]
    answer = client.get(f"{MINE}/{day}/payout.xml")
    assert answer.status_code == (200 if allowed else 403)
    assert ("payout.xml" in client.get(f"{MINE}/{day}").text) == allowed
    (file,) = (busy.host.home / "settlements").glob(f"payout-{day}-*.xml")
    assert (answer.content == file.read_bytes()) == allowed
    assert (file.name in answer.headers.get("content-disposition", "")) == allowed


def test_a_host_without_an_account_of_its_own_has_no_payment_file(busy: Busy) -> None:
    path = busy.host.home / "kassa-host.toml"
    kept = path.read_text()
    path.write_text("")
    try:
        answer = busy.log_in("Li").get(f"{MINE}/{busy.of.days[2]}/payout.xml")
        assert answer.status_code == 409 and "[payer]" in answer.text
    finally:
        path.write_text(kept)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_merchant_sees_its_own_only(busy: Busy, name: str) -> None:
    client, day, mine = busy.log_in(name), busy.of.days[0], name == "Wang"
    for path in (f"{OTHERS}/{day}", f"{OTHERS}/{day}/settlement.csv"):
        assert (client.get(path).status_code == 404) == mine or "csv" in path, path
    with busy.host.ledger.read() as db:
        for row in differences.listed(db):
            status = client.get(money_views.address(row.mid, row.subject)).status_code
            assert status == (404 if mine and row.mid != month.MERCHANT else 200), row
    if mine:
        assert client.get(f"{OTHERS}/{day}/settlement.csv").status_code == 404
        assert client.get(f"{OTHERS}/{day}/payout.xml").status_code == 403
    for path in ("/settlements", "/differences", "/"):
        page = client.get(path).text
        assert ("Book shop" in page or "999999999999" in page) != mine, path
        assert ("123456789012" in page) == (not mine and path != "/settlements"), "money of nobody is not a merchant's"


def test_open_differences_say_what_they_mean_and_lead_to_their_payment(busy: Busy) -> None:
    client = busy.log_in("Zhao")
    said = text(client.get("/differences"))
    assert "Other amount" in said and "Missing here" in said and "Missing there" in said and "Twice" not in said
    page = client.get(open_ones(busy, differences.OTHER_AMOUNT)[0])
    assert "They paid less or more than the payment" in page.text and "Explain and close" not in page.text
    (payment,) = set(re.findall(r'href="(/payments/KASSA001/[0-9a-f]{32})"', page.text))
    assert "The acquirer or wallet reported" in text(client.get(payment))
    said = text(client.get("/differences?state=explained"))
    assert "Twice" in said and "Ms Li" in said and "Missing here" not in said


@pytest.mark.parametrize("name, allowed", [("Wang", False), ("Li", True), ("Zhao", False), ("Chen", True)])
def test_who_may_explains_a_difference_and_the_audit_says_who_and_why(busy: Busy, name: str, allowed: bool) -> None:
    client, address = busy.log_in(name), open_ones(busy, differences.MISSING_THERE)[0]
    assert ("Explain and close" in client.get(address).text) == (allowed and client.get(address).status_code == 200)
    answer = explain(client, address, why=f"claimed by {name}")
    assert answer.status_code == (303 if allowed else 403)
    assert (address in open_ones(busy)) != allowed
    with busy.host.ledger.read() as db:
        lines = db.execute(select(audit.c.detail).where(audit.c.what == "difference explained")).scalars().all()
    assert any(line.endswith(f"by {name}: claimed by {name}") for line in lines) == allowed
    if allowed:
        said = text(client.get(html.unescape(answer.headers["location"])))
        assert "The difference is explained." in said and f"claimed by {name}" in said and "What to do" not in said
        assert explain(client, address, why="again").status_code == 409


def test_money_in_suspense_needs_a_place_to_go_to(busy: Busy) -> None:
    client, address = busy.log_in("Li"), open_ones(busy, differences.MISSING_HERE)[0]
    with busy.host.ledger.read() as db:
        before, faults = double_entry.balances(db), list(full_audit.differences(db))
    assert "Where ¥45.00 in suspense belongs" in client.get(address).text
    for fields in ({"why": "sent back"}, {"why": " ", "to": "bank"}, {"why": "x", "to": "cash in till"},
                   {"why": "x", "to": double_entry.PAYABLE}):  # fmt: skip
        answer = explain(client, address, **fields)
        assert answer.status_code == 409 and 'role="alert"' in answer.text, fields
    assert address in open_ones(busy)
    assert explain(client, address, why="sent back", to="bank").status_code == 303
    with busy.host.ledger.read() as db:
        after = double_entry.balances(db)
        assert list(full_audit.differences(db)) == faults, "those of the settlement that is not real"
    assert after[double_entry.SUSPENSE] - before[double_entry.SUSPENSE] == 4500
    assert after[double_entry.BANK] - before[double_entry.BANK] == -4500


def test_a_form_of_another_session_explains_nothing(busy: Busy) -> None:
    client, address = busy.log_in("Li"), open_ones(busy)[0]
    wrong = form(busy.log_in("Chen"), address, why="x")
    assert client.post("/differences/one", data=wrong).status_code == 403 and address in open_ones(busy)
    nothing = form(client, why="x", of=month.MERCHANT, subject="none")
    assert client.post("/differences/one", data=nothing).status_code == 404


def test_disputes_have_their_states_and_lead_to_their_payments(busy: Busy) -> None:
    page = busy.log_in("Wang").get("/disputes")
    said = text(page)
    assert all(said.count(word) == 1 for word in ("Won: given back", "Lost: taken")) and said.count("Withheld") == 2
    assert {f"/payments/KASSA001/{uid}" for uid in busy.of.uids.values()} <= set(
        re.findall(r'href="([^"]+)"', page.text)
    )
    payment = text(busy.log_in("Li").get(f"/payments/KASSA001/{busy.of.uids['won']}"))
    assert "withheld" in payment and "Dispute won" in payment and "by Ms Li: slip was sent" in payment
    assert "slip was sent" not in text(busy.log_in("Wang").get(f"/payments/KASSA001/{busy.of.uids['won']}"))


def test_the_lists_are_paged(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left out and nothing comes twice, whatever the size of a page."""
    viewer = Viewer("", "Zhao", "auditor")
    with busy.host.ledger.read() as db:
        days = [(row.mid, row.day) for row in settlements.newest(db, viewer)]
        found = [row.subject for row in reconciliation.listed(db, viewer, differences.OPEN)]
        disputed = len(reconciliation.disputes(db, viewer)[0])
        assert db.execute(select(difference.c.subject).where(difference.c.state == "open")).all()
    monkeypatch.setattr(settlements, "SHOWN", 2), monkeypatch.setattr(reconciliation, "SHOWN", 1)
    client = busy.log_in("Zhao")
    for path, pattern, expected in (
        ("/settlements", r'href="/settlements/(\w+)/([\d-]+)"', days),
        ("/differences", r'href="/differences/one\?[^"]*subject=([^"]+)"', [one.replace(" ", "+") for one in found]),
        ("/disputes", r'href="/payments/KASSA001/([0-9a-f]+)"', [None] * disputed),
    ):
        seen: list[object] = []
        to: str | None = path
        while to:
            page = client.get(html.unescape(to)).text
            seen += re.findall(pattern, page)
            older = re.search(r'href="([^"]+)" rel="next"', page)
            to = older[1] if older else None
        assert len(seen) == len(set(seen)) == len(expected), path
        assert expected[0] is None or seen == expected, path


def test_broken_keys_of_a_page_show_its_beginning(busy: Busy) -> None:
    client = busy.log_in("Zhao")
    for path in ("/settlements?after=x", "/settlements?after=a~b~c", "/differences?after=~", "/disputes?after=1~2"):
        assert client.get(path).status_code == 200, path
    assert client.get("/differences?state=none").text == client.get("/differences?state=none").text
    assert client.get("/differences/one").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_differences_are_exported_to_who_may_see_them(busy: Busy, language: str) -> None:
    with busy.host.ledger.write() as db:
        about = {"source": "card", "reference": "TILL-9", "ours": 0, "theirs": 1, "day": "2026-11-27", "detail": ""}
        differences.add(db, "", "of nobody", differences.MISSING_HERE, **about)
    with busy.host.ledger.read() as db:
        rows = differences.listed(db)
    mine = [row for row in rows if row.mid == month.MERCHANT]
    assert 0 < len(mine) < len(rows)
    for name, expected in (("Li", rows), ("Wang", mine)):
        answer = busy.log_in(name).get("/differences.csv", params={"lang": language})
        lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert answer.headers["content-type"].startswith("text/csv") and len(lines) == len(expected)
        reference, ours = Words(language)("reference"), Words(language)("difference_ours")
        assert sorted((line[reference], line[ours]) for line in lines) == sorted(
            (row.reference, text_of(row.ours)) for row in expected
        )
