# SPDX-License-Identifier: MIT
"""The Unix board: connects the simulator's chips to the firmware's drivers. No other file here knows the drivers."""

import network
import wiring
from kassa.drivers.esp32_board import Esp32Board, output
from kassa.drivers.ili9341 import ILI9341
from kassa.drivers.keypad import Keypad
from kassa.drivers.pn532 import PN532
from kassa.drivers.pn532_spi import SpiLink
from kassa.drivers.wifi import Wifi
from machine import SPI, UART, Pin


def _device_secret() -> bytearray:
    """The 32 bytes that real hardware keeps in eFuses or encrypted NVS."""
    secret = bytearray(32)
    with open("efuse.bin", "rb") as fuses:
        fuses.readinto(secret)
    return secret


class Board(Esp32Board):
    """The hardware as the firmware sees it: drivers, partitions, entropy, secret, watchdog."""

    name = "unix"

    def __init__(self) -> None:
        super().__init__()
        self.display = ILI9341(
            SPI(wiring.DISPLAY_SPI, 40000000),
            output(wiring.DISPLAY_CS),
            output(wiring.DISPLAY_DC),
            output(wiring.DISPLAY_RST),
            output(wiring.DISPLAY_LIGHT, 0),
        )
        self.reader = PN532(
            SpiLink(SPI(wiring.READER_SPI, 5000000, firstbit=SPI.LSB), output(wiring.READER_CS)),
            Pin(wiring.READER_IRQ, Pin.IN, Pin.PULL_UP),
            output(wiring.READER_RST),
        )
        self.keypad = Keypad(
            [Pin(pin, Pin.OPEN_DRAIN, value=1) for pin in wiring.KEY_ROWS],
            [Pin(pin, Pin.IN, Pin.PULL_UP) for pin in wiring.KEY_COLS],
        )
        self.buzzer = Pin(wiring.BUZZER)
        self.led = output(wiring.LED, 0)
        self.wifi = Wifi(network.WLAN(network.STA_IF))

    @property
    def device_secret(self) -> bytearray:
        """The 32 bytes that all keys of this device derive from. Raises OSError if they are missing."""
        return _device_secret()

    def printer(self, columns: int = 32):  # noqa: ANN201 - the driver is in memory only while printing
        """The receipt printer, created when something is to be printed. `columns`: 32 for 58 mm paper, 48 for 80 mm."""
        from kassa.drivers.escpos import Printer

        return Printer(UART(wiring.PRINTER_UART, 115200), columns)

    def scanner(self):  # noqa: ANN201 - the driver is in memory only once it is needed
        """The barcode scanner, created when it is needed."""
        from kassa.drivers.scanner import Scanner

        return Scanner(UART(wiring.SCANNER_UART, 9600))
