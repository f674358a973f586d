# SPDX-License-Identifier: MIT
"""What every board with an ESP32 has: partitions, watchdog, clock, entropy, reset. A board adds its chips and pins."""

import os

from micropython import const

import machine
from esp32 import Partition
from machine import RTC, WDT, Pin

_WATCHDOG_MS = const(20000)


def output(pin: int, level: int = 1) -> Pin:
    """An output pin at `level`."""
    return Pin(pin, Pin.OUT, value=level)


def _partition(label: str) -> Partition:
    return Partition.find(Partition.TYPE_DATA, label=label)[0]


class Esp32Board:
    """The part of a Board (kassa/hardware.py) that does not depend on its pins."""

    spare_memory = False  # a board with PSRAM sets it: overlay.py drops no module then

    def __init__(self) -> None:
        self.watchdog = WDT(timeout=_WATCHDOG_MS)
        self.rtc = RTC()
        self.journal = _partition("journal")
        self.keyring = _partition("keyring")
        self.settings = _partition("settings")
        self.cards = _partition("cards")
        self.entropy = os.urandom

    def reset_cause(self) -> str:
        """Why the terminal starts: "power", "watchdog" or "soft"."""
        cause = machine.reset_cause()
        return "power" if cause == machine.PWRON_RESET else "watchdog" if cause == machine.WDT_RESET else "soft"

    def reset(self) -> None:
        """Start again. Does not return."""
        machine.reset()
