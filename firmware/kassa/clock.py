# SPDX-License-Identifier: MIT
"""The wall clock: seconds since 2000-01-01, local time. Untrusted until the host has sent its authenticated time."""

from time import ticks_add, ticks_diff, ticks_ms


class Clock:
    """Counts ticks from a base time. The base is the latest time stored in flash, then the host's time."""

    def __init__(self) -> None:
        self.trusted = False
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

    def trust(self, at: int) -> None:
        """Set the clock to the host's authenticated time."""
        self._set(at)
        self.trusted = True

    def _set(self, at: int) -> None:
        self._base = at
        self._ticks = ticks_ms()
