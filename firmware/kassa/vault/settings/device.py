# SPDX-License-Identifier: MIT
"""The setting of brightness and sound: one byte each. Loaded at boot and while it is changed."""

from micropython import const

DEVICE = const(0x28)
BRIGHTEST = const(5)
LOUDEST = const(3)


def levels(value: bytes) -> "tuple[int, int]":
    """Brightness 1 to 5 and sound 0 (off) to 3 of a stored value; the highest of both without one."""
    if len(value) != 2 or not 1 <= value[0] <= BRIGHTEST or value[1] > LOUDEST:
        return BRIGHTEST, LOUDEST
    return value[0], value[1]
