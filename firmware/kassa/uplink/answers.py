# SPDX-License-Identifier: MIT
"""The meaning of an answer code (DE 39), by the table in docs/wire.md."""

from micropython import const

YES = const(1)
NO = const(2)
RETRY = const(3)  # not final: send it again later, unchanged
REVERSE = const(4)  # an online request without a final answer
UNKNOWN_TERMINAL = const(5)  # the host does not know this terminal
UNSENT = const(6)  # no connection, and no byte was sent

ONLINE = const(1)  # classes of requests
DEFERRED = const(2)
REVERSAL = const(3)
MANAGEMENT = const(4)
UPLOAD = const(5)

_APPROVED = (b"00", b"11", b"A2", b"A4", b"A5", b"A6")
_PENDING = (b"09", b"68", b"90", b"91", b"92", b"96", b"98", b"99", b"A0", b"A7")


def is_code(code: bytes) -> bool:
    """Whether DE 39 is well formed: two characters, each a digit or a capital letter."""
    for byte in code:
        if not (0x30 <= byte <= 0x39 or 0x41 <= byte <= 0x5A):
            return False
    return len(code) == 2


def meaning(code: bytes, request: int) -> int:
    """The meaning of `code` (DE 39) as the answer to a request of class `request`: one of YES to UNKNOWN_TERMINAL."""
    if code in _APPROVED:
        return YES
    if code in _PENDING:
        return REVERSE if request == ONLINE else RETRY
    if request == REVERSAL:
        return YES if code in (b"12", b"25") else RETRY
    if code == b"94":
        return RETRY if request == MANAGEMENT else YES
    if code == b"97":
        return UNKNOWN_TERMINAL if request == MANAGEMENT else NO if request == ONLINE else RETRY
    return NO
