# SPDX-License-Identifier: MIT
"""The Wi-Fi station. Decides on `isconnected()` alone: the port's status codes are not reliable across chips."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from network import WLAN

_JOIN_MS = const(15000)
_PAUSE_MS = const(1000)


class Wifi:
    """Takes a network.WLAN station object."""

    def __init__(self, wlan: "WLAN") -> None:
        self._wlan = wlan

    def connected(self) -> bool:
        """Whether there is a link with an address."""
        return self._wlan.isconnected()

    async def join(self, name: str, password: str) -> bool:
        """Connect if not connected; gives up after 15 s, disconnecting fully before the next try."""
        wlan = self._wlan
        if wlan.isconnected():
            return True
        wlan.active(True)
        try:
            wlan.connect(name, password)
        except OSError:
            await asyncio.sleep_ms(_PAUSE_MS)
            return False
        start = ticks_ms()
        while not wlan.isconnected():
            if ticks_diff(ticks_ms(), start) > _JOIN_MS:
                wlan.disconnect()
                return False
            await asyncio.sleep_ms(100)
        return True
