# SPDX-License-Identifier: MIT
"""`time` with the ticks of the chip: they wrap at 2**30 ms (12.4 days) and can jump ahead while everything waits.

The 64-bit port's own ticks wrap at 2**62. The event loop's queue, written in C, compares those, so asyncio keeps using
them there (boot.py).
"""

import utime
from micropython import const
from utime import *  # noqa: F403

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

jumping = False  # set at power-on: may ticks jump?
_ahead = 0  # ms the ticks are ahead of real time; below 2**28 on a 32-bit port
WIDE = utime.ticks_add(0, -1) > _MASK  # the port's own ticks are wider than the chip's


def ticks_ms() -> int:
    return utime.ticks_add(utime.ticks_ms(), _ahead) & _MASK


if WIDE:

    def wide_ms() -> int:
        """The ticks in the port's own width."""
        return utime.ticks_add(utime.ticks_ms(), _ahead)

    def ticks_add(ticks: int, delta: int) -> int:
        if not -_HALF < delta < _HALF:
            raise OverflowError("ticks interval overflow")
        return ticks + delta & _MASK

    def ticks_diff(end: int, start: int) -> int:
        return (end - start + _HALF & _MASK) - _HALF


def jump(ms: int) -> None:
    """Advance the ticks by `ms` at once."""
    global _ahead
    _ahead += ms


def elapsed_s() -> int:
    """Seconds since some fixed moment, jumps included: they do not wrap as ticks do."""
    return int(utime.time()) + _ahead // 1000


def sleep_ms(ms: int) -> None:
    if jumping:
        jump(ms)
    else:
        utime.sleep_ms(ms)


def sleep(seconds: float) -> None:
    sleep_ms(int(seconds * 1000))
