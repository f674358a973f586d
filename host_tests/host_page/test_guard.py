# SPDX-License-Identifier: MIT
"""What no request may do: come under another name or from another site, fill the memory, break the parser, be framed."""

from __future__ import annotations

import datetime
import json
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from host_tests.harness.host.terminal import Record
from host_tests.host_page.conftest import PASSWORD
from tools.host import app
from tools.host.keys import pki
from tools.host.operations.operator_work import FILE
from tools.host.page import sessions
from tools.host.store.ledger import Ledger
from tools.sim import gateway
from tools.sim.host import Host

LogIn = Callable[[str], httpx.Client]
LOGIN = {"name": "Chen", "password": PASSWORD, "merchant": ""}


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "", "[::2]", "0"]
)
@pytest.mark.parametrize("path", ["/", "/login", "/static/style.css", "/api/ledger"])
def test_another_name_for_our_address_is_refused(url: str, path: str, name: str) -> None:
    assert httpx.get(url + path, headers={"host": name}).status_code in (400, 421)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST:8580", "[::1]:8580"])
def test_loopback_names_are_ours(url: str, name: str) -> None:
    assert httpx.get(url + "/login", headers={"host": name}).status_code == 200


@pytest.mark.parametrize("origin", [None, "null", "http://evil.example", "http://127.0.0.1", "http://127.0.0.1:1"])
@pytest.mark.parametrize("path", ["/login", "/logout", "/users", "/terminals/KASSA001/clear"])
def test_a_form_of_another_site_is_refused(url: str, logged_in: LogIn, path: str, origin: str | None) -> None:
    client = httpx.Client(base_url=url, cookies=logged_in("Chen").cookies)
    token = sessions.form_token(client.cookies["kassa"])
    answer = client.post(path, data={**LOGIN, "form_token": token}, headers={"origin": origin} if origin else {})
    assert answer.status_code == 403


@pytest.mark.parametrize("origin", ["null", "http://evil.example"])
def test_a_program_of_another_site_cannot_set_the_mood(host: Host, url: str, origin: str) -> None:
    answer = httpx.post(url + "/api/mood", json={"mood": "decline 51"}, headers={"origin": origin})
    assert answer.status_code == 403 and host.mood == "normal"


@pytest.mark.parametrize("token", [None, "", "0" * 64])
def test_a_form_without_the_sessions_token_is_refused(logged_in: LogIn, token: str | None) -> None:
    form = {"name": "Eve", "role": "administrator", "password": PASSWORD, "merchant": ""}
    answer = logged_in("Chen").post("/users", data=form | ({} if token is None else {"form_token": token}))
    assert answer.status_code == 403 and "out of date" in answer.text
    assert "Eve" not in logged_in("Chen").get("/users").text


def raw(url: str, request: bytes, *more: bytes) -> bytes:
    """What the host says to raw bytes, up to the end of the first line."""
    port = int(url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), 20) as line:
        line.sendall(request)
        try:
            for part in more:
                line.sendall(part)
        except ConnectionError:
            pass
        return line.recv(4096).partition(b"\r\n")[0]


def test_a_large_body_is_refused_before_it_is_read(url: str) -> None:
    origin = url.encode()
    head = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1:%b\r\nOrigin: %b\r\n" % (url.rpartition(":")[2].encode(), origin)
    assert b" 413 " in raw(url, head + b"Content-Length: 300000000\r\n\r\n")
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    assert b" 413 " in raw(url, head + b"Transfer-Encoding: chunked\r\n\r\n", chunk, chunk)
    assert b" 401 " in raw(url, head + b"Content-Length: 65536\r\n\r\n", b"x" * 65536)
    assert b" 413 " in raw(url, head.replace(b"POST /login", b"GET /") + b"Content-Length: 300000000\r\n\r\n")


def test_deep_json_is_an_answer_and_no_traceback(host: Host, url: str, capfd: pytest.CaptureFixture[str]) -> None:
    deep = "[" * 30_000 + "]" * 30_000
    sent = {"content-type": "application/json"}
    assert httpx.post(url + "/api/mood", content=deep, headers=sent).status_code == 400
    token = json.loads((host.home / FILE).read_text())["token"]
    answer = httpx.post(
        url + "/api/operator/hand-in", content=deep * 20, headers={**sent, "authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 400 and "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("path", ["/login", "/", "/static/style.css", "/api/ledger", "/payments.csv"])
def test_every_answer_keeps_browsers_from_doing_harm(url: str, path: str) -> None:
    headers = httpx.get(url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "same-origin" and "server" not in headers
    assert headers["cache-control"] == "no-store" or path.startswith("/static/")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_are_refused(url: str, method: str) -> None:
    assert httpx.request(method, url + "/login").status_code == 405


@pytest.mark.parametrize(
    "path", ["/static/../visit.py", "/static/%2e%2e/visit.py", "/static//etc/passwd", "/static/none"]
)
def test_only_static_files_are_served(url: str, path: str) -> None:
    assert b"SPDX" not in (answer := raw(url, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())), answer
    assert b" 200 " not in answer


def test_the_pages_run_no_script_and_have_no_inline_styles(logged_in: LogIn, made: dict[str, Record]) -> None:
    client, uid = logged_in("Chen"), made["reversed"].uid.hex()
    for path in (
        "/",
        "/payments",
        f"/payments/KASSA001/{uid}",
        "/batches",
        "/terminals/KASSA001",
        "/days",
        "/books",
        "/users",
    ):
        text = client.get(path).text
        assert "<script" not in text and " style=" not in text and "<style" not in text and " onclick" not in text


def test_a_host_that_is_no_simulator_has_no_open_json_and_no_mood(tmp_path: Path) -> None:
    pki.ensure(tmp_path)
    ledger = Ledger(tmp_path / "host.db")
    issuer, wallet = gateway.create(ledger, datetime.datetime.now)
    with app.Host(tmp_path, issuer, wallet, ledger=ledger, test_keys=True) as host:
        url = f"http://127.0.0.1:{host.page_port}"
        assert httpx.get(url + "/api/ledger").status_code == 404
        assert httpx.post(url + "/api/mood", json={"mood": "normal"}).status_code == 405
        assert "Simulated" not in httpx.get(url + "/login").text
