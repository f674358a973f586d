# SPDX-License-Identifier: MIT
"""Numbers of rows: they rise with time, and several processes can give them without asking each other."""

import secrets
import threading
import time

_RANDOM = 4096
_lock = threading.Lock()
_last = 0


def new() -> int:
    """A number below 2^63: microseconds since 1970, and 12 bits that tell processes apart. Rises in one process."""
    global _last
    with _lock:
        _last = max(_last + 1, time.time_ns() // 1000 * _RANDOM + secrets.randbelow(_RANDOM))
        return _last


def at(number: int) -> float:
    """When a number was given, in seconds since 1970. Numbers of a database of version 0.1 give 0."""
    return number // _RANDOM / 1_000_000


def before(seconds: int) -> int:
    """The number that was given so many seconds ago."""
    return (time.time_ns() // 1000 - seconds * 1_000_000) * _RANDOM


def first_at(seconds: float) -> int:
    """The lowest number that may be given at a time, in seconds since 1970."""
    return int(seconds) * 1_000_000 * _RANDOM
