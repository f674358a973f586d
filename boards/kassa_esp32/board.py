# SPDX-License-Identifier: MIT
"""The Kassa ESP32 board: a classic ESP32-WROOM, its chips and their pins. Not yet run on hardware.

All 23 free pins of a development board with 30 pins are in use. GPIO 34, 35, 36 and 39 have no pull-ups: each column of
the keypad needs a resistor of 10 kohm to 3.3 V. The display is only written to, and its backlight is wired to 3.3 V.
"""

import gc

import network
from kassa.drivers.esp32_board import Esp32Board, output
from kassa.drivers.ili9341 import ILI9341
from kassa.drivers.keypad import Keypad
from kassa.drivers.pn532 import PN532
from kassa.drivers.pn532_spi import SpiLink
from kassa.drivers.wifi import Wifi
from machine import SPI, UART, Pin

_ROWS = (25, 26, 32, 33)
_COLUMNS = (34, 35, 36, 39)


class Board(Esp32Board):
    """The hardware as the firmware sees it; see kassa/hardware.py."""

    name = "kassa_esp32"
    display_miso = False

    def __init__(self) -> None:
        super().__init__()
        display = SPI(1, 40000000, sck=Pin(14), mosi=Pin(13), miso=None)
        self.display = ILI9341(display, output(15), output(2), output(18))
        reader = SPI(2, 5000000, firstbit=SPI.LSB, sck=Pin(12), mosi=Pin(23), miso=Pin(19))
        self.reader = PN532(SpiLink(reader, output(5)), Pin(4, Pin.IN, Pin.PULL_UP), output(27))
        rows = [Pin(pin, Pin.OPEN_DRAIN, value=1) for pin in _ROWS]  # two keys in one column must not short two rows
        self.keypad = Keypad(rows, [Pin(pin, Pin.IN) for pin in _COLUMNS])
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

        return Printer(UART(1, 115200, tx=17, rx=16), columns)

    def scanner(self):  # noqa: ANN201 - the driver is in memory only once it is needed
        """The barcode scanner, created when it is needed."""
        from kassa.drivers.scanner import Scanner

        return Scanner(UART(2, 9600, tx=22, rx=21))
