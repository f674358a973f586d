# SPDX-License-Identifier: MIT
"""`time` with the ticks of the chip: they wrap at 2**30 ms, 12.4 days, and can run ahead while everybody waits.

The 64-bit port's own ticks wrap at 2**62. There the event loop, whose queue in C compares such, keeps them (boot.py).
"""

import utime
from micropython import const
from utime import *  # noqa: F403

_MASK = const(0x3FFFFFFF)
_HALF = const(0x20000000)

jumping = False  # set at power-on: may ticks jump at all?
_ahead = 0  # ms the ticks are ahead of the real ones; below 2**28 in 32 bits
WIDE = utime.ticks_add(0, -1) > _MASK  # are the port's own ticks wider than the chip's?


def ticks_ms() -> int:
    return utime.ticks_add(utime.ticks_ms(), _ahead) & _MASK


if WIDE:

    def wide_ms() -> int:
        """The ticks as the port counts them."""
        return utime.ticks_add(utime.ticks_ms(), _ahead)

    def ticks_add(ticks: int, delta: int) -> int:
        if not -_HALF < delta < _HALF:
            raise OverflowError("ticks interval overflow")
        return ticks + delta & _MASK

    def ticks_diff(end: int, start: int) -> int:
        return (end - start + _HALF & _MASK) - _HALF


def jump(ms: int) -> None:
    """Let `ms` pass at once."""
    global _ahead
    _ahead += ms


def sleep_ms(ms: int) -> None:
    if jumping:
        jump(ms)
    else:
        utime.sleep_ms(ms)


def sleep(seconds: float) -> None:
    sleep_ms(int(seconds * 1000))
