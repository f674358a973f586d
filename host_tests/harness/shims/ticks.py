# SPDX-License-Identifier: MIT
"""MicroPython's ticks and `sleep_ms` for CPython, in virtual time: a sleep advances the clock and yields.

Call `install()` before importing a driver. The clock is this module's `now_ms`.
"""

import asyncio
import time

now_ms = 0


async def _sleep_ms(delay):
    global now_ms
    now_ms += max(0, delay)
    await asyncio.sleep(0)


def _sleep_blocking_ms(delay):
    global now_ms
    now_ms += max(0, delay)


def install():
    """Add to CPython's `time` and `asyncio` the MicroPython functions that drivers use."""
    time.ticks_ms = lambda: now_ms
    time.ticks_add = lambda ticks, delta: ticks + delta
    time.ticks_diff = lambda end, start: end - start
    time.sleep_ms = _sleep_blocking_ms
    asyncio.sleep_ms = _sleep_ms
