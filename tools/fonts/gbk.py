# SPDX-License-Identifier: MIT
"""Builds firmware/kassa/gbk.bin: the GBK code of every character that a printer with this character set can print.

    python -m tools.fonts.gbk

All numbers are little-endian:

    0      4  "KGBK"
    4      2  version = 1
    6      2  number of other characters
    8         U+4E00 to U+9FA5: the GBK code of each (u16, first byte high)
    41812     the other characters: their sorted code points (u16), then as many GBK codes (u16)
"""

import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATH = ROOT / "firmware" / "kassa" / "gbk.bin"
FIRST, LAST = 0x4E00, 0x9FA5


def code(char: str) -> int:
    """The printer's code for a character above ASCII, 0 if it has none. The yen sign prints in its full-width form."""
    try:
        encoded = {"¥": "￥"}.get(char, char).encode("gbk")
    except UnicodeEncodeError:
        return 0
    return int.from_bytes(encoded, "big") if len(encoded) == 2 else 0


def build() -> bytes:
    """The whole table."""
    codes = {point: code(chr(point)) for point in range(0x80, 0x10000)}
    others = [point for point, value in codes.items() if value and not FIRST <= point <= LAST]
    numbers = [codes[point] for point in range(FIRST, LAST + 1)] + others + [codes[point] for point in others]
    return struct.pack(f"<4sHH{len(numbers)}H", b"KGBK", 1, len(others), *numbers)


def main() -> None:
    data = build()
    PATH.write_bytes(data)
    print(f"gbk.bin: {len(data)} bytes")


if __name__ == "__main__":
    main()
