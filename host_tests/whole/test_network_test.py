# SPDX-License-Identifier: MIT
"""The network test names the step that fails, and why; the steps before it are all right, those after it not tried."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.host.keys import pki

STEPS = (
    "Wi-Fi",
    "Address (DHCP)",
    "Host's name (DNS)",
    "Way to the host (TCP)",
    "Certificates (TLS)",
    "Answer of the host",
)


def results(cashier: Cashier, end: str) -> list[str]:
    """Run the test until a line says `end`; the results of the steps, "" for one that was not tried."""
    cashier.menu("network_test")
    cashier.world.wait_screen(end, 90)
    lines = cashier.drawn()
    found = []
    for step in STEPS:
        line = next(line for line in lines if line.startswith(step))
        found.append(line.removeprefix(step).strip())
    return found


def failing(cashier: Cashier) -> tuple[int, list[str]]:
    """The number of the step that failed, and the page's lines. Everything before it is all right."""
    found = results(cashier, "failed")
    step = found.index("failed")
    assert all(result.startswith(("OK", "192.")) for result in found[:step]), found
    assert not any(found[step + 1 :]), found
    return step, cashier.drawn()


def begun(cashier: Cashier, words: str) -> Cashier:
    """A terminal with a fault, on its home page."""
    cashier.world.power_on()
    cashier.world.wait_screen(words, 30)
    return cashier


def test_every_step_is_all_right_and_the_till_sells(cashier: Cashier) -> None:
    cashier.world.run_for(8000)  # the connection has ended
    found = results(cashier, "Answer of the host  OK")
    assert found[1] == "192.168.4.20" and all(result.startswith("OK") for result in found[:1] + found[2:])
    cashier.world.press("C")
    cashier.home()
    cashier.sell(1250)
    assert cashier.agree() == 1250


@pytest.mark.parametrize(
    ("step", "said", "fault"),
    [
        (0, "Offline: wrong Wi-Fi password", {"key": "another"}),
        (0, "Offline: Wi-Fi network not found", {"network": "another-shop"}),
        (1, "Offline: Wi-Fi gives no address", {"fault": "no_address"}),
        (2, "Host name not found", {"hosts": set()}),
        (3, "Host cannot be reached", {"host_port": None}),
        (4, "Host does not answer", {"state": "half_open"}),
        (4, "Not the host: network login page?", {"state": "portal"}),
    ],
)
def test_the_step_that_fails_is_named(make_cashier: Callable[..., Cashier], step: int, said: str, fault: dict) -> None:
    cashier = make_cashier()
    for name, value in fault.items():
        setattr(cashier.world.radio, name, value)
    failed, lines = failing(begun(cashier, said))
    assert failed == step and any(said in line for line in lines), lines
    cashier.world.press("C")
    cashier.home()


def test_a_certificate_that_has_expired(make_cashier: Callable[..., Cashier], monkeypatch, tmp_path: Path) -> None:
    home = tmp_path / "system" / "host"
    ca = pki.ensure(home)
    monkeypatch.setattr(pki, "_HOST_LASTS", datetime.timedelta(days=-1))
    pki.host_identity(ca).save(home, "host")
    monkeypatch.undo()
    failed, lines = failing(begun(make_cashier(), "Host certificate has expired"))
    assert failed == 4 and any("Host certificate has expired" in line for line in lines)


def test_it_can_be_left_at_any_time(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier()
    cashier.world.radio.state = "half_open"
    begun(cashier, "Host does not answer")
    cashier.menu("network_test")
    cashier.page("Way to the host (TCP)")
    cashier.world.press("C")
    cashier.home()
    cashier.world.radio.state = "on"
    cashier.world.wait_screen("Online", 90)
    cashier.sell(700)
