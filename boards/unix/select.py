# SPDX-License-Identifier: MIT
"""`select` whose poll lets ticks jump: when nothing is ready, the world says whether time may pass at once.

asyncio takes its poller from here, so the loop itself is MicroPython's own.
"""

import struct
import time

import uselect
import utime
from micropython import const
from uselect import *  # noqa: F403

import bus
import machine
import orders
import wiring

_ASK_EVERY = const(10)  # real ms: a loop that never rests still hears the world this often
_LOOK_EVERY = const(4)  # real ms
_NONE = ()


class Poll:
    """What asyncio needs of `select.poll`."""

    def __init__(self) -> None:
        self._poll = uselect.poll()
        self._asked = self._looked = utime.ticks_ms()

    def register(self, stream, events: int) -> None:
        bus.credit = 0  # somebody begins to wait for real bytes: let the world look before time passes
        self._poll.register(stream, events)

    def modify(self, stream, events: int) -> None:
        bus.credit = 0
        self._poll.modify(stream, events)

    def unregister(self, stream) -> None:
        self._poll.unregister(stream)

    def ipoll(self, due: int) -> list | tuple:
        """The streams that are ready; none once `due` ms are over, or a little earlier. -1 waits until one is ready.

        Looking takes 1 ms when a TLS stream is among them (the Unix port polls such in periods of that), so a loop that
        has other work looks now and then only, and one that lives on credit not at all.
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
        """Nothing to do for `due` ms: let the time pass that the world grants. Returns the real ms to wait."""
        reply = bus.idle(due)
        if reply[7]:
            orders.obey(reply[7])
        elif not self._poll.poll(0):  # what came while the world was asked keeps time from passing
            time.jump(struct.unpack_from("<I", reply)[0])
        self._watch()
        self._asked = utime.ticks_ms()
        return reply[6]

    def _watch(self) -> None:
        if machine.WDT.due >= 0 and time.ticks_diff(time.ticks_ms(), machine.WDT.due) > 0:
            machine.restart(wiring.WATCHDOG_RESET)


def poll() -> Poll:
    return Poll()
