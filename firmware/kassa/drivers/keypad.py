# SPDX-License-Identifier: MIT
"""4x4 key matrix: rows are open-drain outputs, columns are inputs with pull-ups. A key connects its column to its row.

When idle, every row is low, so one read of the columns detects any key. A press or a release counts after three equal
samples. While a key is down, only its row is driven, so a second key is detected only after the first is released. Two
keys pressed at once are ignored, so three keys cannot produce a ghost key.
"""

import asyncio
import time

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import Pin

KEYS = b"123C456B789UM0DE"  # row by row; C cancel, B clear, U up, D down, M menu, E enter

_SCAN_MS = const(10)
_SAMPLES = const(3)  # equal samples needed for a press or a release
_QUEUE = const(16)
_LONG_MS = const(60_000)
_OPEN = const(15)  # all four columns high

_IDLE = const(0)  # every row low, no key down
_DOWN = const(1)  # a key was detected, not yet debounced
_HELD = const(2)  # a key was accepted and is not released yet


class Keypad:
    """`rows`: four open-drain output pins from the top; `cols`: four input pins with pull-ups from the left."""

    def __init__(self, rows: "tuple[Pin, ...]", cols: "tuple[Pin, ...]") -> None:
        self._rows = rows
        self._cols = cols
        self._state = _IDLE
        self._row = 0
        self._pattern = _OPEN
        self._same = 0
        self._queue = bytearray(_QUEUE)
        self._first = 0
        self._count = 0
        self.last_press = time.ticks_ms()
        self._event = asyncio.Event()
        self._waiting = False  # a task waits for a key, until _due
        self._due = 0
        self._drive(-1)

    async def run(self) -> None:
        """Scan every 10 ms; never returns. Wakes the waiting task when there is a key or its time is up."""
        while True:
            self.scan()
            if self._waiting and (self._count or time.ticks_diff(time.ticks_ms(), self._due) >= 0):
                self._waiting = False
                self._event.set()
            await asyncio.sleep_ms(_SCAN_MS)

    def holds(self, keys: str) -> bool:
        """Whether all these keys are down at this moment. For the time before `run` only."""
        for key in keys:
            place = KEYS.find(key.encode())
            self._drive(place >> 2)
            down = not self._cols[place & 3]()
            self._drive(-1)
            if not down:
                return False
        return True

    async def get(self) -> int:
        """Wait for the next key, without limit, and return its character code."""
        key = 0
        while not key:
            key = await self.get_within(_LONG_MS)
        return key

    async def get_within(self, timeout_ms: int) -> int:
        """Wait for the next key; return 0 if there is none within `timeout_ms`.

        Only one task at a time may wait. `run` must be running: it ends the wait.
        """
        due = time.ticks_add(time.ticks_ms(), timeout_ms)
        while not self._count:
            if time.ticks_diff(due, time.ticks_ms()) <= 0:
                return 0
            self._due = due
            self._waiting = True
            self._event.clear()
            await self._event.wait()
        return self.take()

    def take(self) -> int:
        """Return the next key already pressed, 0 if there is none."""
        if not self._count:
            return 0
        key = self._queue[self._first]
        self._first = (self._first + 1) % _QUEUE
        self._count -= 1
        return key

    def flush(self) -> None:
        """Discard the keys pressed so far."""
        self._count = 0

    def scan(self) -> None:
        """Take one sample and update the state. Allocates nothing."""
        now = self._sample()
        if self._state == _IDLE:
            if now != _OPEN:
                self._find(now)
            return
        if self._state == _DOWN:
            if now != self._pattern:
                self._go_idle()
                return
            self._same += 1
            if self._same == _SAMPLES:
                self._press()
                self._state = _HELD
                self._same = 0
            return
        self._same = self._same + 1 if now == _OPEN else 0
        if self._same == _SAMPLES:
            self._go_idle()

    def _sample(self) -> int:
        """Return the four columns; bit 0 is the leftmost."""
        cols = self._cols
        return cols[0]() | cols[1]() << 1 | cols[2]() << 2 | cols[3]() << 3

    def _drive(self, row: int) -> None:
        """Drive this row low and release the others; -1 drives every row low."""
        for other in range(4):
            self._rows[other](0 if row < 0 or other == row else 1)

    def _go_idle(self) -> None:
        self._state = _IDLE
        self._drive(-1)

    def _find(self, seen: int) -> None:
        """Find the row of the one key that the sample `seen` shows. Two keys at once are ignored."""
        col = _column(seen)
        found = -1
        if col >= 0:
            for row in range(4):
                self._drive(row)
                if not self._cols[col]():
                    if found >= 0:
                        self._go_idle()
                        return
                    found = row
        if found < 0:
            self._go_idle()
            return
        self._row = found
        self._pattern = seen
        self._same = 1
        self._state = _DOWN
        self._drive(found)

    def _press(self) -> None:
        self.last_press = time.ticks_ms()
        if self._count < _QUEUE:
            key = KEYS[4 * self._row + _column(self._pattern)]
            self._queue[(self._first + self._count) % _QUEUE] = key
            self._count += 1


def _column(pattern: int) -> int:
    """Return the only low column of a sample; -1 unless exactly one is low."""
    low = _OPEN ^ pattern
    if low == 1:
        return 0
    if low == 2:
        return 1
    if low == 4:
        return 2
    if low == 8:
        return 3
    return -1
