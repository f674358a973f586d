# SPDX-License-Identifier: MIT
"""How the bus reaches the world: the chip's UART 1. `link` is a stream whose `write` and `readinto` move every byte."""

import umachine
import utime
from micropython import const

_PATIENCE = const(60000)  # ms without a byte
_SIZE = const(4096)  # of the port's buffers
# With a `timeout` the port waits for the next byte longer than the chip's register can count: short reads are repeated.
_uart = umachine.UART(1, 2000000, tx=25, rx=26, rxbuf=_SIZE, txbuf=_SIZE)


class Link:
    """The UART as the bus needs it."""

    def write(self, data, size: int = -1) -> None:
        """Send `size` bytes of `data` (-1 = all)."""
        view = memoryview(data)
        if size >= 0:
            view = view[:size]
        done = 0
        while done < len(view):
            done += _uart.write(view[done : done + _SIZE // 2]) or 0

    def readinto(self, into, size: int) -> int:
        """Read `size` bytes. Returns how many arrived."""
        view = memoryview(into)
        done, since = 0, utime.ticks_ms()
        while done < size:
            count = _uart.readinto(view[done:size]) or 0
            done += count
            if count:
                since = utime.ticks_ms()
            elif utime.ticks_diff(utime.ticks_ms(), since) > _PATIENCE:
                break
        return done


link = Link()
