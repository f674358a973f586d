# SPDX-License-Identifier: MIT
"""Import first in a main.py: prints the live heap whenever a phase of overlay.py needs more than before.

It looks at each change of phase and whenever the event loop waits. A line is "HEAP <phase> <connection> <live bytes>
<own bytes>", followed by what MicroPython prints about its heap.
"""

import gc

gc.collect()
_before = gc.mem_alloc()

from asyncio import core  # noqa: E402
from time import ticks_diff, ticks_ms  # noqa: E402

from micropython import const, mem_info, qstr_info  # noqa: E402

from kassa import overlay  # noqa: E402

_PAUSE_MS = const(2)
_STEP = const(64)  # bytes

_most = {}
_looked = ticks_ms()
_phase = "boot"  # until the first change of phase
_own = 0
_wait = core.IOQueue.wait_io_event
_enter, _connection = overlay.enter, overlay.connection


def _look() -> None:
    global _looked
    gc.collect()
    live = gc.mem_alloc()
    key = _phase, overlay._link
    if live >= _most.get(key, 0) + _STEP:
        _most[key] = live
        print("HEAP", _phase, overlay._link or "-", live, _own)
        mem_info()
        qstr_info()
    _looked = ticks_ms()


def _waited(queue, ms: int) -> None:
    if ticks_diff(ticks_ms(), _looked) >= _PAUSE_MS:
        _look()
    _wait(queue, ms)


def _entered(phase: str) -> None:
    global _phase
    _enter(phase)
    _phase = phase
    _look()


def _connected(phase: str) -> None:
    _connection(phase)
    _look()


core.IOQueue.wait_io_event = _waited
overlay.enter, overlay.connection = _entered, _connected
gc.collect()
_own = gc.mem_alloc() - _before
