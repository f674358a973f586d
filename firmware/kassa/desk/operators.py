# SPDX-License-Identifier: MIT
"""The staff: number, role and code of each operator, in one setting. In memory only while it is asked. See docs/staff.md.

A terminal provisioned with a supervisor code alone has one operator, number 90, with that code.
"""

from micropython import const

from kassa.crypto.cmac import equal
from kassa.crypto.wipe import zero
from kassa.errors import Refused
from kassa.vault.settings import settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.settings.settings import Settings

NOBODY = const(100)  # instead of an operator's number: this shop has no cashiers who log in
SETTING = const(0x17)
LOCKED = const(0x18)  # the setting that says that the terminal is locked, not empty then
AWAY = const(0x19)  # the setting with the minutes without a key until an operator is logged out, 0 = never; else 5
SUPERVISOR = const(90)
ADMINISTRATOR = const(99)  # number of the first one
MOST = const(60)
_ROW = const(18)  # number, role (ASCII), salt 8, tag 8
_SALT = const(8)
_PROVISIONED = const(24)  # bytes of the setting that holds the supervisor code: salt 8, tag 16


class Operators:
    """Rows in the order in which they were added."""

    def __init__(self, values: "Settings") -> None:
        self._settings = values
        self._rows = bytearray(values.get(SETTING, b""))
        code = values.get(settings.SUPERVISOR, b"")
        if len(code) == _PROVISIONED and self._at(SUPERVISOR) < 0:
            self._rows.extend(bytes((SUPERVISOR, ord("s"))) + code[: _ROW - 2])

    def numbers(self, roles: str = "csa") -> list:
        """The numbers of the operators with one of these roles, in rising order."""
        rows = self._rows
        return sorted([rows[at] for at in range(0, len(rows), _ROW) if chr(rows[at + 1]) in roles])

    def role(self, number: int) -> str:
        """The role of an operator: c cashier, s supervisor, a administrator. "" if there is no such operator."""
        at = self._at(number)
        return chr(self._rows[at + 1]) if at >= 0 else ""

    def key(self, number: int) -> bytes:
        """What the wrong tries of an operator's code are counted under, see code_tries.py."""
        at = self._at(number)
        return bytes((number,)) + bytes(self._rows[at + 2 : at + 6])

    def check(self, number: int, code: bytearray) -> bool:
        """Whether `code` (ASCII digits) is the operator's. The caller counts the try before, and zeroes `code`."""
        at = self._at(number)
        if at < 0:
            return False
        message = bytearray(_SALT + len(code))
        message[:_SALT] = self._rows[at + 2 : at + 2 + _SALT]
        message[_SALT:] = code
        try:
            return equal(self._settings.tag(message)[: _ROW - 2 - _SALT], self._rows[at + 2 + _SALT : at + _ROW])
        finally:
            zero(message)

    def put(self, number: int, role: str, code: bytearray) -> None:
        """Add an operator, or give one a new code. The caller zeroes `code`. Raises Refused, SettingsError, FlashFault."""
        if self._at(number) < 0 and len(self._rows) >= MOST * _ROW:
            raise Refused("staff_full", MOST)
        row = bytearray(_ROW)
        row[0], row[1] = number, ord(role)
        message = bytearray(_SALT + len(code))
        message[:_SALT] = self._settings.entropy(_SALT)
        message[_SALT:] = code
        row[2 : 2 + _SALT] = message[:_SALT]
        row[2 + _SALT :] = self._settings.tag(message)[: _ROW - 2 - _SALT]
        zero(message)
        self._store(self._without(number) + row)

    def remove(self, number: int) -> None:
        """Remove an operator. Raises Refused for the only administrator or supervisor, SettingsError, FlashFault."""
        if (
            self.role(number) == "a"
            and len(self.numbers("a")) == 1
            or len(self.numbers("sa")) == 1
            and self.role(number) != "c"
        ):
            raise Refused("staff_only_one")
        self._store(self._without(number))

    def _store(self, rows: bytearray) -> None:
        self._settings.put({SETTING: bytes(rows), settings.SUPERVISOR: b""})
        self._rows = rows

    def _without(self, number: int) -> bytearray:
        at = self._at(number)
        return self._rows if at < 0 else self._rows[:at] + self._rows[at + _ROW :]

    def _at(self, number: int) -> int:
        """Where the row of an operator begins, -1 if there is none."""
        for at in range(0, len(self._rows), _ROW):
            if self._rows[at] == number:
                return at
        return -1


def digits(role: str) -> int:
    """The length of a code: 4 digits for a cashier, 6 for others."""
    return 4 if role == "c" else 6
