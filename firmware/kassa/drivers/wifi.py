# SPDX-License-Identifier: MIT
"""The Wi-Fi station. Decides on `isconnected()` alone: the port's status codes are not reliable across chips."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from network import WLAN

_JOIN_MS = const(15000)
_PAUSE_MS = const(1000)  # a connect right after a disconnect is refused
_TRIES = const(3)  # without success, before the interface is taken down


class Wifi:
    """Takes a network.WLAN station object."""

    def __init__(self, wlan: "WLAN") -> None:
        self._wlan = wlan
        self._failed = 0  # tries in a row

    def connected(self) -> bool:
        """Whether there is a link with an address."""
        return self._wlan.isconnected()

    async def join(self, name: str, password: str) -> bool:
        """Connect if not connected; gives up after 15 s.

        After a failure of any kind the station is disconnected, for the port refuses a connect while it tries by itself;
        after some, its interface is taken down: only that helps where the port hangs in connecting.
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
        except (OSError, RuntimeError):  # RuntimeError: a code of IDF's that the port has no name for
            pass
        self._failed += 1
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
