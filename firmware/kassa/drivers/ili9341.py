# SPDX-License-Identifier: MIT
"""ILI9341 TFT controller, 320x240 landscape, 16 bits per pixel, 4-line serial interface.

Numbers in brackets are page numbers of the ILI9341 datasheet V1.11. The driver never reads from the chip;
display_probe.py does.
"""

import time

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import SPI, Pin

WIDTH = const(320)
HEIGHT = const(240)

_CASET = const(0x2A)  # column address set [110]
_PASET = const(0x2B)  # page address set [112]
_RAMWR = const(0x2C)  # memory write [114]
_RESET_MS = const(1)  # low time; the chip requires 10 us
_WAKE_MS = const(120)  # from the end of reset to sleep out [101]
_AWAKE_MS = const(5)  # from sleep out to the next command [101]
_PIECE = const(640)


class ILI9341:
    """`spi`: the bus. `cs`, `dc`, `rst`: output pins. `backlight`: output pin, None if not wired."""

    # command, number of parameters, parameters
    SETUP = (
        b"\xc0\x01\x23"  # power control 1: GVDD 4.6 V [178]
        b"\xc1\x01\x10"  # power control 2 [179]
        b"\xc5\x02\x3e\x28"  # VCOM control 1 [180]
        b"\xc7\x01\x86"  # VCOM control 2 [182]
        b"\x36\x01\x28"  # memory access: row and column exchanged (landscape), BGR [127]
        b"\x3a\x01\x55"  # 16 bits per pixel [134]
        b"\xb1\x02\x00\x18"  # frame rate 79 Hz [155]
        b"\xb6\x03\x08\x82\x27"  # display function [164]
        b"\x26\x01\x01"  # gamma curve 1 [107]
    )

    def __init__(self, spi: "SPI", cs: "Pin", dc: "Pin", rst: "Pin", backlight: "Pin | None" = None) -> None:
        self.spi = spi
        self.cs = cs
        self.dc = dc
        self._rst = rst
        self.backlight = backlight
        self._one = bytearray(1)
        self._four = bytearray(4)
        self._is_reset = False  # `start` has still to wait, since then:
        self._reset_at = time.ticks_ms()
        cs(1)

    def reset(self) -> None:
        """Reset the chip. `start` does it too; who calls this first can load something in the 120 ms that `start` waits."""
        self._rst(0)
        time.sleep_ms(_RESET_MS)
        self._rst(1)
        self._reset_at = time.ticks_ms()
        self._is_reset = True

    def start(self) -> None:
        """Reset and set up the chip, clear the screen to black, switch on display and backlight. Takes about 160 ms."""
        if not self._is_reset:
            self.reset()
        self._is_reset = False
        passed = time.ticks_diff(time.ticks_ms(), self._reset_at)
        if 0 <= passed < _WAKE_MS:
            time.sleep_ms(_WAKE_MS - passed)
        self._set_up()
        self.fill(0, 0, WIDTH, HEIGHT, 0)
        self._command(0x29, None)  # display on [109]
        if self.backlight is not None:
            self.backlight(1)

    def restore(self) -> None:
        """Set up the chip again and switch the display on, in case the chip lost power. Takes 5 ms.

        If it did not lose power, nothing changes on the screen. If it did, the next page redraws the picture.
        """
        self._set_up()
        self._command(0x29, None)

    def _set_up(self) -> None:
        at, setup = 0, self.SETUP
        while at < len(setup):
            count = setup[at + 1]
            self._command(setup[at], setup[at + 2 : at + 2 + count])
            at += 2 + count
        self._command(0x11, None)  # sleep out [101]
        time.sleep_ms(_AWAKE_MS)

    def _command(self, command: int, parameters: "bytes | bytearray | None") -> None:
        self._one[0] = command
        self.dc(0)
        self.cs(0)
        self.spi.write(self._one)
        if parameters:
            self.dc(1)
            self.spi.write(parameters)
        self.cs(1)

    def _range(self, command: int, first: int, count: int) -> None:
        last = first + count - 1
        four = self._four
        four[0] = first >> 8
        four[1] = first & 255
        four[2] = last >> 8
        four[3] = last & 255
        self._command(command, four)

    def window(self, x: int, y: int, width: int, height: int) -> None:
        """Set the rectangle (pixels) that the next `write`s fill, row by row.

        Raises ValueError if it is outside the panel.
        """
        if x < 0 or y < 0 or width < 1 or height < 1 or x + width > WIDTH or y + height > HEIGHT:
            raise ValueError("outside the panel")
        self._range(_CASET, x, width)
        self._range(_PASET, y, height)
        self._command(_RAMWR, None)

    def write(self, pixels: "bytearray | memoryview") -> None:
        """Write RGB565 pixels, high byte first.

        Continues where the last write ended: the chip allows pauses between bytes.
        """
        self.dc(1)
        self.cs(0)
        self.spi.write(pixels)
        self.cs(1)

    def fill(self, x: int, y: int, width: int, height: int, colour: int) -> None:
        """Fill a rectangle (pixels) with one colour. `colour`: as framebuf stores it (low byte first)."""
        piece = bytearray(_PIECE)
        for at in range(0, _PIECE, 2):
            piece[at] = colour & 255
            piece[at + 1] = colour >> 8
        self.window(x, y, width, height)
        left = 2 * width * height
        while left >= _PIECE:
            self.write(piece)
            left -= _PIECE
        if left:
            self.write(memoryview(piece)[:left])
