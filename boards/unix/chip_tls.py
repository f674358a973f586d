# SPDX-License-Identifier: MIT
"""`tls` that judges certificates by the chip's clock, as Mbed TLS does on the chip; the port's own looks at the computer's.

Every certificate of the host's chain is looked at within the handshake. boot.py puts this in the place of `tls`, which
as a built-in module cannot be shadowed by a file.
"""

import tls as _tls
from micropython import const

import machine

_SEQUENCE = const(0x30)
_UTC_TIME = const(0x17)


def __getattr__(name: str) -> object:
    """Everything else is the port's."""
    return getattr(_tls, name)


def SSLContext(protocol: int) -> _tls.SSLContext:  # noqa: N802 - the name of a class
    """A context of the port that refuses what the chip's clock refuses."""
    context = _tls.SSLContext(protocol)
    context.verify_callback = _check
    return context


def _check(certificate: memoryview, depth: int) -> int:
    """Raises ValueError, with the words of Mbed TLS, for a certificate that is not valid now."""
    year, month, day, _, hour, minute, second, _ = machine.RTC().datetime()
    now = "%04d%02d%02d%02d%02d%02d" % (year, month, day, hour, minute, second)
    first, last = _validity(certificate)
    if now < first:
        raise ValueError("The certificate validity starts in the future")
    if now > last:
        raise ValueError("The certificate validity has expired")
    return 0


def _validity(der: memoryview) -> list:
    """First and last moment of a certificate (RFC 5280, 4.1.2.5) as "YYYYMMDDhhmmss"."""
    at, _ = _element(der, _element(der, 0)[0])  # into tbsCertificate
    while der[at] != _SEQUENCE or der[_element(der, at)[0]] not in (_UTC_TIME, _UTC_TIME + 1):
        at = _element(der, at)[1]
    at, moments = _element(der, at)[0], []
    for _ in range(2):
        start, end = _element(der, at)
        text = str(der[start : end - 1], "ascii")  # without the Z
        if der[at] == _UTC_TIME:
            text = ("20" if text < "50" else "19") + text
        moments.append(text)
        at = end
    return moments


def _element(der: memoryview, at: int) -> tuple:
    """Where the contents of the element at `at` begin and end."""
    size, start = der[at + 1], at + 2
    if size >= 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[at + 2 : start], "big")
    return start, start + size
