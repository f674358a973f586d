# SPDX-License-Identifier: MIT
"""The Kassa S3 board: an ESP32-S3 with or without PSRAM, its chips and their pins. Not yet run on hardware."""

import gc

import network
from kassa.drivers.esp32_board import Esp32Board, output
from kassa.drivers.ili9341 import ILI9341
from kassa.drivers.keypad import Keypad
from kassa.drivers.pn532 import PN532
from kassa.drivers.pn532_spi import SpiLink
from kassa.drivers.wifi import Wifi
from machine import SPI, UART, Pin

_ROWS = (38, 39, 40, 41)
_COLUMNS = (42, 47, 48, 2)


class Board(Esp32Board):
    """The hardware as the firmware sees it; see kassa/hardware.py."""

    name = "kassa_s3"

    def __init__(self) -> None:
        super().__init__()
        display = SPI(1, 40000000, sck=Pin(12), mosi=Pin(11), miso=Pin(13))
        self.display = ILI9341(display, output(10), output(9), output(14), output(21, 0))
        reader = SPI(2, 5000000, firstbit=SPI.LSB, sck=Pin(5), mosi=Pin(6), miso=Pin(7))
        self.reader = PN532(SpiLink(reader, output(4)), Pin(15, Pin.IN, Pin.PULL_UP), output(16))
        rows = [Pin(pin, Pin.OPEN_DRAIN, value=1) for pin in _ROWS]  # two keys in one column must not short two rows
        self.keypad = Keypad(rows, [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in _COLUMNS])
        self.buzzer = Pin(3)
        self.led = output(46, 0)
        self.wifi = Wifi(network.WLAN(network.WLAN.IF_STA))

    @property
    def spare_memory(self) -> bool:  # pyright: ignore[reportIncompatibleVariableOverride]  nobody sets it here
        """Whether the module has PSRAM, and the image sees it."""
        return gc.mem_free() > 1 << 20

    @property
    def device_secret(self) -> bytearray:
        """The 32 bytes that all keys of this device derive from. Raises OSError if they are missing."""
        from kassa.drivers import nvs_secret

        return nvs_secret.read()

    def printer(self, columns: int = 32):  # noqa: ANN201 - the driver is in memory only while printing
        """The receipt printer, created when something is to be printed. `columns`: 32 for 58 mm paper, 48 for 80 mm."""
        from kassa.drivers.escpos import Printer

        return Printer(UART(1, 115200, tx=17, rx=18), columns)

    def scanner(self):  # noqa: ANN201 - the driver is in memory only once it is needed
        """The barcode scanner, created when it is needed."""
        from kassa.drivers.scanner import Scanner

        return Scanner(UART(2, 9600, tx=8, rx=1))
