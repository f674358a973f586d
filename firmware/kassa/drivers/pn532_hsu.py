# SPDX-License-Identifier: MIT
"""The PN532's serial link (HSU): a UART at 115200 baud, 8N1. Source: UM0701-02, 6.2.3.

The chip sends frames unasked, so an ACK and its reply may arrive together, and a frame arrives in pieces.
"""

from struct import pack_into
from time import ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import UART

_BUFFER = const(288)  # an ACK and the longest frame
_SILENCE_MS = const(10)  # a frame that stops for this long is not going to be complete
_WAKE = b"\x55\x55" + bytes(14)  # a sleeping chip misses the first bytes


class HsuLink:
    """`uart`: a machine.UART with rxbuf=512. Methods: see pn532.Link."""

    def __init__(self, uart: "UART") -> None:
        self._uart = uart
        self._in = bytearray(_BUFFER)
        self._view = memoryview(self._in)
        self._fill = 0
        self._last_byte_ms = 0  # ticks of the newest byte

    def wake(self) -> None:
        self._uart.write(_WAKE)

    def ready(self) -> bool:
        while self._fill < _BUFFER and self._uart.any():
            self._fill += self._uart.readinto(self._view[self._fill :]) or 0
            self._last_byte_ms = ticks_ms()
        if not self._fill:
            return False
        return self._fill >= self._length() or ticks_diff(ticks_ms(), self._last_byte_ms) >= _SILENCE_MS

    def write(self, frame: "bytes | memoryview") -> None:
        while self._uart.any():  # what still comes for an earlier command
            self._uart.readinto(self._in)
        pack_into("288s", self._in, 0, b"")
        self._fill = 0
        self._uart.write(frame)

    def read_into(self, into: bytearray) -> None:
        start = self._in.find(b"\x00\xff")
        if start > 1:
            self._drop(start - 1)  # a longer preamble, or noise
        size = min(self._length(), self._fill, len(into))
        into[:size] = self._view[:size]
        for at in range(size, len(into)):
            into[at] = 0
        self._drop(size)

    def _length(self) -> int:
        """Bytes up to the end of the first frame received, or more than there are if its length is not known yet."""
        data = self._in
        start = data.find(b"\x00\xff")
        if start < 0 or start + 5 > self._fill:
            return _BUFFER
        size = data[start + 2]
        if not size:
            return start + 5  # an ACK has no checksum
        if size == 0xFF and data[start + 3] == 0xFF:
            return start + 9 + (data[start + 4] << 8 | data[start + 5])
        return start + 6 + size

    def _drop(self, count: int) -> None:
        """Remove the first `count` bytes, and leave no copy."""
        data = self._in
        left = self._fill - count
        data[:left] = self._view[count : self._fill]
        for at in range(left, self._fill):
            data[at] = 0
        self._fill = left
