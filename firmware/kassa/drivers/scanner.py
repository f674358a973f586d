# SPDX-License-Identifier: MIT
"""A barcode scanner on a UART, as scanners are set when they are bought. Nothing is ever sent to it.

A code ends with CR, LF, TAB or ETX, or when the line has been silent for 100 ms. STX before it and its AIM symbology
identifier (ISO/IEC 15424: "]", a letter and one more character) are no part of it.
"""

from time import ticks_diff, ticks_ms

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import UART

_LONGEST = const(64)  # of a code; a longer one is none of ours
_PIECE = const(32)
_SILENCE_MS = const(100)
_STX = const(0x02)
_ENDS = b"\r\n\t\x03"


class Scanner:
    """`uart`: any and readinto of machine.UART. Made when one is needed: what was read before is thrown away."""

    def __init__(self, uart: "UART") -> None:
        self._uart = uart
        self._line = bytearray(_LONGEST)
        self._piece = bytearray(_PIECE)
        self._size = 0
        self._heard = 0  # ticks of the newest byte
        while uart.any():
            uart.readinto(self._piece)

    def take(self) -> str | None:
        """The next whole code: its digits, "" when it is no number or too long; None while there is none."""
        while self._uart.any():
            count = self._uart.readinto(self._piece) or 0
            self._heard = ticks_ms()
            for index in range(count):
                byte = self._piece[index]
                if byte in _ENDS:
                    if self._size:
                        return self._whole()
                elif byte == _STX:
                    self._size = 0
                elif self._size < _LONGEST:
                    self._line[self._size] = byte
                    self._size += 1
        if self._size and ticks_diff(ticks_ms(), self._heard) >= _SILENCE_MS:
            return self._whole()
        return None

    def _whole(self) -> str:
        """What was read, which is forgotten then. What follows it in the same piece was the same scan's line end."""
        digits = ""
        for index in range(self._size):
            digits += chr(self._line[index])
            self._line[index] = 0
        size, self._size = self._size, 0
        if digits[0] == "]" and digits[1:2].isalpha():
            digits = digits[3:]
        return digits if size < _LONGEST and digits.isdigit() else ""
