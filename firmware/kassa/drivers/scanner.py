# SPDX-License-Identifier: MIT
"""A barcode scanner on a UART: each code it reads comes as a line that ends in CR or LF. Nothing is ever sent to it."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import UART

_LONGEST = const(64)  # of a line; a longer one is none of ours
_PIECE = const(32)


class Scanner:
    """`uart`: any and readinto of machine.UART. Made when one is needed: what was read before is thrown away."""

    def __init__(self, uart: "UART") -> None:
        self._uart = uart
        self._line = bytearray(_LONGEST)
        self._piece = bytearray(_PIECE)
        self._size = 0
        while uart.any():
            uart.readinto(self._piece)

    def take(self) -> str | None:
        """The next whole line: its digits, "" when it is no number or too long; None while there is none."""
        while self._uart.any():
            count = self._uart.readinto(self._piece) or 0
            for index in range(count):
                byte = self._piece[index]
                if byte == 0x0D or byte == 0x0A:
                    if self._size:
                        return self._whole()
                elif self._size < _LONGEST:
                    self._line[self._size] = byte
                    self._size += 1
        return None

    def _whole(self) -> str:
        """What stands in the line, which is empty then. What follows it in the same piece was the same scan's line end."""
        digits = ""
        for index in range(self._size):
            digits += chr(self._line[index])
            self._line[index] = 0
        size, self._size = self._size, 0
        return digits if size < _LONGEST and digits.isdigit() else ""
