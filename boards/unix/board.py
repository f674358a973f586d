# SPDX-License-Identifier: MIT
"""The Unix board: connects the simulator's chips to the firmware's drivers. No other file here knows the drivers."""

import os

import machine
import network
import wiring
from esp32 import Partition
from kassa.drivers.ili9341 import ILI9341
from kassa.drivers.keypad import Keypad
from kassa.drivers.pn532 import PN532
from kassa.drivers.wifi import Wifi
from machine import SPI, UART, WDT, Pin

_WATCHDOG_MS = 20000
_CAUSES = {machine.PWRON_RESET: "power", machine.WDT_RESET: "watchdog"}


def _out(pin: int, level: int = 1) -> Pin:
    return Pin(pin, Pin.OUT, value=level)


def _partition(label: str) -> Partition:
    return Partition.find(Partition.TYPE_DATA, label=label)[0]


def _device_secret() -> bytearray:
    """The 32 bytes that real hardware keeps in eFuses or encrypted NVS."""
    secret = bytearray(32)
    with open("efuse.bin", "rb") as fuses:
        fuses.readinto(secret)
    return secret


class Board:
    """The hardware as the firmware sees it: drivers, partitions, entropy, secret, watchdog."""

    spare_memory = False  # without PSRAM

    def __init__(self) -> None:
        self.display = ILI9341(
            SPI(wiring.DISPLAY_SPI, 40000000),
            _out(wiring.DISPLAY_CS),
            _out(wiring.DISPLAY_DC),
            _out(wiring.DISPLAY_RST),
            _out(wiring.DISPLAY_LIGHT, 0),
        )
        self.reader = PN532(
            SPI(wiring.READER_SPI, 5000000, firstbit=SPI.LSB),
            _out(wiring.READER_CS),
            Pin(wiring.READER_IRQ, Pin.IN, Pin.PULL_UP),
            _out(wiring.READER_RST),
        )
        self.keypad = Keypad(
            [Pin(pin, Pin.OPEN_DRAIN, value=1) for pin in wiring.KEY_ROWS],
            [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in wiring.KEY_COLS],
        )
        self.wifi = Wifi(network.WLAN(network.STA_IF))
        self.watchdog = WDT(timeout=_WATCHDOG_MS)
        self.journal = _partition("journal")
        self.keyring = _partition("keyring")
        self.settings = _partition("settings")
        self.cards = _partition("cards")
        self.entropy = os.urandom
        self.device_secret = _device_secret()

    def printer(self):  # noqa: ANN201 - the driver is in memory only while printing
        """The receipt printer, created when something is to be printed."""
        from kassa.drivers.escpos import Printer

        return Printer(UART(wiring.PRINTER_UART, 115200))

    def scanner(self):  # noqa: ANN201 - the driver is in memory only once it is needed
        """The barcode scanner, created when it is needed."""
        from kassa.drivers.scanner import Scanner

        return Scanner(UART(wiring.SCANNER_UART, 9600))

    def reset_cause(self) -> str:
        """Why the terminal started: "power", "watchdog" or "soft"."""
        return _CAUSES.get(machine.reset_cause(), "soft")

    def reset(self) -> None:
        """Restart the terminal. Does not return."""
        machine.reset()
