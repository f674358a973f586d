# SPDX-License-Identifier: MIT
"""Import first in a heap run (32-bit MicroPython): changes the parent of MemoryError from Exception to BaseException.

A handler for Exception then cannot hide one: every failed allocation ends the program with a traceback.
"""

import sys

import ffi
import uctypes

_WORDS = 16  # in a type object
_READ_WRITE = 3


def _address(thing: object) -> int:
    """The address of an object. `id` is negative for addresses from 2**30 to 2**31."""
    at = id(thing)
    return at if at >= 0 else at + (1 << 31)


def _reparent() -> None:
    """Overwrite the parent in the type object, which is a constant in read-only memory of the interpreter."""
    start = _address(MemoryError)
    words = uctypes.struct(start, {"words": (uctypes.ARRAY, _WORDS | uctypes.UINT32)}).words
    for index in range(_WORDS):
        if words[index] == _address(Exception):
            page = (start + 4 * index) & ~4095
            ffi.open("libc.so.6").func("i", "mprotect", "pIi")(page, 4096, _READ_WRITE)
            words[index] = _address(BaseException)


_reparent()
if issubclass(MemoryError, Exception):
    raise SystemExit("MemoryError can still be hidden")
del sys.modules[__name__]
