# SPDX-License-Identifier: MIT
"""Checks the supervisor code: five tries, then a pause that doubles each time. A restart resets the count."""

from micropython import const

from kassa.crypto.cmac import equal
from kassa.crypto.wipe import zero
from kassa.vault.settings import settings
from kassa.vault.settings.settings import Settings

DIGITS = const(6)
_TRIES = const(5)
_PAUSE_S = const(30)
_SALT = const(8)
_SIZE = const(24)


class Supervisor:
    """One per terminal, so that cancelling the prompt gives no new tries."""

    def __init__(self, values: Settings) -> None:
        self._settings = values
        self._left = _TRIES
        self._pause = _PAUSE_S

    def known(self) -> bool:
        """Whether a supervisor code is set."""
        return len(self._settings.get(settings.SUPERVISOR, b"")) == _SIZE

    def check(self, code: bytearray) -> bool:
        """Whether `code` (six ASCII digits) is correct. Uses up one try. The caller zeroes `code`."""
        self._left -= 1
        message = bytearray(_SALT + DIGITS)
        try:
            value = self._settings.get(settings.SUPERVISOR, b"")
            message[:_SALT] = value[:_SALT]
            message[_SALT:] = code
            if not equal(self._settings.tag(message), value[_SALT:]):
                return False
        finally:
            zero(message)
        self._left, self._pause = _TRIES, _PAUSE_S
        return True

    def pause(self) -> int:
        """Seconds to wait before the next try; 0 while tries are left. Each pause is twice the one before."""
        if self._left > 0:
            return 0
        pause = self._pause
        self._left, self._pause = 1, pause * 2
        return pause
