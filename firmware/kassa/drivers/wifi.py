# SPDX-License-Identifier: MIT
"""The Wi-Fi station. Whether it is connected is `isconnected()` alone; `status()` only tells why it is not."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from network import WLAN

_JOIN_MS = const(15000)
_PAUSE_MS = const(1000)  # a connect right after a disconnect is refused
_CONNECTING = const(1001)  # network.STAT_CONNECTING of the ESP32 port
# Other values of `status()` there are the reasons of ESP-IDF (wifi_err_reason_t) for the last disconnect.
_NO_NETWORK = (201, 210, 211, 212)  # not found: at all, or not with this security, authentication or signal
_BAD_PASSWORD = (2, 14, 15, 202, 204)  # authentication expired, MIC failure, 4-way handshake, failed, handshake timeout
_TRIES = const(3)  # failed attempts before the interface is taken down


class Wifi:
    """`wlan`: a network.WLAN station object."""

    def __init__(self, wlan: "WLAN") -> None:
        self._wlan = wlan
        self._failed = 0  # consecutive failed attempts
        self.cause = ""  # why the last attempt failed: a key of screens/texts/causes_en.py

    def connected(self) -> bool:
        """Return whether the station is connected and has an IP address."""
        return self._wlan.isconnected()

    async def join(self, name: str, password: str) -> bool:
        """Connect if not connected. Returns whether the station is connected; gives up after 15 s.

        After any failure the station is disconnected, because the port refuses to connect while it retries by itself.
        After three failures in a row the interface is taken down: nothing else helps if the port hangs while
        connecting.
        """
        wlan = self._wlan
        try:
            if not wlan.isconnected():
                wlan.active(True)
                wlan.connect(name, password)
            start = ticks_ms()
            while ticks_diff(ticks_ms(), start) <= _JOIN_MS:
                if wlan.isconnected():
                    self._failed = 0
                    return True
                await asyncio.sleep_ms(100)
        except (OSError, RuntimeError):  # RuntimeError: an ESP-IDF error code that the port does not know
            pass
        self._failed += 1
        self.cause = self._reason()
        try:
            if self._failed < _TRIES:
                wlan.disconnect()
            else:
                self._failed = 0
                wlan.active(False)
        except (OSError, RuntimeError):  # nothing to disconnect
            pass
        await asyncio.sleep_ms(_PAUSE_MS)
        return False

    def _reason(self) -> str:
        """Why the station is not connected. For the moment after a failure: a disconnect forgets it."""
        try:
            state = self._wlan.status()
            if state in _BAD_PASSWORD:
                return "password"
            if state in _NO_NETWORK:
                return "network"
            if state == _CONNECTING:
                self._wlan.status("rssi")  # fails without an access point
                return "address"
        except (OSError, RuntimeError):
            pass
        return "wifi"
