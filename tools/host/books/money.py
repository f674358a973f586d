# SPDX-License-Identifier: MIT
"""Amounts in minor units, as people and files write them: 1250 is "12.50"."""

import re

_WRITTEN = re.compile(r"([+-]?)(\d{1,13})(?:\.(\d{1,2}))?")


def text(amount: int) -> str:
    """An amount with a point and two decimals."""
    whole, cents = divmod(abs(amount), 100)
    return f"{'-' if amount < 0 else ''}{whole}.{cents:02}"


def parse(written: str) -> int:
    """The amount that text says. Raises ValueError for anything but a number with at most two decimals."""
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        raise ValueError(f"{written!r} is not an amount like 12.50")
    sign, whole, cents = found.groups()
    amount = int(whole) * 100 + int((cents or "").ljust(2, "0"))
    return -amount if sign == "-" else amount


def share(amount: int, basis_points: int) -> int:
    """A share of an amount, rounded half up; of a negative amount, the same with its sign."""
    part = (abs(amount) * basis_points + 5_000) // 10_000
    return -part if amount < 0 else part
