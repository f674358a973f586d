# SPDX-License-Identifier: MIT
"""Barcode scanner on a UART: one that scans by itself or by its button, or one of the GM65 family that must be asked.

A code ends with CR, LF, TAB or ETX, or after 100 ms of silence. A leading STX and the AIM symbology identifier
(ISO/IEC 15424: "]", a letter and one more character) are removed. An answer of a GM65 to a command (02 00, type, length,
data, two bytes of CRC; GM65 manual, 2.3) is no code.
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
_SCAN_MS = const(5000)  # how long a GM65 looks for a code (factory setting)
GM65_SCAN = b"\x7e\x00\x08\x01\x00\x02\x01\xab\xcd"  # write 1 to address 2: start to scan; AB CD = CRC not checked


class Scanner:
    """`uart`: a machine.UART; any, readinto and write are used. Create one for each use: it discards earlier bytes.

    `start`: the command that starts a scan, GM65_SCAN for a GM65 in command mode. It is repeated when the scanner has
    given up.
    """

    def __init__(self, uart: "UART", start: bytes = b"") -> None:
        self._uart = uart
        self._start = start
        self._asked_ms = 0  # ticks of the last command
        self._line = bytearray(_LONGEST)
        self._piece = bytearray(_PIECE)
        self._size = 0
        self._last_byte_ms = 0  # ticks of the newest byte
        while uart.any():
            uart.readinto(self._piece)
        if start:
            self._ask()

    def take(self) -> str | None:
        """Return the digits of the next complete code; "" if not a number or too long; None if there is none yet."""
        while self._uart.any():
            count = self._uart.readinto(self._piece) or 0
            self._last_byte_ms = ticks_ms()
            for index in range(count):
                byte = self._piece[index]
                if self._in_answer(byte):
                    continue
                if byte in _ENDS:
                    if self._size:
                        return self._finish()
                elif byte == _STX:
                    self._line[0] = _STX
                    self._size = 1
                elif self._size < _LONGEST:
                    self._line[self._size] = byte
                    self._size += 1
        if self._size and ticks_diff(ticks_ms(), self._last_byte_ms) >= _SILENCE_MS:
            if self._line[0] != _STX:
                return self._finish()
            self._size = 0  # half an answer
        if self._start and not self._size and ticks_diff(ticks_ms(), self._asked_ms) >= _SCAN_MS:
            self._ask()
        return None

    def _ask(self) -> None:
        self._uart.write(self._start)
        self._asked_ms = ticks_ms()

    def _in_answer(self, byte: int) -> bool:
        """Take a byte of a scanner's answer to a command, and drop the answer at its end. False if it is none."""
        if not self._size or self._line[0] != _STX:
            return False
        if self._size == 1 and byte:
            self._size = 0  # STX before a code
            return False
        if self._size < _LONGEST:
            self._line[self._size] = byte
        self._size += 1
        if self._size > 3 and self._size == self._line[3] + 6:
            self._size = 0
        return True

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
