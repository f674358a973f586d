# SPDX-License-Identifier: MIT
"""A terminal's certificate is renewed for the key that it has: signed offline, offered by the host, fetched like a table."""

from __future__ import annotations

import datetime
import hashlib
import struct
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tests.harness.host import real_host
from host_tests.harness.host.real_host import run
from host_tests.harness.host.terminal import Terminal, element
from tools.host.keys import pki, sealed_file
from tools.host.keys.authority import Authority
from tools.sim.host import Host


def saved(path: Path, certificate: x509.Certificate) -> Path:
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    return path


def version(der: bytes) -> int:
    return int.from_bytes(hashlib.sha256(der).digest()[:4], "big")


def request_of(answer: object) -> int:
    """The processing request in an answer's header."""
    return answer.frame[7] & 0x0F  # type: ignore[attr-defined]


def fetch(till: Terminal, have: int, at: int = 0) -> tuple[int, int, int, bytes]:
    """Version, size, offset and piece."""
    body = element(62, struct.pack(">BIH", 1, have, at))
    answer = till.ask(till.management(0x0800, "400", bytes(15) + bytes((till.stan,)), {62: body}))
    assert answer.code == "00"
    form, number, size, offset = struct.unpack(">BIHH", answer.elements[62][:9])
    assert form == 1
    return number, size, offset, answer.elements[62][9:]


def test_a_renewed_certificate_is_announced_fetched_and_then_over(host: Host, till: Terminal, tmp_path: Path) -> None:
    old = pki.Identity.load(host.home, "terminal")
    assert request_of(till.ask(till.handshake())) == 0
    new = Authority.open(host.home / "ca").terminal("KASSA001", old.key.public_key())
    said = run("terminals", "--home", host.home, "renew", saved(tmp_path / "new.pem", new)).output
    assert "offered to KASSA001" in said
    assert request_of(till.ask(till.handshake())) == 6
    der, data, have = new.public_bytes(Encoding.DER), b"", version(old.certificate_der)
    while not data or len(data) < size:  # noqa: F821 - set by the first piece
        number, size, offset, piece = fetch(till, have, len(data))
        assert (number, offset) == (version(der), len(data)) and 0 < len(piece) <= 192
        data += piece
    assert data == der
    assert fetch(till, have)[1] == len(der)  # not yet over: the terminal has not said that it has it
    assert fetch(till, version(der)) == (version(der), 0, 0, b"")
    assert request_of(till.ask(till.handshake())) == 0
    pki.Identity(new, old.key).save(host.home, "terminal")
    till.connect(host.port, host.home)
    assert till.ask(till.handshake()).code == "00"
    ends = host.view()["terminals"][0]["certificate"]["ends"]
    assert ends == f"{new.not_valid_after_utc:%Y-%m-%d}"


def test_the_offer_is_for_one_terminal(host: Host, till: Terminal, tmp_path: Path) -> None:
    host.register("KASSA002", "898000000000001", "1234567800000002")
    new = Authority.open(host.home / "ca").terminal("KASSA002", pki.new_key().public_key())
    run("terminals", "--home", host.home, "renew", saved(tmp_path / "new.pem", new))
    assert request_of(till.ask(till.handshake())) == 0
    assert fetch(till, 1)[1:] == (0, 0, b"")


def test_what_the_terminal_could_not_use_is_not_offered(
    host: Host, till: Terminal, tmp_path: Path, monkeypatch
) -> None:
    key = pki.Identity.load(host.home, "terminal").key.public_key()
    authority = Authority.open(host.home / "ca")

    def refused(certificate: x509.Certificate) -> str:
        return run("terminals", "--home", host.home, "renew", saved(tmp_path / "new.pem", certificate), status=1).output

    assert "not registered here" in refused(authority.terminal("KASSA009", key))
    stranger = pki.terminal_certificate(pki.authority("Kassa test merchant"), "KASSA001", key)
    assert "not signed by this host's CA" in refused(stranger)
    good = authority.terminal("KASSA001", key)
    authority.revoke(f"{good.serial_number:x}")
    (host.home / "crl.pem").write_bytes((host.home / "ca" / "crl.pem").read_bytes())
    assert "is revoked" in refused(good)
    monkeypatch.setattr(pki, "_TERMINAL_LASTS", datetime.timedelta(days=-1))
    assert "not valid today" in refused(authority.terminal("KASSA001", key))
    (tmp_path / "new.pem").write_text("no certificate")
    assert "not a certificate" in run("terminals", "--home", host.home, "renew", tmp_path / "new.pem", status=1).output
    assert request_of(till.ask(till.handshake())) == 0


def test_the_ca_renews_what_ends_soon_for_the_same_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealed_file, "_COST", 1 << 10)
    real_host.give_passphrases(tmp_path, monkeypatch.setenv)
    ca, out = tmp_path / "ca", tmp_path / "out"
    run("ca", "--folder", ca, "init", "Old Street Teahouse")
    authority, keys = (
        Authority.open(ca),
        {tid: pki.new_key().public_key() for tid in ("KASSA001", "KASSA002", "KASSA003")},
    )
    with monkeypatch.context() as patch:
        patch.setattr(pki, "_TERMINAL_LASTS", datetime.timedelta(days=60))
        old = {tid: authority.terminal(tid, keys[tid]) for tid in ("KASSA001", "KASSA003")}
    authority.terminal("KASSA002", keys["KASSA002"])
    authority.revoke("KASSA003")
    said = run("ca", "--folder", ca, "renew", "--within", "90", "--out", out).output
    assert "KASSA001 until" in said and "KASSA002" not in said and "KASSA003" not in said
    new = x509.load_pem_x509_certificate((out / "KASSA001.pem").read_bytes())
    assert new.public_key() == keys["KASSA001"] and new.subject == old["KASSA001"].subject
    assert new.not_valid_after_utc - old["KASSA001"].not_valid_after_utc > datetime.timedelta(days=600)
    assert "no certificate is to be" in run("ca", "--folder", ca, "renew", "--within", "90", "--out", out).output
    assert "could be renewed" in run("ca", "--folder", ca, "renew", "KASSA003", "--out", out, status=1).output
