# SPDX-License-Identifier: MIT
"""Barcode scanner on a UART, with factory settings. Nothing is ever sent to it.

A code ends with CR, LF, TAB or ETX, or after 100 ms of silence. A leading STX and the AIM symbology identifier
(ISO/IEC 15424: "]", a letter and one more character) are removed.
"""

from time import ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import UART

_LONGEST = const(64)  # codes of this length or more are rejected
_PIECE = const(32)
_SILENCE_MS = const(100)
_STX = const(0x02)
_ENDS = b"\r\n\t\x03"


class Scanner:
    """`uart`: a machine.UART; any and readinto are used. Create one for each use: it discards bytes received before."""

    def __init__(self, uart: "UART") -> None:
        self._uart = uart
        self._line = bytearray(_LONGEST)
        self._piece = bytearray(_PIECE)
        self._size = 0
        self._last_byte_ms = 0  # ticks of the newest byte
        while uart.any():
            uart.readinto(self._piece)

    def take(self) -> str | None:
        """Return the digits of the next complete code; "" if not a number or too long; None if there is none yet."""
        while self._uart.any():
            count = self._uart.readinto(self._piece) or 0
            self._last_byte_ms = ticks_ms()
            for index in range(count):
                byte = self._piece[index]
                if byte in _ENDS:
                    if self._size:
                        return self._finish()
                elif byte == _STX:
                    self._size = 0
                elif self._size < _LONGEST:
                    self._line[self._size] = byte
                    self._size += 1
        if self._size and ticks_diff(ticks_ms(), self._last_byte_ms) >= _SILENCE_MS:
            return self._finish()
        return None

    def _finish(self) -> str:
        """Return the code in the buffer, as `take` does, and clear the buffer.

        The caller drops the rest of the piece just received: it is the line end of the same scan.
        """
        digits = ""
        for index in range(self._size):
            digits += chr(self._line[index])
            self._line[index] = 0
        size, self._size = self._size, 0
        if digits[0] == "]" and digits[1:2].isalpha():
            digits = digits[3:]
        return digits if size < _LONGEST and digits.isdigit() else ""
