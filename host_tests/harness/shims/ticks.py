# SPDX-License-Identifier: MIT
"""MicroPython's ticks and `sleep_ms` on CPython, on virtual time: a sleep moves the clock and lets the others run.

`install()` before importing a driver; the clock is the module's `now_ms`.
"""

import asyncio
import time

now_ms = 0


async def _sleep_ms(delay):
    global now_ms
    now_ms += max(0, delay)
    await asyncio.sleep(0)


def install():
    """Give CPython's `time` and `asyncio` what drivers expect of MicroPython's."""
    time.ticks_ms = lambda: now_ms
    time.ticks_add = lambda ticks, delta: ticks + delta
    time.ticks_diff = lambda end, start: end - start
    asyncio.sleep_ms = _sleep_ms
