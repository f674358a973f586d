# SPDX-License-Identifier: MIT
"""Why the terminal is offline: each cause has words on the home page and one line in the log, with a real TLS server."""

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.host.keys import pki


def blamed(cashier: Cashier, cause: str, words: str) -> None:
    """Connect until the home page says why it fails; the log says the same."""
    cashier.world.power_on()
    cashier.world.wait_screen(words, 12)
    assert f"kassa: no connection: {cause}" in cashier.world.console
    assert not cashier.host.view()["terminals"][0]["heard"]


@pytest.mark.parametrize(
    ("cause", "words", "fault"),
    [
        ("password", "Offline: wrong Wi-Fi password", {"key": "another"}),
        ("network", "Offline: Wi-Fi network not found", {"network": "another-shop"}),
        ("network", "Offline: Wi-Fi network not found", {"state": "off"}),
        ("address", "Offline: Wi-Fi gives no address", {"fault": "no_address"}),
        ("wifi", "Offline: no Wi-Fi", {"fault": "refuses"}),
        ("dns", "Host name not found", {"hosts": set()}),
        ("host", "Host cannot be reached", {"host_port": None}),
        ("silent", "Host does not answer", {"state": "half_open"}),
        ("strange", "Not the host: network login page?", {"state": "portal"}),
    ],
)
def test_the_network(make_cashier, cause: str, words: str, fault: dict) -> None:
    cashier = make_cashier()
    for name, value in fault.items():
        setattr(cashier.world.radio, name, value)
    blamed(cashier, cause, words)


def test_a_cause_that_is_gone_is_not_shown(make_cashier) -> None:
    cashier = make_cashier()
    cashier.world.radio.network = "another-shop"
    blamed(cashier, "network", "Offline: Wi-Fi network not found")
    cashier.world.radio.network = None
    cashier.world.radio.hosts = set()
    cashier.world.wait_screen("Host name not found", 60)
    cashier.world.radio.hosts = None
    cashier.world.wait(lambda: not cashier.sees("not found") and not cashier.sees("not confirmed"), "the host", 60)


def host_certificate(home: Path, monkeypatch, back: int = 30, lasts: int = 300, name: str = pki.HOST_NAME) -> None:
    ca = pki.ensure(home)
    monkeypatch.setattr(pki, "_BACK", datetime.timedelta(days=back))
    monkeypatch.setattr(pki, "_HOST_LASTS", datetime.timedelta(days=lasts))
    pki.host_identity(ca, name).save(home, "host")
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("cause", "words", "fields"),
    [
        ("early", "Certificate not valid yet", {"back": -1}),
        ("over", "Host certificate has expired", {"lasts": -1}),
        ("name", "Certificate is for another host", {"name": "another-host.test"}),
    ],
)
def test_the_hosts_certificate(make_cashier, monkeypatch, tmp_path: Path, cause: str, words: str, fields: dict) -> None:
    host_certificate(tmp_path / "system" / "host", monkeypatch, **fields)
    blamed(make_cashier(), cause, words)


def test_the_hosts_certificate_has_an_unknown_issuer(make_cashier, monkeypatch, tmp_path: Path) -> None:
    home = tmp_path / "system" / "host"
    pki.ensure(home)
    pki.host_identity(pki.authority("Another merchant")).save(home, "host")
    blamed(make_cashier(), "issuer", "Certificate of an unknown issuer")


@pytest.fixture
def stranger(monkeypatch) -> None:
    """The terminal's certificate is of a CA that the host does not know."""
    signed = pki.terminal_identity
    monkeypatch.setattr(pki, "terminal_identity", lambda ca, name: signed(pki.authority("Another merchant"), name))


def test_the_host_refuses_the_terminals_certificate(make_cashier, stranger) -> None:
    """Our host sends its alert before it hangs up."""
    blamed(make_cashier(), "refused", "Host refuses our certificate")


@pytest.fixture
def other_host() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """`other_host(serve)`: a server in place of ours; `serve` gets each connection. Returns its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept(serve: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                end, _ = listener.accept()
            except OSError:  # closed
                return
            end.settimeout(5)
            try:
                serve(end)
            except OSError:  # it has refused
                end.close()

    def start(serve: Callable[[socket.socket], None]) -> int:
        threading.Thread(target=accept, args=(serve,), daemon=True).start()
        return listener.getsockname()[1]

    yield start
    listener.close()


def test_a_host_that_hangs_up_without_an_alert(make_cashier, other_host) -> None:
    def serve(end: socket.socket) -> None:
        end.recv(4096)
        end.close()

    cashier = make_cashier()
    cashier.world.radio.host_port = other_host(serve)
    blamed(cashier, "closed", "Host hangs up: certificate refused?")


def test_another_tls_servers_alert_refuses_the_terminals_certificate(
    make_cashier, stranger, other_host, tmp_path: Path
) -> None:
    cashier = make_cashier()
    home = tmp_path / "system" / "host"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(home / "host.pem", home / "host.key.pem")
    context.load_verify_locations(home / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    cashier.world.radio.host_port = other_host(lambda end: context.wrap_socket(end, server_side=True).close())
    blamed(cashier, "refused", "Host refuses our certificate")


def test_what_only_the_host_can_approve_says_why_it_is_not_reached(make_cashier) -> None:
    cashier = make_cashier()
    cashier.sign_on()
    cashier.world.radio.network = "another-shop"
    cashier.world.wait_screen("Offline: Wi-Fi network not found", 60)
    cashier.menu("balance")
    said = " ".join(cashier.page("Not taken"))
    assert "Only with the host" in said and "Wi-Fi network not found" in said
