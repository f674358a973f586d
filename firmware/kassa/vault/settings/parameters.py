# SPDX-License-Identifier: MIT
"""Applies settings sent by the host. Only the listed ids are accepted. Loaded only for that."""

from micropython import const

from kassa.errors import WireError
from kassa.vault.settings import settings
from kassa.vault.settings.settings import Settings

_PAGE = const(0x21)  # address of the host's page, see flows/steps/receipt.py
# Settings that the host may change: (least, most) bytes of the value. Never keys, ids, network or codes of staff.
_MAY = {
    settings.MERCHANT_NAME: (1, 60),
    settings.LIMITS: (20, 20),
    settings.LARGEST_SALE: (6, 6),
    settings.OFFLINE_APPROVAL: (20, 20),
    settings.SETTLING: (4, 4),
    settings.WALLETS: (1, 160),
    _PAGE: (1, 60),
    0x19: (1, 1),  # minutes without a key, see desk/operators.py
}
_MOST = const(512)
_MOST_OFFLINE = const(500)  # the heap has room to remember the cards of so many offline payments


class Parameters:
    """Receives the parameters from uplink.management, as TLVs (id 1, length 2, value)."""

    def __init__(self, values: Settings) -> None:
        self._values = values
        self._data = bytearray()
        self.version = int.from_bytes(values.get(settings.PARAMETERS, b"\0"), "big")
        self._next = 0

    def begin(self, size: int, version: int) -> None:
        """Begin a download of `size` bytes. Raises WireError when it is too long."""
        if size > _MOST:
            raise WireError("parameters too long")
        self._data, self._next = bytearray(), version

    def add(self, data: memoryview) -> None:
        self._data.extend(data)

    def end(self) -> None:
        """Apply all parameters, or none. Raises WireError, SettingsError, FlashFault."""
        data, at = self._data, 0
        changes = {settings.PARAMETERS: self._next.to_bytes(4, "big")}
        while at < len(data):
            if at + 3 > len(data):
                raise WireError("parameters cut short")
            size = data[at + 1] << 8 | data[at + 2]
            least, most = _MAY.get(data[at], (1, 0))
            if not least <= size <= most or at + 3 + size > len(data):
                raise WireError("a parameter that the host may not set")
            changes[data[at]] = value = bytes(data[at + 3 : at + 3 + size])
            _check(data[at], value)
            at += 3 + size
        self._values.put(changes)
        self.version = self._next


def _check(name: int, value: bytes) -> None:
    """Raises WireError for a value that would keep the terminal from starting."""
    if name == settings.LIMITS and (value[12] << 8 | value[13]) > _MOST_OFFLINE:
        raise WireError("more offline payments than can be remembered")
    if name in (settings.MERCHANT_NAME, settings.WALLETS, _PAGE):
        try:
            str(value, "utf-8")
        except UnicodeError:
            raise WireError("parameter %d is not UTF-8" % name)
