# SPDX-License-Identifier: MIT
"""Counts starts in the memory of the RTC, which a reset keeps and a power loss or brown-out clears. Loaded only at start.

The ESP32 reports a brown-out as a power-on (esp_reset_reason), so a supply that fails again and again is not counted: no
other firmware would help there.
"""

from micropython import const

import machine

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.drivers.keypad import Keypad

_RESETS = const(3)  # in a row, none after a minute of work: then the terminal starts in safe mode
_KEYS = "CE"  # held at power-on, they ask for safe mode


def safe_mode_reason(keypad: "Keypad") -> str:
    """Count this start. Returns why the terminal must start in safe mode: "keys", "resets", or "" if it need not."""
    resets = _count()
    if keypad.holds(_KEYS):
        return "keys"
    return "resets" if resets >= _RESETS else ""


def clear() -> None:
    """Forget the resets so far."""
    machine.RTC().memory(b"")


def _count() -> int:
    """The resets since power-on or `clear`, this one included."""
    rtc = machine.RTC()
    kept = rtc.memory()
    resets = 0
    if machine.reset_cause() != machine.PWRON_RESET:
        valid = len(kept) == 3 and kept[0] == 0x4B and kept[1] ^ kept[2] == 0xFF
        resets = min(kept[1] if valid else 0, 99) + 1
    rtc.memory(bytes((0x4B, resets, resets ^ 0xFF)))
    return resets
