# SPDX-License-Identifier: MIT
"""Takes a new certificate for the terminal's own key from the host. Loaded only for that."""

from hashlib import sha256

from micropython import const

from kassa.errors import WireError
from kassa.uplink.certificate import after, inside, time, validity
from kassa.vault.settings.settings import CLIENT_CERTIFICATE, Settings

NETWORK = const(400)  # 60.3 of its fetch
_MOST = const(1024)


class Renewal:
    """Receives the certificate (DER) from uplink.management. Its version is the beginning of its SHA-256."""

    def __init__(self, values: Settings) -> None:
        self._values = values
        self._data = bytearray()
        self.version = _version(values.get(CLIENT_CERTIFICATE))
        self._next = 0

    def begin(self, size: int, version: int) -> None:
        """Begin a download of `size` bytes. Raises WireError when it is too long."""
        if size > _MOST:
            raise WireError("certificate too long")
        self._data, self._next = bytearray(), version

    def add(self, data: memoryview) -> None:
        self._data.extend(data)

    def end(self) -> None:
        """Use it from the next connection on. Raises WireError if it is no renewal, SettingsError, FlashFault."""
        new = bytes(self._data)
        if _version(new) != self._next or not renews(self._values.get(CLIENT_CERTIFICATE), new):
            raise WireError("not a renewal of the certificate")
        self._values.put({CLIENT_CERTIFICATE: new})
        self.version = self._next


def renews(old: bytes, new: bytes) -> bool:
    """Whether `new` is `old` again: the same issuer, name and public key, and it ends later. Checks no signature."""
    try:
        return after(new, 0) == len(new) and _fields(old) == _fields(new) and _end(old) < _end(new)
    except (ValueError, IndexError):
        return False


def _fields(der: bytes) -> list:
    """Issuer, subject and public key, as encoded (RFC 5280, 4.1)."""
    at = inside(der, inside(der, 0))  # tbsCertificate
    if der[at] == 0xA0:  # version
        at = after(der, at)
    found = []
    for field in range(6):  # serial number, algorithm, issuer, validity, subject, key
        end = after(der, at)
        if field in (2, 4, 5):
            found.append(der[at:end])
        at = end
    return found


def _end(der: bytes) -> int:
    return time(der, after(der, validity(der)))


def _version(der: bytes) -> int:
    return int.from_bytes(sha256(der).digest()[:4], "big")
