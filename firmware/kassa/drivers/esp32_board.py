# SPDX-License-Identifier: MIT
"""What every board with an ESP32 has: partitions, watchdog, clock, entropy, reset; and beeps, if it has a buzzer.

A board adds its chips and pins.
"""

import asyncio
import os

from micropython import const

import machine
from esp32 import Partition
from machine import RTC, WDT, Pin

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.drivers.ili9341 import ILI9341
    from kassa.drivers.keypad import Keypad

_WATCHDOG_MS = const(20000)
_HALF = const(32768)  # duty_u16 of a square wave
_GAP_MS = const(100)


def output(pin: int, level: int = 1) -> Pin:
    """An output pin at `level`."""
    return Pin(pin, Pin.OUT, value=level)


def _partition(label: str) -> Partition:
    """The data partition with this label. If it is missing, its first use fails, not the board: a page can say so."""
    found = Partition.find(Partition.TYPE_DATA, label=label)
    return found[0] if found else None  # pyright: ignore[reportReturnType]


class Esp32Board:
    """The part of a Board (kassa/hardware.py) that does not depend on its pins."""

    display: "ILI9341"  # of the board
    keypad: "Keypad"
    buzzer: Pin | None = None  # the pin of a passive buzzer
    led: Pin | None = None  # the pin of a light
    loud = 3  # 0: silent
    sounding = False
    _beeps = 0  # begun so far: the newest one has the buzzer
    display_miso = True  # the display's MISO is wired
    spare_memory = False  # true on a board with PSRAM: overlay.py drops no module then
    _watchdog: "WDT | None" = None

    def __init__(self) -> None:
        self.rtc = RTC()
        self.journal = _partition("journal")
        self.keyring = _partition("keyring")
        self.settings = _partition("settings")
        self.cards = _partition("cards")
        self.entropy = os.urandom

    @property
    def watchdog(self) -> WDT:
        """The watchdog. It starts when it is first asked for and cannot be stopped: safe mode does without it."""
        if self._watchdog is None:
            self._watchdog = WDT(timeout=_WATCHDOG_MS)
        return self._watchdog

    @property
    def sounds(self) -> bool:
        """Whether it beeps during work: a beep takes memory that is short elsewhere."""
        return self.buzzer is not None and self.spare_memory

    def shine(self, level: int) -> bool:
        """Set the display's brightness, 1 to 5. Returns whether there is any to set."""
        from kassa.drivers import backlight

        return backlight.shine(self.display, level)

    async def beep(self, beep: str) -> None:
        """Play a beep: "key", "tap", "declined", "display", or a kind of screens/message.py. For a board with a buzzer only.

        A newer beep ends it, but a click of a key ends none. Silent afterwards, even if it is cancelled. Other tasks go on
        meanwhile; a tone lasts longer if one of them holds the processor, as a TLS handshake does. (No table and no module
        of its own: they take heap.)
        """
        if beep == "key" and self.sounding:
            return
        from machine import PWM

        duty = _HALF >> 2 * (3 - self.loud)  # of a piezo: about 12 dB a level
        tone, ms, left = 1000, 120, 3  # not taken, cancelled, or its end is not known: three, look at the display
        if beep == "tap":  # the card has been read
            tone, ms, left = 2700, 50, 1
        elif beep == "key":
            tone, ms, left, duty = 3500, 12, 1, duty >> 2
        elif beep in "ok hold":  # approved, accepted: short
            tone, ms, left = 2000, 150, 1
        elif beep == "declined":  # long
            tone, ms, left = 500, 600, 1
        elif beep == "display":  # it does not answer: long, short, short
            tone, ms, duty = 400, 600, _HALF
        mine = self._beeps = self._beeps + 1 & 0xFFFF
        pwm = PWM(self.buzzer, freq=tone, duty_u16=duty)  # pyright: ignore[reportArgumentType]  it has one
        self.sounding = True
        try:
            while True:
                await asyncio.sleep_ms(ms)
                left -= 1
                if not left or self._beeps != mine:
                    return
                pwm.duty_u16(0)
                await asyncio.sleep_ms(_GAP_MS)
                if self._beeps != mine:
                    return
                pwm.duty_u16(duty)
                ms = 120
        finally:
            if self._beeps == mine:
                pwm.duty_u16(0)
                self.sounding = False

    def display_answers(self) -> bool:
        """Whether the display, once started, answers. True as well if it cannot: without MISO nobody can tell."""
        if not self.display_miso:
            return True
        from kassa.drivers import display_probe

        return display_probe.answers(self.display)

    def safe_mode_reason(self) -> str:
        """Count this start. Returns "keys", "resets" or "", see starts.py. Call it once, before anything is started."""
        from kassa.drivers import starts

        return starts.safe_mode_reason(self.keypad)

    def forget_resets(self) -> None:
        """The terminal works, or somebody wants it to try again: count resets from zero."""
        from kassa.drivers import starts

        starts.clear()

    def reset_cause(self) -> str:
        """Why the terminal starts: "power", "watchdog" or "soft"."""
        cause = machine.reset_cause()
        return "power" if cause == machine.PWRON_RESET else "watchdog" if cause == machine.WDT_RESET else "soft"

    def reset(self) -> None:
        """Start again. Does not return."""
        machine.reset()
