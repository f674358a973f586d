# SPDX-License-Identifier: MIT
"""`time` whose ticks can run ahead: while everybody waits, the board jumps to the moment the next one is due."""

import utime
from utime import *  # noqa: F403

jumping = False  # set at power-on: may ticks jump at all?
_ahead = 0  # ms the ticks are ahead of the real ones; below 2**28


def ticks_ms() -> int:
    return utime.ticks_add(utime.ticks_ms(), _ahead)


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
