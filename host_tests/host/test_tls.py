# SPDX-License-Identifier: MIT
"""Whom the host lets in: one certificate speaks for one terminal, and can be revoked; a terminal can be blocked."""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from host_tests.harness.host import certificates
from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Terminal
from tools.host.commands import block, unblock
from tools.host.errors import SetupError
from tools.host.keys import pki
from tools.sim.host import Host

CLOSED = (EOFError, ConnectionError, ssl.SSLError)


def refused(host: Host, name: str, tid: bytes = b"KASSA001") -> str:
    """Connect with a certificate and send a handshake: it must not be answered. What the client was told."""
    terminal = Terminal(tid)
    with pytest.raises(CLOSED) as said:
        terminal.connect(host.port, host.home, name)
        terminal.ask(terminal.handshake())
    terminal.hang_up()
    return str(said.value)


def until(caplog: pytest.LogCaptureFixture, reason: str) -> dict[str, Any]:
    """The fields of the line about a refusal; waits for it."""
    for _ in range(500):
        for record in caplog.records:
            fields = getattr(record, "fields", {})
            if fields.get("reason") == reason:
                return fields
        time.sleep(0.02)
    raise AssertionError(f"nothing was logged about {reason}")


def closed(terminal: Terminal) -> bool:
    """Whether the host ends the connection; waits up to ten seconds."""
    assert terminal.line
    try:
        return terminal.line.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True


def heard(host: Host) -> list[str]:
    return [one["terminal"] for one in host.view()["terminals"] if one["heard"]]


@pytest.mark.parametrize(
    ("what", "detail", "alert"),
    [
        ({"ends": -1, "starts": -400}, "certificate has expired", "EXPIRED"),
        ({"starts": 1}, "certificate is not yet valid", "BAD_CERTIFICATE"),
        ({"use": certificates.SERVER}, "unsuitable certificate purpose", "UNSUPPORTED_CERTIFICATE"),
        ({"other_ca": True}, "unable to get local issuer certificate", "UNKNOWN_CA"),
    ],
)
def test_a_certificate_that_is_not_good_is_refused_with_an_alert(
    host: Host, caplog: pytest.LogCaptureFixture, what: dict[str, Any], detail: str, alert: str
) -> None:
    ca = pki.authority("Another merchant") if what.get("other_ca") else host.authority
    more = {name: value for name, value in what.items() if name != "other_ca"}
    certificates.make(host.home, "strange", ca, "KASSA001", **more)
    assert alert in refused(host, "strange").upper().replace(" ", "_")
    assert detail in until(caplog, "certificate")["detail"]
    assert heard(host) == [] and host.counters["certificate"] == 1


def test_without_a_certificate_nobody_is_let_in(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    context = ssl.create_default_context(cafile=str(host.home / "ca.pem"))
    terminal = Terminal()
    with pytest.raises(CLOSED):
        terminal.wrap_with(context, host.port)
        terminal.ask(terminal.handshake())
    assert "PEER_DID_NOT_RETURN_A_CERTIFICATE" in until(caplog, "handshake")["detail"]
    assert heard(host) == []


@pytest.mark.parametrize("names", [(), ("KASSA001", "KASSA002")])
def test_a_certificate_must_name_one_terminal(
    host: Host, caplog: pytest.LogCaptureFixture, names: tuple[str, ...]
) -> None:
    certificates.make(host.home, "strange", host.authority, *names)
    refused(host, "strange")
    assert until(caplog, "certificate")["detail"] == "names no terminal"
    assert heard(host) == []


def test_the_hosts_own_certificate_speaks_for_no_terminal(host: Host) -> None:
    refused(host, "host")
    assert heard(host) == []


def test_a_certificate_of_another_terminal_cannot_speak_for_this_one(
    host: Host, till: Terminal, card: Card, caplog: pytest.LogCaptureFixture
) -> None:
    host.register("KASSA002", "898000000000001", "1234567800000002")
    certificates.make(host.home, "second", host.authority, "KASSA002")
    sale = till.sale(till.record(1250, card.tap(1250)))
    thief = Terminal().connect(host.port, host.home, "second")
    thief.send(sale)
    assert closed(thief)
    fields = until(caplog, "foreign_terminal")
    assert (fields["terminal"], fields["named"]) == ("KASSA002", "KASSA001")
    assert host.counters["foreign_terminal"] == 1 and host.view()["payments"] == []
    assert till.ask(till.sale(till.record(700, card.tap(700)))).code == "00", "its own terminal goes on"
    assert [one["amount"] for one in host.view()["payments"]] == [700]


def test_a_revoked_certificate_is_refused_and_its_open_connection_ends(
    host: Host, card: Card, caplog: pytest.LogCaptureFixture
) -> None:
    lost = certificates.make(host.home, "lost", host.authority, "KASSA001")
    certificates.make(host.home, "kept", host.authority, "KASSA001")
    thief, till = Terminal().connect(host.port, host.home, "lost"), Terminal()
    assert thief.ask(thief.handshake()).code == "00"
    till.connect(host.port, host.home, "kept")
    certificates.revoke(host.home, host.authority, lost)
    assert closed(thief)
    assert until(caplog, "revoked")["detail"] == f"serial {lost.serial_number:x}"
    assert "REVOKED" in refused(host, "lost").upper()
    till.counter = 100
    assert till.ask(till.sale(till.record(900, card.tap(900)))).code == "00"
    till.hang_up()


def test_an_overdue_list_still_holds_and_shuts_nobody_else_out(host: Host) -> None:
    lost = certificates.make(host.home, "lost", host.authority, "KASSA001")
    certificates.make(host.home, "kept", host.authority, "KASSA001")
    thief = Terminal().connect(host.port, host.home, "lost")
    assert thief.ask(thief.handshake()).code == "00"
    certificates.revoke(host.home, host.authority, lost, made=-30, due=-1)
    assert closed(thief)
    refused(host, "lost")
    till = Terminal(counter=100).connect(host.port, host.home, "kept")
    assert till.ask(till.handshake()).code == "00"
    till.hang_up()


@pytest.mark.parametrize("fault", ["gone", "older", "of another CA", "broken"])
def test_a_list_that_cannot_be_right_changes_nothing(host: Host, caplog: pytest.LogCaptureFixture, fault: str) -> None:
    lost = certificates.make(host.home, "lost", host.authority, "KASSA001")
    thief = Terminal().connect(host.port, host.home, "lost")
    certificates.revoke(host.home, host.authority, lost)
    assert closed(thief)
    if fault == "gone":
        (host.home / "crl.pem").unlink()
    elif fault == "older":
        certificates.revoke(host.home, host.authority, made=-5)
    elif fault == "of another CA":
        certificates.revoke(host.home, pki.authority("Another merchant"))
    else:
        (host.home / "crl.pem").write_text("nothing")
    assert "crl.pem" in until(caplog, "certificate_files")["fault"]
    refused(host, "lost")


def test_a_host_does_not_start_with_a_list_that_it_cannot_read(tmp_path: Path) -> None:
    host = Host(tmp_path)
    certificates.revoke(tmp_path, pki.authority("Another merchant"))
    with pytest.raises(SetupError, match="crl.pem is not signed by the CA"):
        host.start()
    host.stop()


def test_a_new_host_certificate_is_used_without_a_restart(host: Host, till: Terminal) -> None:
    before = host.listener.identity
    assert before
    ends = before.ends
    certificates.make(host.home, "host", host.authority, "kassa-host.test", use=certificates.SERVER, ends=90)
    for _ in range(500):
        if host.listener.identity and host.listener.identity.ends != ends:
            break
        time.sleep(0.02)
    shown = Terminal()
    context = ssl.create_default_context(cafile=str(host.home / "ca.pem"))
    context.check_hostname = False
    context.load_cert_chain(host.home / "terminal.pem", host.home / "terminal.key.pem")
    shown.wrap_with(context, host.port)
    assert shown.line
    assert (host.home / "host.pem").read_text().strip() in ssl.DER_cert_to_PEM_cert(shown.line.getpeercert(True) or b"")
    assert till.ask(till.handshake()).code == "00", "connections that are open go on"


def test_a_blocked_terminal_is_hung_up_on_and_loses_nothing(
    host: Host, till: Terminal, card: Card, caplog: pytest.LogCaptureFixture
) -> None:
    record = till.record(1250, card.tap(1250))
    told = ["--home", str(host.home), "--terminal", "KASSA001", "--by", "Ms Li"]
    done = CliRunner().invoke(block.main, [*told, "--reason", "lost on the tram"])
    assert done.exit_code == 0, done.output
    assert closed(till)
    assert until(caplog, "blocked")["detail"] == "lost on the tram"
    refused(host, "terminal")
    assert host.view()["payments"] == []
    assert CliRunner().invoke(unblock.main, told).exit_code == 0
    for _ in range(500):
        if not host.listener.blocked:
            break
        time.sleep(0.02)
    till.connect(host.port, host.home)
    assert till.ask(till.sale(record, deferred=True)).code == "00"
    assert [one["what"] for one in host.view()["alarms"]][:2] == ["unblocked", "blocked"]


def test_what_cannot_be_blocked_is_said(host: Host, tmp_path: Path) -> None:
    told = ["--terminal", "KASSA009", "--by", "Ms Li"]
    here = ["--home", str(host.home)]
    done = CliRunner().invoke(block.main, [*here, *told, "--reason", "lost"])
    assert done.exit_code == 1 and "KASSA009 is not registered" in done.output
    done = CliRunner().invoke(block.main, [*here, *told, "--reason", " "])
    assert done.exit_code == 1 and "must not be empty" in done.output
    done = CliRunner().invoke(unblock.main, [*here, *told])
    assert done.exit_code == 1 and "KASSA009 is not blocked" in done.output
    other = tmp_path / "elsewhere"
    other.mkdir()
    done = CliRunner().invoke(block.main, ["--home", str(other), *told, "--reason", "lost"])
    assert done.exit_code == 1 and "is not a host's folder" in done.output and list(other.iterdir()) == []


def test_a_block_that_the_database_cannot_tell_keeps_the_last_one(
    new_host: Callable[[], Host], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    host = new_host()
    told = ["--home", str(host.home), "--terminal", "KASSA001", "--by", "Ms Li", "--reason", "lost"]
    assert CliRunner().invoke(block.main, told).exit_code == 0
    pki.terminal_identity(host.authority, "KASSA001").save(host.home, "terminal")
    for _ in range(500):
        if host.listener.blocked:
            break
        time.sleep(0.02)

    def fails() -> dict[str, str]:
        raise RuntimeError("the database is away")

    monkeypatch.setattr(host.ledger, "blocked", fails)
    until(caplog, "fault")
    refused(host, "terminal")
    assert host.listener.blocked == {"KASSA001": "lost"}
