# SPDX-License-Identifier: MIT
"""The wires that leave this process: one loopback socket to the world, synchronous, in the messages of wiring.py.

Buffers are made once. What needs no answer waits in `_out` until something does, until it is full, or until the loop
idles. If the world is gone the process ends.
"""

import os
import struct
import sys
import time

import usocket
from micropython import const

from wiring import HELLO, IDLE, SPI_WRITE, UART_WRITE

_OUT_SIZE = const(1024)
_HEADER = const(8)

_out = bytearray(_OUT_SIZE)
_fill = 0
_small = bytearray(8)
_due = bytearray(4)
_idle = bytearray(b"\xff" * 16)  # until the first idle turn every input counts as live
live = memoryview(_idle)[8:]  # the live inputs, as of the last idle turn
credit = 0  # ms the ticks may jump without asking
_born = time.ticks_ms()


def _connect(port: int):
    link = usocket.socket()
    link.connect(usocket.getaddrinfo("127.0.0.1", port)[0][-1])
    link.setsockopt(6, 1, 1)  # TCP_NODELAY
    return link


_link = _connect(int(os.getenv("KASSA_WORLD")))


def flush() -> None:
    """Send what waits."""
    global _fill
    size = _fill
    _fill = 0
    if size:
        try:
            _link.write(_out, size)
        except OSError:
            sys.exit(1)


def post(operation: int, unit: int, data=None) -> None:
    """Queue one message; more than 65535 bytes of `data` are the caller's to split."""
    global _fill, credit
    size = len(data) if data is not None else 0
    if SPI_WRITE <= operation <= UART_WRITE:
        credit = 0  # the world may want to look at what this does before time passes
    if _fill + _HEADER + min(size, 256) > _OUT_SIZE:
        flush()
    struct.pack_into("<BBHI", _out, _fill, operation, unit, size, time.ticks_diff(time.ticks_ms(), _born) & 0x3FFFFFFF)
    _fill += _HEADER
    if size <= 8:
        for i in range(size):  # allocates nothing
            _out[_fill + i] = data[i]
        _fill += size
    elif _fill + size <= _OUT_SIZE:
        _out[_fill : _fill + size] = data
        _fill += size
    else:
        flush()
        try:
            _link.write(data)
        except OSError:
            sys.exit(1)


def answer(into, size: int = -1) -> None:
    """Wait for the answer to what was posted: `size` bytes (-1 = all of `into`)."""
    flush()
    if size < 0:
        size = len(into)
    if size and _link.readinto(into, size) != size:
        sys.exit(1)


def ask_number(operation: int, unit: int, width: int, data=None) -> int:
    """Post, and return the answer of `width` bytes (1 or 2) as a number."""
    post(operation, unit, data)
    answer(_small, width)
    return _small[0] if width == 1 else _small[0] | _small[1] << 8


def hello() -> bytes:
    """Introduce this process. Returns mode, reset cause and the 6 bytes of the MAC address."""
    post(HELLO, 0)
    answer(_small)
    return bytes(_small)


def is_live(line: int) -> bool:
    """May a chip be driving this pin just now (or, from LIVE_UART on, has this UART bytes waiting)?"""
    return bool(live[line >> 3] & 1 << (line & 7))


def idle(due: int) -> bytearray:
    """Tell the world that nothing is to be done for `due` ms (-1 = for ever).

    Returns the answer to IDLE, as wiring.py has it; updates `live` and `credit`.
    """
    global credit
    struct.pack_into("<i", _due, 0, due)
    post(IDLE, 0, _due)
    answer(_idle)
    credit = _idle[4] | _idle[5] << 8
    return _idle
