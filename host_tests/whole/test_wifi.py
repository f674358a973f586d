# SPDX-License-Identifier: MIT
"""A Wi-Fi driver that refuses to connect, or hangs while connecting, recovers without a restart."""

import pytest


@pytest.mark.parametrize("fault", ["refuses", "hangs"])
def test_the_station_recovers_from_repeated_driver_faults(cashier, fault: str) -> None:
    """Twice, because one recovery must not prevent the next."""
    for amount in (700, 800):
        cashier.world.radio.fault = fault
        cashier.world.wait_screen("Offline", 30)
        cashier.sell(amount, "amber", "Accepted")
        begin = cashier.world.now
        cashier.world.wait(lambda: cashier.sees("All sent") or cashier.world.now > begin + 120_000, "the line", 60)  # noqa: B023
        assert cashier.sees("All sent"), cashier.world.screen_text()
    assert cashier.agree() == 1500


def test_the_station_reconnects_after_minutes_without_an_access_point(cashier) -> None:
    """It keeps trying, switching the interface off now and then; the first attempt with an access point succeeds."""
    cashier.go_offline()
    cashier.sell(700, "amber", "Accepted")
    cashier.world.run_for(300_000, 120)
    assert cashier.sees("Offline")
    cashier.world.radio.state = "on"
    begin = cashier.world.now
    cashier.world.wait_screen("All sent", 60)
    assert cashier.world.now - begin < 30_000
    assert cashier.agree() == 700
