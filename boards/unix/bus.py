# SPDX-License-Identifier: MIT
"""The board's bus: one synchronous link (transport.py) to the world, with the messages of wiring.py.

Buffers are allocated once. Messages without an answer wait in `_out` until a message needs an answer, the buffer is
full, or the event loop idles. The process ends if the world is gone. The formats of `struct` are bytes in these modules: as
text each would take a place in MicroPython's table of names, which the simulator must not fill.
"""

import struct
import sys
import time

from micropython import const

from transport import link
from wiring import HELLO, I2C_WRITE, IDLE, SPI_WRITE, UART_WRITE

_OUT_SIZE = const(1024)
_HEADER = const(8)

_out = bytearray(_OUT_SIZE)
_fill = 0
_small = bytearray(8)
_due = bytearray(4)
_idle = bytearray(b"\xff" * 16)  # every input counts as live until the first idle turn
live = memoryview(_idle)[8:]  # the live inputs at the last idle turn
credit = 0  # ms the ticks may jump without asking the world
_born = time.ticks_ms()


def flush() -> None:
    """Send the waiting messages."""
    global _fill
    size = _fill
    _fill = 0
    if size:
        try:
            link.write(_out, size)
        except OSError:
            sys.exit(1)


def post(operation: int, unit: int, data=None) -> None:
    """Queue one message. The caller must split more than 65535 bytes of `data`."""
    global _fill, credit
    size = len(data) if data is not None else 0
    if SPI_WRITE <= operation <= UART_WRITE or operation >= I2C_WRITE:
        credit = 0  # the world may react to this message before time passes
    if _fill + _HEADER + min(size, 256) > _OUT_SIZE:
        flush()
    struct.pack_into(b"<BBHI", _out, _fill, operation, unit, size, time.ticks_diff(time.ticks_ms(), _born) & 0x3FFFFFFF)
    _fill += _HEADER
    if size <= 8:
        for i in range(size):  # without allocation
            _out[_fill + i] = data[i]
        _fill += size
    elif _fill + size <= _OUT_SIZE:
        _out[_fill : _fill + size] = data
        _fill += size
    else:
        flush()
        try:
            link.write(data)
        except OSError:
            sys.exit(1)


def answer(into, size: int = -1) -> None:
    """Wait for the answer to the last message: `size` bytes (-1 = all of `into`)."""
    flush()
    if size < 0:
        size = len(into)
    if size and link.readinto(into, size) != size:
        sys.exit(1)


def ask_number(operation: int, unit: int, width: int, data=None) -> int:
    """Post a message and return its answer, `width` bytes (1 or 2), as a number."""
    post(operation, unit, data)
    answer(_small, width)
    return _small[0] if width == 1 else _small[0] | _small[1] << 8


def hello() -> bytes:
    """Introduce this process. Returns mode, reset cause and the 6 bytes of the MAC address."""
    post(HELLO, 0)
    answer(_small)
    return bytes(_small)


def is_live(line: int) -> bool:
    """Whether a chip may be driving this pin now or, from LIVE_UART on, this UART has bytes waiting."""
    return bool(live[line >> 3] & 1 << (line & 7))


def idle(due: int) -> bytearray:
    """Tell the world that the firmware is idle for `due` ms (-1 = no deadline).

    Returns the answer to IDLE, laid out as in wiring.py. Updates `live` and `credit`.
    """
    global credit
    struct.pack_into(b"<i", _due, 0, due)
    post(IDLE, 0, _due)
    answer(_idle)
    credit = _idle[4] | _idle[5] << 8
    return _idle
