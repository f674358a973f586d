# SPDX-License-Identifier: MIT
"""The parts of MicroPython's `micropython` module that the functional core uses, for CPython."""


def const(value):
    """A compile-time constant on the device; here just the value."""
    return value
