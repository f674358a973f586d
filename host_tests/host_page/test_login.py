# SPDX-License-Identifier: MIT
"""Who gets in: passwords, throttling that lasts, sessions that end, and what a browser is told about the cookie."""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import select, update

from host_tests.harness.host import month
from host_tests.host_page.conftest import PASSWORD
from tools.host.__main__ import main
from tools.host.errors import SetupError
from tools.host.page import sessions, users
from tools.host.page.site import application
from tools.host.page.visit import Site
from tools.host.store.schema_users import login_failure, session, user_account
from tools.sim.host import Host


def attempt(url: str, name: str, password: str, **more: str) -> httpx.Response:
    form = {"name": name, "password": password, "merchant": "", **more}
    return httpx.post(f"{url}/login", data=form, headers={"origin": url})


def forgive(host: Host) -> None:
    """Forget all failures, as if their time were over."""
    with host.ledger.write() as db:
        db.execute(login_failure.delete())


@pytest.fixture(autouse=True)
def forgiven(host: Host) -> None:
    forgive(host)


@pytest.mark.parametrize(
    "path",
    ["/", "/payments", "/payments.csv", "/payments/KASSA001/00", "/batches", "/batches/KASSA001/1/000001", "/terminals",
     "/terminals/KASSA001", "/days", "/books", "/audit", "/users"],
)  # fmt: skip
def test_nothing_is_shown_without_a_login(url: str, path: str) -> None:
    answer = httpx.get(url + path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


@pytest.mark.parametrize("path", ["/nothing", "/api", "/metrics", "/payments/a/b/c"])
def test_an_unknown_address_is_not_found(url: str, path: str) -> None:
    assert httpx.get(url + path).status_code == 404


@pytest.mark.parametrize(
    "name, password, merchant",
    [("Chen", "wrong wrong wrong", ""), ("Nobody", PASSWORD, ""), ("Wang", PASSWORD, ""), ("Chen", PASSWORD, month.MERCHANT),
     ("Chen", "", ""), ("", "", "")],
)  # fmt: skip
def test_a_wrong_login_is_refused_with_the_same_words(url: str, name: str, password: str, merchant: str) -> None:
    answer = attempt(url, name, password, merchant=merchant)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert "Name or password is wrong." in answer.text


def test_after_five_failures_one_has_to_wait_also_after_a_restart(host: Host, url: str) -> None:
    for _ in range(5):
        assert attempt(url, "Zhao", "wrong wrong wrong").status_code == 401
    refused = attempt(url, "Zhao", PASSWORD)
    assert refused.status_code == 429 and "Too many attempts" in refused.text, "also with the right password"
    assert attempt(url, "Li", PASSWORD).status_code == 303, "another user is not kept out"
    with sqlite3.connect(host.ledger.path) as db:
        assert db.execute("SELECT count FROM login_failure WHERE who = 'user Zhao'").fetchone() == (5,)
    with host.ledger.write() as db:
        db.execute(update(login_failure).values(next_at=0))
    assert attempt(url, "Zhao", "wrong wrong wrong").status_code == 401
    with host.ledger.read() as db:
        row = db.execute(select(login_failure).where(login_failure.c.who == "user Zhao")).one()
    assert row.count == 6 and row.next_at > 0, "the wait is longer with each failure"


def test_many_attempts_at_once_are_no_more_than_one_after_the_other(host: Host) -> None:
    def guess(_: int) -> str:
        try:
            return str(sessions.log_in(host.ledger, "", "Zhao", "wrong wrong wrong", "192.0.2.9"))
        except sessions.TooManyFailures:
            return "wait"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(guess, range(16))) == ["None"] * 5 + ["wait"] * 11


def test_an_address_that_guesses_names_has_to_wait(url: str) -> None:
    seen = [attempt(url, f"name {n}", "wrong wrong wrong").status_code for n in range(51)]
    assert seen == [401] * 50 + [429]


def test_a_login_clears_the_failures_of_the_user(host: Host, url: str) -> None:
    for _ in range(4):
        attempt(url, "Zhao", "wrong wrong wrong")
    assert attempt(url, "Zhao", PASSWORD).status_code == 303
    with host.ledger.read() as db:
        assert db.execute(select(login_failure).where(login_failure.c.who == "user Zhao")).all() == []


def test_the_cookie_is_for_this_site_only_and_the_database_has_not_the_token(host: Host, url: str) -> None:
    cookie = attempt(url, "Chen", PASSWORD).headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/" in cookie
    assert "Secure" not in cookie, "plain http on the host's own machine"
    token = cookie.partition("=")[2].partition(";")[0].partition(".")[2]
    assert len(token) == 43
    with sqlite3.connect(host.ledger.path) as db:
        rows = [str(row) for table in ("session", "audit") for row in db.execute(f"SELECT * FROM {table}")]
    assert rows and not [row for row in rows if token in row]


def test_under_any_other_name_the_cookie_needs_an_encrypted_line(host: Host) -> None:
    site = Site(host.ledger, host.now, ["pages.test"])
    transport = httpx.ASGITransport(app=application(site), client=("192.0.2.7", 1))

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://pages.test") as client:
            form = {"name": "Chen", "password": PASSWORD, "merchant": ""}
            return await client.post("/login", data=form, headers={"origin": "http://pages.test"})

    cookie = asyncio.run(post()).headers["set-cookie"]
    assert cookie.startswith("__Host-kassa=") and "Secure" in cookie


def test_log_out_ends_the_session_for_good(url: str) -> None:
    client = httpx.Client(base_url=url, headers={"origin": url})
    client.post("/login", data={"name": "Chen", "password": PASSWORD, "merchant": ""})
    kept = dict(client.cookies)
    token = sessions.form_token(kept["kassa"])
    assert client.get("/").status_code == 200
    assert client.post("/logout", data={"form_token": token}).headers["location"] == "/login"
    assert "kassa" not in client.cookies
    assert httpx.get(url, cookies=kept).status_code == 303, "the old cookie is worth nothing"


@pytest.mark.parametrize("column, seconds", [("used", sessions.IDLE + 1), ("begun", sessions.LONGEST + 1)])
def test_a_session_ends_by_itself(host: Host, url: str, column: str, seconds: int) -> None:
    client = httpx.Client(base_url=url, headers={"origin": url})
    client.post("/login", data={"name": "Chen", "password": PASSWORD, "merchant": ""})
    assert client.get("/").status_code == 200
    with host.ledger.write() as db:
        found = db.execute(select(session.c.hash).where(session.c.hash == sessions._hash(client.cookies["kassa"][1:])))
        mine = session.c.hash == found.scalar_one()
        db.execute(update(session).where(mine).values({column: session.c[column] - seconds}))
    assert client.get("/").headers["location"] == "/login?ended=1"


def test_another_password_or_removal_ends_the_sessions(host: Host, url: str) -> None:
    with host.ledger.write() as db:
        users.add(db, "", "Guest", "auditor", PASSWORD, "tests")
    client = httpx.Client(base_url=url, headers={"origin": url})
    form = {"name": "Guest", "password": PASSWORD, "merchant": ""}
    client.post("/login", data=form)
    assert client.get("/").status_code == 200
    with host.ledger.write() as db:
        users.set_password(db, "", "Guest", PASSWORD + " too", "tests")
    assert client.get("/").status_code == 303
    client.post("/login", data={**form, "password": PASSWORD + " too"})
    assert client.get("/").status_code == 200
    with host.ledger.write() as db:
        users.remove(db, "", "Guest", "tests")
    assert client.get("/").status_code == 303


def command(host: Host, *arguments: str, given: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(main, ["users", arguments[0], "--home", str(host.home), *arguments[1:]], input=given)
    return done.exit_code, done.output


def test_users_are_kept_by_the_command(host: Host, url: str) -> None:
    assert command(host, "add", "--role", "auditor", "Sun", given=f"{PASSWORD}\n")[0] == 0
    assert attempt(url, "Sun", PASSWORD).status_code == 303
    status, listed = command(host, "list")
    assert (
        status == 0 and "Sun" in listed and "auditor" in listed and month.MERCHANT in listed and "argon2" not in listed
    )
    assert command(host, "password", "Sun", given="another one, longer\n")[0] == 0
    assert attempt(url, "Sun", PASSWORD).status_code == 401
    assert command(host, "remove", "Sun")[0] == 0
    assert attempt(url, "Sun", "another one, longer").status_code == 401
    status, printed = command(host, "remove", "Sun")
    assert status == 1 and "there is no user Sun" in printed
    with host.ledger.read() as db:
        stored = db.execute(select(user_account.c.password)).scalars().all()
    assert stored and all(one.startswith("$argon2id$") for one in stored)


@pytest.mark.parametrize(
    "mid, name, role, password, why",
    [
        ("", "A", "auditor", "short", "12 to 200"),
        ("", "A", "king", PASSWORD, "no role"),
        ("", "A", "merchant", PASSWORD, "merchant's number"),
        (month.MERCHANT, "A", "operator", PASSWORD, "merchant's number"),
        ("123", "A", "merchant", PASSWORD, "merchant's number"),
        ("", "", "auditor", PASSWORD, "a name has"),
        ("", "A\n", "auditor", PASSWORD, "a name has"),
        ("", "Chen", "auditor", PASSWORD, "already"),
    ],
)
def test_a_bad_user_is_refused(host: Host, mid: str, name: str, role: str, password: str, why: str) -> None:
    with pytest.raises(SetupError, match=why), host.ledger.write() as db:
        users.add(db, mid, name, role, password, "tests")
