# SPDX-License-Identifier: MIT
"""Each status of the ESP32 port, as network_wlan.c of MicroPython 1.26 gives it, and what the screen says of it."""

import pytest

from kassa.drivers import wifi_fault


class Wlan:
    def __init__(self, status: int, signal: int | None = None) -> None:
        self._status, self._signal = status, signal

    def status(self, what: str = "") -> int:
        if what == "rssi":
            if self._signal is None:
                raise OSError("Wifi Not Connected")
            return self._signal
        return self._status


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (2, "password"),  # AUTH_EXPIRE: micropython issue 3537, ESP-IDF issue 3246
        (14, "password"),  # MIC_FAILURE
        (15, "password"),  # 4WAY_HANDSHAKE_TIMEOUT: micropython issue 11625
        (202, "password"),  # STAT_WRONG_PASSWORD, which stands for 205 (CONNECTION_FAIL) too
        (204, "password"),  # STAT_HANDSHAKE_TIMEOUT
        (201, "network"),  # STAT_NO_AP_FOUND
        (210, "network"),  # STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY
        (211, "network"),  # STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD
        (212, "network"),  # STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD
        (200, "wifi"),  # STAT_BEACON_TIMEOUT
        (203, "wifi"),  # STAT_CONNECT_FAIL
        (1000, "wifi"),  # STAT_IDLE
        (1001, "wifi"),  # STAT_CONNECTING
    ],
)
def test_without_an_access_point_the_status_tells(status: int, cause: str) -> None:
    assert wifi_fault.reason(Wlan(status)) == cause


@pytest.mark.parametrize("status", [1000, 1001, 201, 8])
def test_with_an_access_point_the_address_is_missing_whatever_an_earlier_attempt_left(status: int) -> None:
    """micropython-mqtt issue 129: the status is that of the last failure until there is an address."""
    assert wifi_fault.reason(Wlan(status, -60)) == "address"
