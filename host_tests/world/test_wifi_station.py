# SPDX-License-Identifier: MIT
"""The station behaves as MicroPython's port for the ESP32 does, in the ways that its users have reported."""

import pytest

from boards.unix import wiring
from tools.world import wifi_station
from tools.world.wifi_station import CONNECTING, GOT_IP, IDLE, Station

JOIN = """
import asyncio, network
async def join(seconds):
    wifi = network.WLAN(network.STA_IF)
    wifi.active(True)
    wifi.connect("shop", "secret")
    await asyncio.sleep(seconds)
    return wifi
"""
CONNECT = b"shop\0secret"


@pytest.fixture
def station() -> Station:
    made = Station()
    made.command(wiring.WLAN_ON, b"", 0, "")
    return made


def ask(station: Station, now: int, air: str = "", command: int = wiring.WLAN_STATUS, data: bytes = b"") -> int:
    """Give a command at virtual time `now`; returns the status, -1 if it is refused."""
    reply = station.command(command, data, now, air)
    return -1 if reply[3] & wiring.WLAN_REFUSED else reply[0] | reply[1] << 8


def connect(station: Station, now: int, air: str = "") -> int:
    return ask(station, now, air, wiring.WLAN_CONNECT, CONNECT)


def test_7139_and_17661_a_connect_is_refused_while_it_connects_or_is_connected(station: Station) -> None:
    assert connect(station, 0) == CONNECTING
    assert connect(station, 100) == -1
    assert ask(station, 400) == GOT_IP
    assert connect(station, 500) == -1
    assert station.refused_connects == 2


def test_4992_the_port_connects_again_for_ever(station: Station) -> None:
    connect(station, 0, "no_ap")
    assert ask(station, 3_600_000, "no_ap") == wifi_station.NO_AP_FOUND
    assert connect(station, 3_600_000, "no_ap") == -1
    assert ask(station, 3_603_000) == GOT_IP


def test_12315_or_as_often_as_it_was_told(station: Station) -> None:
    assert ask(station, 0, "", wiring.WLAN_RECONNECTS, b"\x03") == IDLE
    connect(station, 0, "no_ap")
    ask(station, 7200, "no_ap")
    assert ask(station, 60_000) == wifi_station.NO_AP_FOUND, "it has stopped, and does not say so"
    assert connect(station, 60_000) != -1


def test_5326_a_missing_network_is_told_while_it_still_connects(station: Station) -> None:
    connect(station, 0, "no_ap")
    assert ask(station, 2400, "no_ap") == wifi_station.NO_AP_FOUND
    assert connect(station, 2500, "no_ap") == -1


def test_11625_a_wrong_password_is_reason_15_then_205(station: Station) -> None:
    connect(station, 0, "wrong_key")
    assert ask(station, 3000, "wrong_key") == CONNECTING, "15 is hidden"
    assert ask(station, 6000, "wrong_key") == wifi_station.AUTH_FAIL, "205 is shown as 202"
    assert ask(station, 9000, "wrong_key") == CONNECTING


def test_11625_the_last_reason_shows_once_the_port_has_stopped(station: Station) -> None:
    ask(station, 0, "", wiring.WLAN_RECONNECTS, b"\x03")
    connect(station, 0, "wrong_key")
    assert ask(station, 15_000, "wrong_key") == wifi_station.HANDSHAKE_TIMEOUT


def test_3967_without_its_access_point_it_is_not_connected(station: Station) -> None:
    connect(station, 0)
    ask(station, 400)
    assert ask(station, 5000, "no_ap") == CONNECTING
    assert ask(station, 8000, "no_ap") == wifi_station.NO_AP_FOUND
    assert ask(station, 11_000) == GOT_IP, "it is back, and nobody had to connect"


def test_a_reason_of_an_earlier_attempt_shows_during_the_next(station: Station) -> None:
    """micropython-mqtt issue 129: after a disconnect it reads as idle, and is connected all the same."""
    connect(station, 0)
    ask(station, 400)
    ask(station, 500, "", wiring.WLAN_DISCONNECT)
    assert connect(station, 1500) == IDLE
    assert ask(station, 1600) == IDLE
    assert ask(station, 1900) == GOT_IP


def test_without_an_address_it_has_an_access_point_and_reads_as_connecting(station: Station) -> None:
    station.drop(0, "no_address")
    connect(station, 0)
    reply = station.command(wiring.WLAN_STATUS, b"", 10_000, "")
    assert reply[3] == wiring.WLAN_HAS_AP and reply[0] | reply[1] << 8 == CONNECTING


def test_a_wrong_key_reads_as_connecting_at_first(run_script) -> None:
    """micropython issue 11625: reason 15, hidden while the port connects again by itself; then 205, shown as 202."""
    world = run_script(
        JOIN
        + """
async def main():
    wifi = await join(5)
    print(wifi.status() == network.STAT_CONNECTING)
    await asyncio.sleep(2)
    print(wifi.status() == network.STAT_WRONG_PASSWORD)
asyncio.run(main())
"""
    )
    world.radio.key = "another"
    world.wait_off()
    assert world.console.splitlines() == ["True", "True"]


def test_a_busy_station_refuses_with_an_oserror(run_script) -> None:
    """micropython issues 17661 (connecting) and 7139 (connected); a setting while it connects is refused too."""
    world = run_script(
        """
import asyncio, network
def attempt(what, *values, **settings):
    try:
        what(*values, **settings)
        print("done")
    except OSError as error:
        print(error)
async def main():
    wifi = network.WLAN(network.STA_IF)
    attempt(wifi.connect, "shop", "secret")
    wifi.active(True)
    wifi.connect("shop", "secret")
    attempt(wifi.connect, "shop", "secret")
    attempt(wifi.config, pm=wifi.PM_NONE)
    while not wifi.isconnected():
        await asyncio.sleep_ms(100)
    attempt(wifi.connect, "shop", "secret")
    attempt(wifi.config, pm=wifi.PM_NONE)
    wifi.disconnect()
    attempt(wifi.connect, "shop", "secret")
asyncio.run(main())
"""
    )
    world.wait_off()
    assert world.console.splitlines() == [
        "Wifi Not Started",
        "Wifi Internal Error",
        "Wifi Internal State Error",
        "Wifi Internal Error",
        "done",
        "done",
    ]
    assert not world.radio.station_chip.saves_power
