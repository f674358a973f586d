# SPDX-License-Identifier: MIT
"""What is seen of a terminal beside its picture: the display's backlight, and the light for its state."""

_LOOK_MS = 3200  # twice the longest pattern of flows/idle/signals.py


class Backlight:
    """A backlight on a pin. `percent`: how long it is on, 0 = dark."""

    def __init__(self) -> None:
        self.percent = 0

    def pin(self, name: str, level: int) -> None:
        self.percent = 100 if level else 0

    def wave(self, frequency: int, duty: int) -> None:
        self.percent = round(duty * 100 / 65535)


class Light:
    """A light on a pin, and what a person would say that it does."""

    def __init__(self) -> None:
        self._now = 0
        self._level = 0
        self._changes: list[tuple[int, int]] = []  # (ms, new level), the latest ones

    def tick(self, now: int) -> None:
        """`now`: ms since the terminal's power-on."""
        self._now = now

    def pin(self, name: str, level: int) -> None:
        if level != self._level:
            self._level = level
            self._changes = [change for change in self._changes if self._now - change[0] < 2 * _LOOK_MS]
            self._changes.append((self._now, level))

    def power_off(self) -> None:
        self._now = self._level = 0
        self._changes = []

    def seen(self, now: int) -> str:
        """What it has done for the last seconds: "off", "on", "flashes" now and then, "blinks" or "blinks fast"."""
        recent = [change for change in self._changes if now - change[0] < _LOOK_MS]
        if not recent:
            return "on" if self._level else "off"
        if len(recent) > 12:
            return "blinks fast"
        return "blinks" if len(recent) > 4 else "flashes"
