# SPDX-License-Identifier: MIT
"""The wall clock: seconds since 2000-01-01, local time as the host set it. Untrusted until a host's authenticated time."""

from time import ticks_add, ticks_diff, ticks_ms


class Clock:
    """Runs on from a base by ticks; `floor` is the latest time known to have passed."""

    def __init__(self) -> None:
        self.trusted = False
        self._base = 0
        self._ticks = ticks_ms()

    def now(self) -> int:
        """The time; before the host was heard, the persisted floor and what ran since boot."""
        elapsed = ticks_diff(ticks_ms(), self._ticks) // 1000
        while elapsed > 3600:  # move the base along, ticks wrap
            self._base += 3600
            self._ticks = ticks_add(self._ticks, 3600000)
            elapsed -= 3600
        return self._base + elapsed

    def floor(self, at: int) -> None:
        """The persisted time at boot: now is not before it."""
        if not self.trusted and at > self.now():
            self._set(at)

    def trust(self, at: int) -> None:
        """Take over the host's authenticated time."""
        self._set(at)
        self.trusted = True

    def _set(self, at: int) -> None:
        self._base = at
        self._ticks = ticks_ms()
