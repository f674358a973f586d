# SPDX-License-Identifier: MIT
"""Certificates: till and host warn before one ends, say that one has ended, and renew the till's over the link."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from host_tests.harness.host import real_host
from host_tests.harness.provision import inspection
from host_tests.harness.whole.cashier import Cashier
from tools.host.keys import pki
from tools.host.tables import renewal

DER, PEM = Encoding.DER, Encoding.PEM


def lasting(monkeypatch: pytest.MonkeyPatch, days: int, *kinds: str) -> None:
    """New certificates end about noon in `days` days, however long making one takes; they began thirty days ago."""
    now = datetime.datetime.now(datetime.UTC)
    noon = now.replace(hour=12, minute=0, second=0)
    for kind in kinds or ("_CA_LASTS", "_HOST_LASTS", "_TERMINAL_LASTS"):
        monkeypatch.setattr(pki, kind, datetime.timedelta(days=days) + (noon - now))


def test_a_certificate_that_ends_within_ninety_days_is_announced(
    make_cashier: Callable[..., Cashier], monkeypatch
) -> None:
    lasting(monkeypatch, 80)
    cashier = make_cashier()
    cashier.sign_on()
    cashier.world.wait_screen("Certificate ends in 80 days", 30)
    view = cashier.host.view()
    days = [view["certificate"]["days"], *(terminal["certificate"]["days"] for terminal in view["terminals"])]
    assert days in ([80, 80], [79, 79])  # whole days: one less in the afternoon
    cashier.menu("about")
    cashier.page("Version")
    cashier.world.press("DDDDDD")
    cashier.world.wait_screen(view["certificate"]["ends"])


def offer(cashier: Cashier, certificate: x509.Certificate) -> None:
    with cashier.host.ledger.write() as db:
        renewal.put(db, renewal.table, {"tid": "KASSA001", "der": certificate.public_bytes(DER), "offered": "now"})


def settings(cashier: Cashier) -> dict[int, bytes]:
    (values,) = inspection.settings(cashier.system.home / "terminal")
    return values


def test_the_tills_certificate_is_renewed_over_the_link_for_the_same_key(make_cashier, monkeypatch) -> None:
    lasting(monkeypatch, 20, "_TERMINAL_LASTS")
    cashier = make_cashier()
    cashier.sign_on()
    cashier.world.wait_screen("Certificate ends in 20 days", 30)
    monkeypatch.undo()
    before = settings(cashier)
    key = x509.load_der_x509_certificate(before[0x08]).public_key()
    ca = cashier.host.authority
    new = pki.terminal_certificate(ca, "KASSA001", key)
    path = cashier.system.home / "KASSA001.pem"
    path.write_bytes(new.public_bytes(PEM))
    real_host.run("terminals", "--home", cashier.host.home, "renew", path)
    cashier.sell(700)  # its answers bring the request
    cashier.restart()
    cashier.home()
    cashier.world.wait(lambda: settings_or_none(cashier).get(0x08) == new.public_bytes(DER), "the new certificate", 60)
    cashier.world.wait(lambda: not cashier.sees("ertificate ends"), "no warning", 30)
    after = settings(cashier)
    assert after | {0x08: b""} == before | {0x08: b""}  # nothing else has changed, and the key least of all
    cashier.restart()
    cashier.home()
    cashier.world.wait_screen("Online", 60)
    cashier.sell(800)
    ends = f"{new.not_valid_after_utc:%Y-%m-%d}"
    cashier.world.wait(
        lambda: cashier.host.view()["terminals"][0]["certificate"]["ends"] == ends, "the host sees it", 30
    )
    assert cashier.agree() == 1500


def settings_or_none(cashier: Cashier) -> dict[int, bytes]:
    """The newest settings, while they may be written."""
    found = inspection.settings(cashier.system.home / "terminal")
    return found[-1] if len(found) == 1 else {}


def test_a_certificate_of_another_key_is_refused_and_the_till_goes_on(make_cashier) -> None:
    cashier = make_cashier()
    cashier.sign_on()
    before = settings(cashier)[0x08]
    offer(cashier, pki.terminal_certificate(cashier.host.authority, "KASSA001", pki.new_key().public_key()))
    asked = cashier.host.counters["answer_0810"]
    cashier.restart()
    cashier.home()
    cashier.world.wait(lambda: cashier.host.counters["answer_0810"] >= asked + 4, "handshake and three pieces", 60)
    cashier.sell(700)
    assert settings(cashier)[0x08] == before and cashier.agree() == 700


def test_a_certificate_with_years_left_is_not_mentioned(cashier: Cashier) -> None:
    assert not cashier.sees("ertificate")
    assert cashier.host.view()["certificate"]["days"] > 360


def test_an_expired_host_certificate_is_reported(make_cashier, monkeypatch, tmp_path: Path) -> None:
    lasting(monkeypatch, 7300)
    ca = pki.ensure(tmp_path / "system" / "host")
    lasting(monkeypatch, -1)
    pki.host_identity(ca).save(tmp_path / "system" / "host", "host")
    lasting(monkeypatch, 7300)
    cashier = make_cashier()
    cashier.world.power_on()
    cashier.world.wait_screen("Host certificate has expired", 30)
    assert cashier.sees("No host") or cashier.sees("Sending")
    cashier.world.press("500E")
    cashier.world.wait_screen("Host never heard", 30)


def test_a_host_certificate_that_is_not_yet_valid_is_reported(make_cashier, monkeypatch, tmp_path: Path) -> None:
    ca = pki.ensure(tmp_path / "system" / "host")
    monkeypatch.setattr(pki, "_BACK", datetime.timedelta(days=-1))
    pki.host_identity(ca).save(tmp_path / "system" / "host", "host")
    monkeypatch.undo()
    cashier = make_cashier()
    cashier.world.power_on()
    cashier.world.wait_screen("Certificate not valid yet", 30)


def test_an_expired_terminal_certificate_is_reported(make_cashier, monkeypatch) -> None:
    lasting(monkeypatch, 200)
    cashier = make_cashier()
    cashier.host.now = lambda: datetime.datetime.now() + datetime.timedelta(days=202)
    cashier.sign_on()
    cashier.world.wait_screen("Till certificate has expired", 30)
