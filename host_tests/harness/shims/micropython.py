# SPDX-License-Identifier: MIT
"""MicroPython's `micropython` for CPython, as far as the functional core uses it."""


def const(value):
    """A compile-time constant on the device; here its value."""
    return value
