# SPDX-License-Identifier: MIT
"""The printer's characters: looks the GBK code of a character up in gbk.bin, by seek. In memory only while it prints.

A receipt printer has a font of its own, with far more characters than the screen. tools/fonts/gbk.py has the layout.
"""

from micropython import const

_FIRST = const(0x4E00)
_LAST = const(0x9FA5)
_HEAD = const(8)
_OTHERS = const(41812)


class Table:
    """Holds the file open until `close`."""

    def __init__(self) -> None:
        """Raises OSError, or ValueError when the file is not ours."""
        self._file = open(__file__.rsplit("/", 1)[0] + "/gbk.bin", "rb")
        self._pair = bytearray(2)
        if self._file.read(6) != b"KGBK\x01\x00":
            raise ValueError("not a GBK table")
        self._count = self._u16(6)

    def close(self) -> None:
        """The table cannot be used again."""
        self._file.close()

    def code(self, point: int) -> int:
        """The GBK code of a code point above ASCII, first byte high; 0 when the printer has none."""
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
