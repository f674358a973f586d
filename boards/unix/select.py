# SPDX-License-Identifier: MIT
"""`select` with a poll that lets ticks jump: if nothing is ready, the world decides whether time may jump ahead.

asyncio takes its poller from here; the event loop itself is MicroPython's own.
"""

import struct
import time

import uselect
import utime
from micropython import const
from uselect import *  # noqa: F403

import bus
import machine
import wiring
import world_requests

_ASK_EVERY = const(10)  # real ms: even a loop that is never idle contacts the world this often
_LOOK_EVERY = const(4)  # real ms between polls of a busy loop
_NONE = ()


class Poll:
    """The part of `select.poll` that asyncio needs."""

    def __init__(self) -> None:
        self._poll = uselect.poll()
        self._asked = self._looked = utime.ticks_ms()

    def register(self, stream, events: int) -> None:
        bus.credit = 0  # a task starts waiting for real bytes: contact the world before time passes
        self._poll.register(stream, events)

    def modify(self, stream, events: int) -> None:
        bus.credit = 0
        self._poll.modify(stream, events)

    def unregister(self, stream) -> None:
        self._poll.unregister(stream)

    def ipoll(self, due: int) -> list | tuple:
        """The streams that are ready; none after `due` ms, or slightly earlier. With -1, waits until one is ready.

        Polling takes 1 ms if one is a TLS stream (the Unix port's polling period for those). So a loop with other work
        polls only every few ms, and not at all while it uses up credit.
        """
        if 0 < due <= bus.credit:
            bus.credit -= due
            time.jump(due)
            self._watch()
            return _NONE
        now = utime.ticks_ms()
        if due == 0 and time.ticks_diff(now, self._looked) < _LOOK_EVERY:
            return _NONE
        ready = self._poll.poll(0)
        self._looked = now
        if ready or due == 0:
            if time.ticks_diff(now, self._asked) >= _ASK_EVERY:
                self._ask(0)
            return ready
        ready = self._wait(due)
        while due < 0 and not ready:
            ready = self._wait(due)
        return ready

    def _wait(self, due: int) -> list | tuple:
        wait = self._ask(due)
        return self._poll.poll(wait) if wait else _NONE

    def _ask(self, due: int) -> int:
        """Idle for `due` ms: jump as far as the world allows. Returns the real ms to wait."""
        reply = bus.idle(due)
        if reply[7]:
            world_requests.carry_out(reply[7])
        elif not self._poll.poll(0):  # bytes that arrived in the meantime prevent the jump
            time.jump(struct.unpack_from(b"<I", reply)[0])
        self._watch()
        self._asked = utime.ticks_ms()
        return reply[6]

    def _watch(self) -> None:
        if machine.WDT.due >= 0 and time.ticks_diff(time.ticks_ms(), machine.WDT.due) > 0:
            machine.restart(wiring.WATCHDOG_RESET)


def poll() -> Poll:
    return Poll()
