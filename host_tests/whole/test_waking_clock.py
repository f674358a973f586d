# SPDX-License-Identifier: MIT
"""The chip's clock wakes at 2000-01-01, and TLS judges certificates by it: boot sets it from what the terminal knows."""

import datetime
from pathlib import Path

from tools.provision import device, pki

TOO_EARLY = "Certificate not valid yet"


def host_certificate_since(days: int, home: Path, monkeypatch) -> None:
    """A new certificate for the host, valid since so many days. The CA is older."""
    ca = pki.ensure(home)
    monkeypatch.setattr(pki, "_BACK", datetime.timedelta(days=days))
    pki.host_identity(ca).save(home, "host")
    monkeypatch.undo()


def provisioned_before(days: int, monkeypatch) -> None:
    monkeypatch.setattr(device, "_now", lambda: datetime.datetime.now() - datetime.timedelta(days=days))


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
    assert cashier.sees("Clock not confirmed by the host")  # money does not trust such a time


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
