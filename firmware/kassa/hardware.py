# SPDX-License-Identifier: MIT
"""Types of what a board provides. For type checkers only: import it under TYPE_CHECKING."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Protocol, TypeAlias

    from kassa.drivers.escpos import Printer
    from kassa.drivers.ili9341 import ILI9341
    from kassa.drivers.keypad import Keypad
    from kassa.drivers.pn532 import PN532
    from kassa.drivers.scanner import Scanner
    from kassa.drivers.wifi import Wifi
    from machine import Pin

    Bytes: TypeAlias = bytes | bytearray | memoryview
    Entropy: TypeAlias = Callable[[int], bytes]  # returns so many fresh random bytes

    class Flash(Protocol):
        """An esp32.Partition with blocks of 4096 bytes."""

        def readblocks(self, block: int, buffer: bytearray | memoryview, offset: int) -> None: ...

        def writeblocks(self, block: int, buffer: bytes | bytearray | memoryview, offset: int) -> None: ...

        def ioctl(self, operation: int, argument: int) -> int: ...

    class Watchdog(Protocol):
        def feed(self) -> None: ...

    class Rtc(Protocol):
        """A machine.RTC: (year, month, day, weekday, hour, minute, second, fraction of a second)."""

        def datetime(self, datetimetuple: tuple = ...) -> tuple: ...

    class Board(Protocol):
        """boards/*/board.py."""

        name: str  # of its folder
        display: ILI9341
        display_miso: bool  # the display's MISO is wired
        keypad: Keypad
        reader: PN532
        wifi: Wifi
        rtc: Rtc
        journal: Flash
        keyring: Flash
        settings: Flash
        cards: Flash
        entropy: Entropy
        spare_memory: bool  # RAM is large enough for all modules: overlay.py drops none

        buzzer: Pin | None  # None: the board has no buzzer

        led: Pin | None  # None: the board has no light
        loud: int  # 0 (silent) to 3

        @property
        def sounds(self) -> bool: ...

        def shine(self, level: int) -> bool: ...

        def beep(self, beep: str) -> Coroutine: ...

        def printer(self, columns: int = 32) -> Printer: ...

        def scanner(self) -> Scanner: ...

        @property
        def watchdog(self) -> Watchdog: ...

        @property
        def device_secret(self) -> bytearray: ...

        def display_answers(self) -> bool: ...

        def safe_mode_reason(self) -> str: ...

        def forget_resets(self) -> None: ...

        def reset_cause(self) -> str: ...

        def reset(self) -> None: ...
