# SPDX-License-Identifier: MIT
"""The wall clock: seconds since 2000-01-01, local time. Untrusted until the host has sent its authenticated time.

The chip's own clock (machine.RTC) serves only TLS, which checks dates of certificates by it, so it is in UTC. Nothing reads
money's time from it. It wakes at 2000-01-01, so boot sets it to the latest time the terminal has reason to believe in. Its
date is a tuple, so it does not matter that `time` counts from 2000 on the ESP32 and from 1970 on Unix.
"""

from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Rtc


class Clock:
    """Counts ticks from a base time. The base is the latest time stored in flash, then the host's time."""

    def __init__(self, rtc: "Rtc | None" = None) -> None:
        """`rtc`: the chip's own clock, set whenever the host sends its time."""
        self.trusted = False
        self._rtc = rtc
        self._base = 0
        self._ticks = ticks_ms()

    def now(self) -> int:
        """The current time. Before the host was heard: the stored time plus the time since boot."""
        elapsed = ticks_diff(ticks_ms(), self._ticks) // 1000
        while elapsed > 3600:  # ticks wrap: move the base forward
            self._base += 3600
            self._ticks = ticks_add(self._ticks, 3600000)
            elapsed -= 3600
        return self._base + elapsed

    def advance_to(self, at: int) -> None:
        """Set the clock forward to `at`, the latest time stored in flash. For boot; a trusted clock is not changed."""
        if not self.trusted and at > self.now():
            self._set(at)

    def trust(self, at: int, east: int = 0) -> None:
        """Set the clock to the host's authenticated time. `east`: seconds that local time is ahead of UTC."""
        self._set(at)
        self.trusted = True
        if self._rtc:
            set_rtc(self._rtc, at - east)

    def _set(self, at: int) -> None:
        self._base = at
        self._ticks = ticks_ms()


def wake_rtc(rtc: "Rtc", at: int) -> None:
    """Set the chip's clock forward to `at`, seconds since 2000 UTC; never backwards. For boot."""
    from kassa.calendar import seconds

    year, month, day, _, hour, minute, second = rtc.datetime()[:7]
    try:
        if seconds(year, month, day, hour, minute, second) >= at:
            return
    except ValueError:  # it stands at no date at all
        pass
    set_rtc(rtc, at)


def set_rtc(rtc: "Rtc", at: int) -> None:
    """Set the chip's clock to `at`, seconds since 2000 UTC."""
    from kassa.calendar import date

    year, month, day, hour, minute, second = date(at)
    rtc.datetime((year, month, day, 0, hour, minute, second, 0))  # it finds the day of the week itself
