# SPDX-License-Identifier: MIT
"""The station recovers from every loss without a restart, and its radio sleeps only when there is nothing to send."""

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
    assert cashier.world.radio.station_chip.refused_connects == 0, "it never connects while the port does"


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
    assert cashier.world.radio.station_chip.refused_connects == 0, "it never connects while the port does"


def test_the_radio_sleeps_only_while_nothing_waits_to_be_sent(cashier) -> None:
    chip = cashier.world.radio.station_chip
    cashier.world.run_for(10_000)  # the connection of the sign-on has ended
    assert chip.saves_power
    cashier.world.radio.state = "half_open"  # Wi-Fi works, the host is not reached
    cashier.offer(700, "amber")
    cashier.world.wait_screen("Authorising", 30)
    cashier.world.run_for(2_000)
    assert not chip.saves_power, "a payment waits for its answer"
    cashier.world.wait_screen("Take it offline?", 60)
    cashier.world.press("E")
    cashier.end("Accepted")
    for _ in range(4):  # between attempts too
        cashier.world.run_for(7_000)
        assert not chip.saves_power
    cashier.drain()
    assert not chip.saves_power, "the connection is kept open for the next sale"
    cashier.world.run_for(10_000)
    assert chip.saves_power
    assert cashier.agree() == 700


def test_an_access_point_that_vanishes_in_mid_drain(cashier) -> None:
    """No reset comes, the bytes are lost: the courier gives up in bounded time, and goes on when it is back."""
    radio, amounts = cashier.world.radio, [300 + number for number in range(6)]
    for number, amount in enumerate(amounts):
        cashier.go_offline()
        cashier.sell(amount, ("amber", "coral", "jade")[number % 3], "Accepted")
    seen, heard = [], cashier.host.counters["answer_0810"]

    def vanish(way: str, data: bytes) -> None:
        """Once the first payments have gone up, after the handshake: the terminal does not know then what the host has."""
        if way == "up" and cashier.host.counters["answer_0810"] > heard and not seen:
            seen.append(len(data))
            radio.vanish()

    radio.tap = vanish
    radio.state = "on"
    cashier.world.wait(lambda: seen, "the first payments", 60)
    begin = cashier.world.now
    cashier.world.wait_screen("Offline", 60)
    assert cashier.world.now - begin < 30_000, "it gives up in bounded time"
    assert sum(state == "accepted" for state in map(cashier.journal().state, cashier.journal().records.values()))
    cashier.world.run_for(120_000)
    radio.state = "on"
    cashier.world.wait_screen("All sent", 60)
    assert sorted(amount for amount, _ in cashier.ledger()) == sorted(amounts), "each once"
    assert cashier.agree() == sum(amounts)
    assert radio.station_chip.refused_connects == 0
