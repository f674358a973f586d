# SPDX-License-Identifier: MIT
"""The chip's clock wakes at 2000-01-01, and TLS judges certificates by it: boot sets it from what the terminal knows."""

import datetime
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.host.keys import pki
from tools.provision import device

MINUTES = datetime.timedelta(minutes=5)
TOO_EARLY = "Certificate not valid yet"


def host_certificate_since(days: int, home: Path, monkeypatch) -> None:
    """A new certificate for the host, valid since so many days. The CA is older."""
    ca = pki.ensure(home)
    monkeypatch.setattr(pki, "_BACK", datetime.timedelta(days=days))
    pki.host_identity(ca).save(home, "host")
    monkeypatch.undo()


def provisioned_before(days: int, monkeypatch) -> None:
    then = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(days=days)
    monkeypatch.setattr(device, "_now", lambda: then)


@pytest.fixture(params=["PST+8", "NPT-5:45", "LINT-14"])
def zone(request) -> Iterator[str]:
    """The shop's time zone, for host and provisioning; POSIX counts it westwards."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield request.param
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def test_the_time_of_provisioning_is_believed(make_cashier, monkeypatch, tmp_path: Path) -> None:
    host_certificate_since(10, tmp_path / "system" / "host", monkeypatch)  # the terminal's own: since 30 days
    cashier = make_cashier()
    cashier.sign_on()
    assert not cashier.sees(TOO_EARLY)


def test_a_later_host_certificate_is_too_early_for_a_terminal_that_knows_only_older_times(
    make_cashier, monkeypatch, tmp_path: Path
) -> None:
    """Which also proves that the board's TLS looks at the chip's clock: the computer's would find nothing wrong."""
    host_certificate_since(10, tmp_path / "system" / "host", monkeypatch)
    provisioned_before(20, monkeypatch)
    cashier = make_cashier()
    cashier.world.power_on()
    cashier.world.wait_screen(TOO_EARLY, 30)
    assert "Clock not confirmed by the host" in " ".join(cashier.drawn())  # money does not trust such a time


def test_the_beginning_of_its_own_certificate_is_believed(make_cashier, monkeypatch, tmp_path: Path) -> None:
    """As with a terminal whose settings were written before they held the time of provisioning."""
    provisioned_before(9000, monkeypatch)
    cashier = make_cashier()
    cashier.sign_on()
    assert not cashier.sees(TOO_EARLY)


def test_the_time_of_the_host_in_the_journal_is_believed(make_cashier, monkeypatch, tmp_path: Path) -> None:
    provisioned_before(20, monkeypatch)
    cashier = make_cashier()
    monkeypatch.undo()
    cashier.sign_on()
    with cashier.system:
        cashier.world.power_off()
    host_certificate_since(10, tmp_path / "system" / "host", monkeypatch)
    again = make_cashier()
    again.sign_on()
    assert not again.sees(TOO_EARLY)


def test_the_time_of_provisioning_is_utc(make_cashier, monkeypatch, zone: str) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pki, "_BACK", MINUTES)
        cashier = make_cashier()
    cashier.sign_on()
    assert not cashier.sees(TOO_EARLY)


def test_in_every_zone_a_certificate_of_these_minutes_is_valid(
    make_cashier, monkeypatch, tmp_path: Path, zone: str
) -> None:
    """In a running terminal, and at boot from the local time in the journal."""
    with monkeypatch.context() as patch:
        provisioned_before(1, patch)
        cashier = make_cashier()
    cashier.sign_on()
    home = tmp_path / "system" / "host"
    with monkeypatch.context() as patch:
        patch.setattr(pki, "_BACK", MINUTES)
        pki.host_identity(pki.ensure(home)).save(home, "host")
    begins = pki.Identity.load(home, "host").certificate.not_valid_before_utc
    cashier.world.run_for(8000)  # the connection of the sign-on has ended
    cashier.world.wait(lambda: cashier.host.listener.identity.begins == begins, "the new certificate", 60)
    before = cashier.host.counters["connections"]
    cashier.sell(700)
    assert cashier.host.counters["connections"] == before + 1
    assert f"{datetime.datetime.now():%Y-%m-%d %H:}" in cashier.world.receipts[0].text(), "receipts have local time"
    cashier.world.power_off()
    cashier.sign_on()
    assert not cashier.sees(TOO_EARLY)
