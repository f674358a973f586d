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
        self.taken = (
            0  # 1: a page looks for another network, so the line does not join; 2: the page gives up its attempt
        )
        self.cause = ""  # why the last attempt failed: a key of screens/texts/causes_en.py

    def connected(self) -> bool:
        """Return whether the station is connected and has an IP address."""
        return self._wlan.isconnected()

    def signal(self) -> int:
        """How strong the signal is, from 1 to 4. 4 means at least -60 dBm."""
        try:
            dbm = self._wlan.status("rssi")
        except (OSError, RuntimeError):  # the access point has just gone
            return 1
        return (dbm >= -60) + (dbm >= -68) + (dbm >= -76) + 1

    def save_power(self, on: bool) -> None:
        """Let the radio sleep between beacons, or keep it awake: while it sleeps, an answer waits for the next beacon."""
        if on is not self._saving:
            try:
                self._wlan.config(pm=1 if on else 0)  # WLAN.PM_PERFORMANCE, PM_NONE
                self._saving = on
            except (OSError, RuntimeError):  # not while it connects
                pass

    def scan(self) -> "list[tuple[bytes, int, int]]":
        """The networks that are near, see wifi_scan.py. Blocks for about 2.4 s."""
        from kassa.drivers import wifi_scan

        return wifi_scan.near(self._wlan)

    def address(self) -> str:
        """The station's IP address."""
        return self._wlan.ifconfig()[0]

    async def leave(self) -> None:
        """Disconnect, so that another network can be joined."""
        self._asked, self._saving = False, None
        try:
            self._wlan.disconnect()
        except (OSError, RuntimeError):  # nothing to disconnect
            pass
        await asyncio.sleep_ms(_PAUSE_MS)

    async def join(self, name: bytes, password: bytes) -> bool:
        """Connect if not connected. Returns whether the station is connected; gives up after 15 s, or once `taken` changes.

        After any failure the station is disconnected, so that the next attempt may connect. After three failures in a row
        the interface is taken down: nothing else helps if the port hangs while connecting.
        """
        wlan, taken = self._wlan, self.taken
        try:
            if not self._asked and not wlan.isconnected():
                wlan.active(True)
                wlan.config(reconnects=_RECONNECTS)
                wlan.connect(name, password)  # pyright: ignore[reportArgumentType]  the port takes bytes too
                self._asked = True
            start = ticks_ms()
            while ticks_diff(ticks_ms(), start) <= _JOIN_MS and self.taken == taken:
                if wlan.isconnected():
                    self._failed = 0
                    return True
                await asyncio.sleep_ms(100)
        except (OSError, RuntimeError):  # RuntimeError: an ESP-IDF error code that the port does not know
            pass
        from kassa.drivers import wifi_fault

        self.cause = wifi_fault.reason(wlan)
        self._failed += 1
        if self._failed >= _TRIES:
            self._failed = 0
            try:
                wlan.active(False)
            except (OSError, RuntimeError):
                pass
        await self.leave()
        return False
