# SPDX-License-Identifier: MIT
"""Certificate expiry: the till and the host's page warn a year ahead, and report an expired certificate."""

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.host.keys import pki


def lasting(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """New certificates end about noon in `days` days, however long making one takes; they began thirty days ago."""
    now = datetime.datetime.now(datetime.UTC)
    noon = now.replace(hour=12, minute=0, second=0)
    for kind in ("_CA_LASTS", "_HOST_LASTS", "_TERMINAL_LASTS"):
        monkeypatch.setattr(pki, kind, datetime.timedelta(days=days) + (noon - now))


def test_a_certificate_that_ends_within_a_year_is_announced(make_cashier: Callable[..., Cashier], monkeypatch) -> None:
    lasting(monkeypatch, 200)
    cashier = make_cashier()
    cashier.sign_on()
    cashier.world.wait_screen("Certificate ends in 200 days", 30)
    view = cashier.host.view()
    assert [terminal["certificate"]["days"] for terminal in view["terminals"]] == [200]
    assert view["certificate"]["days"] == 200
    cashier.world.press("M")
    cashier.world.wait_screen("Menu")
    cashier.world.press("UUU")  # from the top to the last but two
    cashier.world.wait_screen("9/11")
    cashier.world.press("E")
    cashier.page("Version")
    cashier.world.press("DDDDDD")
    cashier.world.wait_screen(view["certificate"]["ends"])


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
