# SPDX-License-Identifier: MIT
"""The CA is offline: the host has certificates, and no key that signs one."""

from __future__ import annotations

import datetime
import shutil
import ssl
import stat
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from cryptography.x509.oid import NameOID

from host_tests.harness.host import real_host
from host_tests.harness.host.real_host import NAME, make_certificates, run
from host_tests.harness.host.terminal import IKID, Terminal
from tools.host import app
from tools.host.errors import SetupError
from tools.host.keys import authority, file_store, pki, sealed_file
from tools.host.keys.authority import Authority
from tools.host.keys.file_store import Secrets
from tools.host.keys.host_keys import TEST_BDK
from tools.sim.host import Host


@pytest.fixture
def ca(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a CA; sealing takes no time."""
    monkeypatch.setattr(sealed_file, "_COST", 1 << 10)
    (tmp_path / "desk").mkdir(0o700)
    real_host.give_passphrases(tmp_path / "desk", monkeypatch.setenv)
    yield tmp_path / "desk" / "ca"


@pytest.fixture
def home(tmp_path: Path, ca: Path) -> Path:
    """A host with certificates and keys, made by the commands alone."""
    home = tmp_path / "host"
    make_certificates(home, ca)
    # The standard's key as if it were secret, because the harness's terminal derives from it.
    file_store.write(home / file_store.NAME, Secrets({IKID[:4]: TEST_BDK}), real_host.SECRET)
    return home


def certified(folder: Path, ca: Path, tid: str = "KASSA001") -> pki.Identity:
    """A terminal's certificate, signed from a request, in `folder` as terminal.pem."""
    key = pki.new_key()
    folder.mkdir(exist_ok=True)
    (folder / "csr").write_bytes(pki.signing_request(key, tid))
    run("ca", "--folder", ca, "terminal", tid, "--csr", folder / "csr", "--out", folder / "t.pem")
    identity = pki.Identity(x509.load_pem_x509_certificate((folder / "t.pem").read_bytes()), key)
    identity.save(folder, "terminal")
    (folder / "ca.pem").write_bytes((ca / "ca.pem").read_bytes())
    return identity


def test_a_host_with_an_offline_ca_serves_a_terminal(home: Path, ca: Path, tmp_path: Path) -> None:
    certified(tmp_path / "till", ca)
    with real_host.start(home) as host:
        host.register("KASSA001", "898000000000001", IKID.hex())
        assert not host.keys.is_test
        with urllib.request.urlopen(f"http://127.0.0.1:{host.page_port}/", timeout=10) as page:
            shown = page.read().decode()
        assert not any(said in shown for said in app.TEST_KEYS.values())
        till = Terminal().connect(host.port, tmp_path / "till")
        assert till.ask(till.handshake()).code == "00"
        till.hang_up()


def test_the_host_holds_no_key_that_signs(home: Path, ca: Path) -> None:
    """The CA's private key used to lie in clear beside the host."""
    authority_key = Authority.open(ca).identity.key.public_key()
    with real_host.start(home):
        keys = [path for path in home.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert keys == [home / "host.key.pem"]
    own = load_pem_private_key(keys[0].read_bytes(), None)
    assert own.public_key() != authority_key and not hasattr(real_host.app.Host, "authority")


def test_the_cas_key_is_sealed(ca: Path) -> None:
    run("ca", "--folder", ca, "init", "Old Street Teahouse")
    files = {path.name: path.read_bytes() for path in ca.rglob("*") if path.is_file()}
    assert set(files) == {"ca.pem", "ca.key.sealed", "issued.json", "crl.pem"}
    secret = Authority.open(ca).identity.key
    number = secret.private_numbers().private_value.to_bytes(32, "big")
    assert not any(number in data or number.hex().encode() in data or b"PRIVATE" in data for data in files.values())
    assert {stat.S_IMODE(path.stat().st_mode) for path in ca.rglob("*")} == {0o600}
    assert stat.S_IMODE(ca.stat().st_mode) == 0o700
    with pytest.raises(SetupError, match="wrong passphrase"):
        Authority.open(ca, lambda: "another passphrase")
    assert "has a CA already" in run("ca", "--folder", ca, "init", "Another", status=1).output


def test_certificates_live_ten_years_one_and_two(home: Path, ca: Path, tmp_path: Path) -> None:
    """All of them used to live twenty."""
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    till = certified(tmp_path / "till", ca).certificate
    ca_certificate, host = (
        x509.load_pem_x509_certificate((home / name).read_bytes()) for name in ("ca.pem", "host.pem")
    )
    for certificate, days in ((ca_certificate, 3650), (host, 365), (till, 730)):
        assert abs(certificate.not_valid_after_utc - now - days * day) < day
        assert now - certificate.not_valid_before_utc > 29 * day  # a terminal's clock may be behind
    assert [name.value for name in till.subject] == ["KASSA001"]
    assert host.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == NAME


def test_no_certificate_outlives_its_ca(ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pki, "_CA_LASTS", datetime.timedelta(days=100))
    run("ca", "--folder", ca, "init", "Old Street Teahouse")
    signed = Authority.open(ca)
    for certificate in (
        signed.terminal("KASSA001", pki.new_key().public_key()),
        signed.host(NAME, pki.new_key().public_key()),
    ):
        assert certificate.not_valid_after_utc == signed.identity.certificate.not_valid_after_utc


def test_a_revoked_certificate_is_in_the_list_that_the_host_gets(home: Path, ca: Path, tmp_path: Path) -> None:
    first, second = (certified(tmp_path / name, ca).certificate for name in ("old", "new"))
    certified(tmp_path / "other", ca, "KASSA002")
    assert f"revoked {first.serial_number:x} of KASSA001" in run(
        "ca", "--folder", ca, "revoke", f"{first.serial_number:x}").output  # fmt: skip
    listed = run("ca", "--folder", ca, "list").output
    assert listed.count("until") == 3 and listed.count("revoked") == 1  # the host, the second, the other; the first
    run("ca", "--folder", ca, "revoke", "KASSA001")
    crl = x509.load_pem_x509_crl((ca / "crl.pem").read_bytes())
    assert {row.serial_number for row in crl} == {first.serial_number, second.serial_number}
    authority_key = x509.load_pem_x509_certificate((ca / "ca.pem").read_bytes()).public_key()
    assert crl.is_signature_valid(authority_key)  # type: ignore[arg-type]
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3
    assert "no certificate has" in run("ca", "--folder", ca, "revoke", "KASSA009", status=1).output


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the command openssl is not installed")
def test_openssl_understands_the_list(ca: Path, home: Path, tmp_path: Path) -> None:
    """The host's listener uses OpenSSL, too."""

    def accepted(certificate: x509.Certificate) -> bool:
        path = tmp_path / "one.pem"
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        command = ["openssl", "verify", "-crl_check", "-CAfile", ca / "ca.pem", "-CRLfile", ca / "crl.pem", path]
        return subprocess.run(command, capture_output=True).returncode == 0

    lost, kept = (certified(tmp_path / tid, ca, tid).certificate for tid in ("KASSA001", "KASSA002"))
    assert accepted(lost) and accepted(kept)
    run("ca", "--folder", ca, "revoke", "KASSA001")
    assert accepted(kept) and not accepted(lost)


def test_what_is_no_name_or_no_p256_key_is_not_signed(ca: Path, tmp_path: Path) -> None:
    run("ca", "--folder", ca, "init", "Old Street Teahouse")
    good = pki.signing_request(pki.new_key(), "KASSA001")
    for tid in ("KASSA1", "KASSA 01", "KASSA0011", ""):
        with pytest.raises(SetupError, match="8 letters and digits"):
            Authority.open(ca).terminal(tid, authority.public_key(good))
    for name in ("Kassa.example", "a b", "-a", ""):
        with pytest.raises(SetupError, match="DNS name"):
            Authority.open(ca).host(name, authority.public_key(good))
    other = ec.generate_private_key(ec.SECP384R1()).public_key()
    large = rsa.generate_private_key(65537, 2048).public_key()
    spki = [key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in (other, large)]
    for data in (b"", b"REQUEST", *spki):
        with pytest.raises(SetupError):
            authority.public_key(data)
    assert authority.public_key(
        pki.new_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def test_a_ca_that_lay_beside_its_host_is_taken_over(ca: Path, tmp_path: Path) -> None:
    pki.authority("Old Street Teahouse").save(tmp_path / "before", "ca")
    old = (tmp_path / "before" / "ca.pem").read_bytes()
    run("ca", "--folder", ca, "init", "Old Street Teahouse", "--take", tmp_path / "before")
    assert (ca / "ca.pem").read_bytes() == old
    assert Authority.open(ca).terminal("KASSA001", pki.new_key().public_key())


def test_a_host_beside_its_cas_key_does_not_start(home: Path) -> None:
    pki.authority("Old Street Teahouse").save(home, "ca")
    with pytest.raises(SetupError, match="ca.key.pem.*does not belong"):
        real_host.start(home)


def test_the_simulated_host_keeps_its_ca_in_a_folder_of_its_own(tmp_path: Path) -> None:
    with Host(tmp_path) as host:
        assert (tmp_path / "ca" / "ca.key.pem").exists() and not (tmp_path / "ca.key.pem").exists()
        first = host.authority.certificate
    (tmp_path / "ca" / "ca.key.pem").rename(tmp_path / "ca.key.pem")  # where earlier versions kept it
    with Host(tmp_path) as host:
        assert host.authority.certificate == first and not (tmp_path / "ca.key.pem").exists()
    assert isinstance(ssl.create_default_context(cafile=str(tmp_path / "ca.pem")), ssl.SSLContext)


def test_one_who_signs_does_not_undo_a_revocation(ca: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commands at the same time: the list of the one must not replace that of the other."""
    one = Authority.create(ca, pki.authority("Old Street Teahouse"), real_host.SECRET)
    one.terminal("KASSA001", ec.generate_private_key(ec.SECP256R1()).public_key())
    other = threading.Thread(target=lambda: one.revoke("KASSA001"))
    read, looked = authority._read, []

    def reading(folder: Path) -> Any:
        found = read(folder)
        if not looked:  # who signs has read the list, and now somebody revokes
            looked.append(1)
            other.start()
            other.join(1)  # or waits for us
        return found

    monkeypatch.setattr(authority, "_read", reading)
    one.terminal("KASSA002", ec.generate_private_key(ec.SECP256R1()).public_key())
    other.join(20)
    rows = authority.listed(ca)
    assert [(row.name, row.revoked is not None) for row in rows] == [("KASSA001", True), ("KASSA002", False)]
