# SPDX-License-Identifier: MIT
"""The Wi-Fi station. Whether it is connected is `isconnected()` alone: `status()` may still tell of an earlier attempt.

The port connects again by itself after a loss, and refuses a connect meanwhile (OSError; micropython issues 7139, 17661), so
this driver connects only when it has not asked before, or has disconnected since.
"""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from network import WLAN

_JOIN_MS = const(15000)
_PAUSE_MS = const(1000)  # a connect right after a disconnect is refused
_TRIES = const(3)  # failed attempts before the interface is taken down
# How often the port connects again by itself. It must end before _JOIN_MS has passed: until then it reports a wrong password
# as "still connecting" (micropython issue 11625).
_RECONNECTS = const(2)


class Wifi:
    """`wlan`: a network.WLAN station object."""

    def __init__(self, wlan: "WLAN") -> None:
        self._wlan = wlan
        self._asked = False  # to connect, and not to disconnect since
        self._saving: bool | None = None  # whether the radio sleeps between beacons, None = unknown
        self._failed = 0  # consecutive failed attempts
        self.cause = ""  # why the last attempt failed: a key of screens/texts/causes_en.py

    def connected(self) -> bool:
        """Return whether the station is connected and has an IP address."""
        return self._wlan.isconnected()

    def save_power(self, on: bool) -> None:
        """Let the radio sleep between beacons, or keep it awake: while it sleeps, an answer waits for the next beacon."""
        if on is not self._saving:
            try:
                self._wlan.config(pm=1 if on else 0)  # WLAN.PM_PERFORMANCE, PM_NONE
                self._saving = on
            except (OSError, RuntimeError):  # not while it connects
                pass

    async def join(self, name: str, password: str) -> bool:
        """Connect if not connected. Returns whether the station is connected; gives up after 15 s.

        After any failure the station is disconnected, so that the next attempt may connect. After three failures in a row
        the interface is taken down: nothing else helps if the port hangs while connecting.
        """
        wlan = self._wlan
        try:
            if not self._asked and not wlan.isconnected():
                wlan.active(True)
                wlan.config(reconnects=_RECONNECTS)
                wlan.connect(name, password)
                self._asked = True
            start = ticks_ms()
            while ticks_diff(ticks_ms(), start) <= _JOIN_MS:
                if wlan.isconnected():
                    self._failed = 0
                    return True
                await asyncio.sleep_ms(100)
        except (OSError, RuntimeError):  # RuntimeError: an ESP-IDF error code that the port does not know
            pass
        from kassa.drivers import wifi_fault

        self.cause = wifi_fault.reason(wlan)
        self._failed += 1
        self._asked, self._saving = False, None
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
