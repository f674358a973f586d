# SPDX-License-Identifier: MIT
"""Looks up the GBK code of a character in gbk.bin, for the receipt printer. Loaded only while printing.

The printer's built-in font has far more characters than the screen. Layout of gbk.bin: tools/fonts/gbk.py.
"""

from micropython import const

_FIRST = const(0x4E00)
_LAST = const(0x9FA5)
_HEAD = const(8)
_OTHERS = const(41812)


class Table:
    """Keeps gbk.bin open until `close`."""

    def __init__(self) -> None:
        """Open the file. Raises OSError, or ValueError when it is not a GBK table."""
        self._file = open(__file__.rsplit("/", 1)[0] + "/gbk.bin", "rb")
        self._pair = bytearray(2)
        if self._file.read(6) != b"KGBK\x01\x00":
            raise ValueError("not a GBK table")
        self._count = self._u16(6)

    def close(self) -> None:
        """Close the file. The table cannot be used afterwards."""
        self._file.close()

    def code(self, point: int) -> int:
        """The GBK code of a code point above ASCII, first byte in the high byte; 0 when it has none."""
        if _FIRST <= point <= _LAST:
            return self._u16(_HEAD + 2 * (point - _FIRST))
        low, high = 0, self._count
        while low < high:
            middle = (low + high) >> 1
            found = self._u16(_OTHERS + 2 * middle)
            if found == point:
                return self._u16(_OTHERS + 2 * (self._count + middle))
            if found < point:
                low = middle + 1
            else:
                high = middle
        return 0

    def _u16(self, at: int) -> int:
        self._file.seek(at)
        self._file.readinto(self._pair)
        return self._pair[0] | self._pair[1] << 8
