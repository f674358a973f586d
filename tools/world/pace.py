# SPDX-License-Identifier: MIT
"""Decides when time may jump: only during a wait, never past its end, and never while real work is under way."""

import threading
import time
from collections.abc import Callable

CREDIT_MS = 250  # virtual ms the terminal may jump before it asks again
WAIT_MS = 5  # real ms the terminal waits where time may not jump
_LONGEST_JUMP_MS = 600_000
_LOOK_S = 0.03  # real seconds between checks while the terminal takes no turns
NEVER = 1 << 62


class _Waiter:
    def __init__(self, ready: Callable[[], bool], until: int) -> None:
        self._ready = ready
        self.until = until
        self.done = False
        self.error: BaseException | None = None

    def check(self) -> None:
        if self.done:
            return
        try:
            self.done = bool(self._ready())
        except BaseException as error:  # raised in the waiting thread, not in the checking one
            self.error = error
            self.done = True


class Pace:
    """Controls the virtual clock. All methods run under `lock`, which also guards the chips."""

    def __init__(self, jumps: bool, busy: Callable[[], bool]) -> None:
        self.jumps = jumps
        self.lock = threading.Condition(threading.RLock())
        self._busy = busy  # is any real input or output under way?
        self._waiters: list[_Waiter] = []
        self._last_turn = 0.0

    def turn(self, due: int, now: int) -> tuple[int, int, int]:
        """The terminal is idle at `now` for `due` ms (-1: no deadline). Returns (jump, credit, real ms to wait)."""
        self._last_turn = time.monotonic()
        if due == 0:
            return 0, 0, 0
        for waiter in self._waiters:
            waiter.check()
        waiting = [waiter for waiter in self._waiters if not waiter.done]
        if len(waiting) < len(self._waiters):
            self.lock.notify_all()
        if not self.jumps or not waiting or due < 0 or self._busy():
            return 0, 0, WAIT_MS if due < 0 else min(due, WAIT_MS)
        room = min(waiter.until for waiter in waiting) - now
        jump = max(0, min(due, room, _LONGEST_JUMP_MS))
        return jump, max(0, min(CREDIT_MS, room - jump)), 0

    def wait(self, ready: Callable[[], bool], timeout: float, alarm: Callable[[], None], until: int = NEVER) -> bool:
        """Let time run until `ready()`, checked on every turn of the terminal. `timeout` is in real seconds.

        No jump goes past the virtual time `until`. While the terminal takes no turns (it is off or busy), `ready` is
        still checked from time to time. `alarm` is called regularly and may raise. Returns False on time-out.
        """
        with self.lock:
            waiter = _Waiter(ready, until)
            waiter.check()
            self._waiters.append(waiter)
            end = time.monotonic() + timeout
            try:
                while not waiter.done:
                    left = end - time.monotonic()
                    if left <= 0:
                        break
                    self.lock.wait(min(left, _LOOK_S))
                    alarm()
                    if time.monotonic() - self._last_turn > _LOOK_S:
                        waiter.check()
            finally:
                self._waiters.remove(waiter)
            if waiter.error:
                raise waiter.error
            return waiter.done
