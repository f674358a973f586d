# SPDX-License-Identifier: MIT
"""`network` of the emulated chip: its own Wi-Fi joins the emulator's access point; the world's radio says whether it may.

So the world can still switch the network off, refuse the password or give no address.
"""

import board_network
import utime
from board_network import *  # noqa: F403
from micropython import const

import network

_JOIN_MS = const(15000)
_ACCESS_POINT = "PICSimLabWifi"  # open


class WLAN(board_network.WLAN):
    """The Wi-Fi station of the chip and of the world. Joined when both are."""

    def __init__(self, interface: int = 0) -> None:
        super().__init__(interface)
        self._own = network.WLAN(network.WLAN.IF_STA)

    def active(self, on: bool | None = None) -> bool:
        if on is not None:
            self._own.active(on)
        return super().active(on)

    def connect(self, ssid: str = "", key: str = "") -> None:
        super().connect(ssid, key)
        start = utime.ticks_ms()
        if not self._own.isconnected():
            self._own.connect(_ACCESS_POINT)
        while not self._own.isconnected() and utime.ticks_diff(utime.ticks_ms(), start) < _JOIN_MS:
            utime.sleep_ms(20)  # the chip's own time: the world's may jump

    def isconnected(self) -> bool:
        return super().isconnected() and self._own.isconnected()

    def status(self, what: str | None = None) -> int:
        if what is None and super().isconnected() and not self._own.isconnected():
            return self._own.status()
        return super().status(what) if what else super().status()

    def config(self, what: str | None = None, **settings):
        if settings:
            self._own.config(**settings)
        return super().config(what, **settings)

    def disconnect(self) -> None:
        super().disconnect()
        self._own.disconnect()

    def ifconfig(self) -> tuple:
        return self._own.ifconfig()
