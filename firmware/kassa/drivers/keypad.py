# SPDX-License-Identifier: MIT
"""A 4x4 key matrix: rows are open-drain outputs, columns inputs with pull-ups; a key ties its column to its row.

At rest every row is low, so one look at the columns finds any key. A press counts after three equal samples, a release
likewise. While a key is down only its row is driven: a second key waits for the first to be released, and two keys at
once are nobody's, so a ghost of three keys cannot appear.
"""

import asyncio
import time

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import Pin

KEYS = b"123C456B789UM0DE"  # row by row; C cancel, B clear, U up, D down, M menu, E enter

_SCAN_MS = const(10)
_SAMPLES = const(3)  # equal samples that make a press or a release
_QUEUE = const(16)
_LONG_MS = const(60_000)
_OPEN = const(15)  # all four columns high

_REST = const(0)  # every row low, nothing down
_DOWN = const(1)  # a key was seen, not yet believed
_HELD = const(2)  # a key was believed and is not released yet


class Keypad:
    """`rows`: four open-drain output pins from the top; `cols`: four input pins with pull-ups from the left."""

    def __init__(self, rows: "tuple[Pin, ...]", cols: "tuple[Pin, ...]") -> None:
        self._rows = rows
        self._cols = cols
        self._state = _REST
        self._row = 0
        self._pattern = _OPEN
        self._same = 0
        self._queue = bytearray(_QUEUE)
        self._first = 0
        self._count = 0
        self.last_press = time.ticks_ms()
        self._event = asyncio.Event()
        self._waited = False  # somebody waits for a key, until _due
        self._due = 0
        self._drive(-1)

    async def run(self) -> None:
        """Scan for ever, every 10 ms; wakes who waits for a key when there is one, or when the wait is over."""
        while True:
            self.scan()
            if self._waited and (self._count or time.ticks_diff(time.ticks_ms(), self._due) >= 0):
                self._waited = False
                self._event.set()
            await asyncio.sleep_ms(_SCAN_MS)

    async def get(self) -> int:
        """The next key, as the code of its character; waits for one without limit."""
        key = 0
        while not key:
            key = await self.get_within(_LONG_MS)
        return key

    async def get_within(self, timeout_ms: int) -> int:
        """The next key, or 0 after `timeout_ms` without one. One task at a time may wait; `run` keeps the time."""
        due = time.ticks_add(time.ticks_ms(), timeout_ms)
        while not self._count:
            if time.ticks_diff(due, time.ticks_ms()) <= 0:
                return 0
            self._due = due
            self._waited = True
            self._event.clear()
            await self._event.wait()
        return self.take()

    def take(self) -> int:
        """The next key that was already pressed, 0 if none."""
        if not self._count:
            return 0
        key = self._queue[self._first]
        self._first = (self._first + 1) % _QUEUE
        self._count -= 1
        return key

    def flush(self) -> None:
        """Forget the keys pressed so far."""
        self._count = 0

    def scan(self) -> None:
        """Take one sample. Allocates nothing."""
        now = self._sample()
        if self._state == _REST:
            if now != _OPEN:
                self._find(now)
            return
        if self._state == _DOWN:
            if now != self._pattern:
                self._rest()
                return
            self._same += 1
            if self._same == _SAMPLES:
                self._press()
                self._state = _HELD
                self._same = 0
            return
        self._same = self._same + 1 if now == _OPEN else 0
        if self._same == _SAMPLES:
            self._rest()

    def _sample(self) -> int:
        """The four columns, bit 0 the leftmost."""
        cols = self._cols
        return cols[0]() | cols[1]() << 1 | cols[2]() << 2 | cols[3]() << 3

    def _drive(self, row: int) -> None:
        """Pull this row low and let the others go; -1 pulls every row."""
        for other in range(4):
            self._rows[other](0 if row < 0 or other == row else 1)

    def _rest(self) -> None:
        self._state = _REST
        self._drive(-1)

    def _find(self, seen: int) -> None:
        """Which row holds the one key that `seen` shows? Two keys are nobody's."""
        col = _column(seen)
        found = -1
        if col >= 0:
            for row in range(4):
                self._drive(row)
                if not self._cols[col]():
                    if found >= 0:
                        self._rest()
                        return
                    found = row
        if found < 0:
            self._rest()
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
    """The one low column of a sample; -1 when it is not exactly one."""
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
