# SPDX-License-Identifier: MIT
"""The validity period of a certificate (RFC 5280, 4.1.2.5). In memory only at boot."""

from kassa.calendar import seconds

_DAY = 86400
_UTC_TIME = 0x17  # tag of UTCTime: two-digit year; GeneralizedTime has four digits


def days(der: bytes) -> tuple:
    """The first and last day on which a DER certificate is valid, in days since 2000-01-01; (0, 0) if it cannot be read."""
    try:
        at = validity(der)
        return time(der, at) // _DAY, time(der, after(der, at)) // _DAY
    except (ValueError, IndexError):
        return 0, 0


def start(der: bytes) -> int:
    """The time from which a DER certificate is valid, in seconds since 2000-01-01 UTC; 0 if it cannot be read."""
    try:
        return time(der, validity(der))
    except (ValueError, IndexError):
        return 0


def validity(der: bytes) -> int:
    """The offset of notBefore. Raises IndexError."""
    at = inside(der, inside(der, 0))  # tbsCertificate
    if der[at] == 0xA0:  # version
        at = after(der, at)
    for _ in range(3):  # serial number, algorithm, issuer
        at = after(der, at)
    return inside(der, at)


def _size(der: bytes, at: int) -> tuple:
    """The offset and length of the contents of the element at `at`."""
    size = der[at + 1]
    if size < 0x80:
        return at + 2, size
    start = at + 2 + (size & 0x7F)
    return start, int.from_bytes(der[at + 2 : start], "big")


def inside(der: bytes, at: int) -> int:
    """The offset of the contents of the element at `at`."""
    return _size(der, at)[0]


def after(der: bytes, at: int) -> int:
    """The offset behind the element at `at`."""
    start, size = _size(der, at)
    return start + size


def time(der: bytes, at: int) -> int:
    """The time at `at`, in seconds since 2000-01-01 UTC. Raises ValueError, IndexError."""
    start = inside(der, at)
    year = 2000
    if der[at] == _UTC_TIME:
        year += int(der[start : start + 2])
        start += 2
    else:
        year = int(der[start : start + 4])
        start += 4
    month, day, hour, minute, second = [int(der[place : place + 2]) for place in range(start, start + 10, 2)]
    return seconds(min(year, 2099), month, day, hour, minute, second)
