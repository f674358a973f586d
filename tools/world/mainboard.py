# SPDX-License-Identifier: MIT
"""Handles the bus messages other than pins and buses: idle turns, requests, flash, resets, watchdog, Wi-Fi."""

import struct
import time
from typing import NamedTuple

from boards.unix import wiring
from tools.world.bus import Bus, Handler, pin_handlers
from tools.world.chips import Chips
from tools.world.flash import FlashOps
from tools.world.pace import Pace
from tools.world.power import Power
from tools.world.routing import Lines
from tools.world.wifi_radio import Radio

_TICKS = (1 << 30) - 1  # the chip counts ticks modulo 2**30
_WATCHDOG_GRACE_S = 5.0  # added to a watchdog's real time, for slow machines


class Heap(NamedTuple):
    """Bytes of the terminal's GC heap: used and free before a collection, and in use (live) after it."""

    used: int
    free: int
    live: int


class Mainboard:
    """The far side of the board's bus. Everything runs under the pace's lock."""

    def __init__(self, pace: Pace, radio: Radio, mac: bytes) -> None:
        self.now = 0
        self.flash_ops = FlashOps()
        self.resets: list[int] = []
        self.heap: Heap | None = None
        self.power: Power | None = None  # set by World
        self._pace = pace
        self._radio = radio
        self._mac = mac
        self.lines = Lines()
        self.chips = Chips(self.lines)
        self._cause = wiring.POWER_ON
        self._cut = b""
        self._leap = 0
        self._heap_wanted = False
        self._watchdog: tuple[float, float] | None = None  # (time-out in seconds, when it was last fed)
        self.bus = Bus(self._handlers(), pace.lock, self._on_time, self._on_silence)

    def close(self) -> None:
        """Stop serving."""
        self.bus.close()

    def power_on(self, cause: int) -> None:
        """Start the terminal's process, with `cause` as its reset cause."""
        self._cause = cause
        self.now = self.lines.now = 0
        self.chips.power_on()
        self._power().start()

    def power_off(self) -> None:
        """Kill the terminal's process."""
        self._power().kill()
        self.bus.cut()
        self.lines.power_off()
        self.chips.power_off()
        self._radio.power_off()
        self._watchdog = None

    def request_cut(self, operation: int, tear: str, seed: int) -> None:
        """See World.cut_at."""
        name = tear.encode()
        self._cut = struct.pack("<IIB23s", operation, seed, len(name), name)

    def request_leap(self, ms: int) -> None:
        """See World.leap."""
        self._leap += ms

    @property
    def leap_pending(self) -> bool:
        return self._leap > 0

    def request_heap(self) -> None:
        """Ask for a heap report; it arrives in `heap`."""
        self.heap = None
        self._heap_wanted = True

    def _power(self) -> Power:
        if self.power is None:
            raise RuntimeError("this board has no power supply")
        return self.power

    def _handlers(self) -> dict[int, Handler]:
        return {
            **pin_handlers(self.lines),
            wiring.HELLO: self._hello,
            wiring.IDLE: self._idle,
            wiring.WLAN: lambda unit, data: self._radio.station(unit, data, self.now),
            wiring.LOOKUP: lambda unit, data: struct.pack("<H", self._radio.lookup(self.now, data.decode())),
            wiring.RESOLVE: lambda unit, data: struct.pack(
                "<H", self._radio.resolve(self.now, data.decode().rpartition(":")[0])
            ),
            wiring.FLASH: lambda unit, data: self.flash_ops.count(bool(unit), *struct.unpack("<IH", data)),
            wiring.POWER_LOST: lambda unit, data: self.power_off(),
            wiring.RESET: self._reset,
            wiring.WATCHDOG: self._feed,
            wiring.HEAP: self._heap_report,
            wiring.GET_CUT: self._hand_out_cut,
            wiring.GET_LEAP: self._hand_out_leap,
        }

    def _on_time(self, now: int) -> None:
        """Follow the terminal's clock. `now` is its tick count since power-on, which wraps; self.now does not."""
        self.now = self.lines.now = self.now + (now - self.now & _TICKS)

    def _on_silence(self) -> None:
        """No message for a while: reset the terminal if the watchdog's real time has run out."""
        with self._pace.lock:
            if self._watchdog and time.monotonic() - self._watchdog[1] > self._patience(self._watchdog[0]):
                self._reset(wiring.WATCHDOG_RESET, b"")

    def _patience(self, timeout: float) -> float:
        """The real seconds after which the watchdog bites: `timeout`, and a grace for slow machines."""
        return (timeout + _WATCHDOG_GRACE_S) * self._power().slowness

    def _requests(self) -> int:
        return (
            (wiring.WANT_CUT if self._cut else 0)
            | (wiring.WANT_LEAP if self._leap else 0)
            | (wiring.WANT_HEAP if self._heap_wanted else 0)
        )

    def _hello(self, unit: int, data: bytes) -> bytes:
        may_jump = wiring.MAY_JUMP if self._pace.jumps else 0
        return bytes((may_jump | self._requests() & wiring.WANT_CUT, self._cause)) + self._mac

    def _idle(self, unit: int, data: bytes) -> bytes:
        (due,) = struct.unpack("<i", data)
        requests = self._requests()
        self._heap_wanted = False
        jump, credit, wait = self._pace.turn(0 if requests else due, self.now)
        return struct.pack("<IHBBQ", jump, credit, wait, requests, self.lines.live())

    def _reset(self, unit: int, data: bytes) -> None:
        self.resets.append(unit)
        self.power_off()
        self.power_on(unit)

    def _feed(self, unit: int, data: bytes) -> None:
        self._watchdog = (struct.unpack("<I", data)[0] / 1000, time.monotonic())

    def _heap_report(self, unit: int, data: bytes) -> None:
        self.heap = Heap(*struct.unpack("<III", data))

    def _hand_out_cut(self, unit: int, data: bytes) -> bytes:
        cut, self._cut = self._cut, b""
        return cut

    def _hand_out_leap(self, unit: int, data: bytes) -> bytes:
        leap, self._leap = self._leap, 0
        return struct.pack("<I", leap)
