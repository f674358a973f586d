# SPDX-License-Identifier: MIT
"""Amounts: integers in minor units (fen, cents), never floats; at most twelve digits (ISO 8583 n12)."""

from micropython import const

CNY = const(156)
_SYMBOLS = {156: "¥", 840: "$", 978: "€"}


def text(amount: int, currency: int = CNY) -> str:
    """Format an amount: `123456` -> `¥1,234.56`. `currency`: ISO 4217 number."""
    sign = "-" if amount < 0 else ""
    units, cents = divmod(abs(amount), 100)
    digits = str(units)
    groups = ""
    while len(digits) > 3:
        groups = "," + digits[-3:] + groups
        digits = digits[:-3]
    return "%s%s%s%s.%02d" % (sign, _SYMBOLS.get(currency, ""), digits, groups, cents)


def pack_bcd(value: int, into: bytearray, at: int, size: int) -> None:
    """Write `value` >= 0 as `size` bytes of packed BCD, right aligned, at `at`. Raises ValueError if too large."""
    for index in range(at + size - 1, at - 1, -1):
        if value:
            into[index] = value % 10 + 16 * (value // 10 % 10)  # not divmod, which allocates a tuple
            value //= 100
        else:
            into[index] = 0
    if value:
        raise ValueError("too many digits")


def unpack_bcd(source: bytes | bytearray | memoryview, at: int, size: int) -> int:
    """Read `size` bytes of packed BCD from `at`. Raises ValueError for a nibble above nine."""
    value = 0
    for index in range(at, at + size):
        byte = source[index]
        if byte >> 4 > 9 or byte & 15 > 9:
            raise ValueError("not BCD")
        value = value * 100 + (byte >> 4) * 10 + (byte & 15)
    return value
