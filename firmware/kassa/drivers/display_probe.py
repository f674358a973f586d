# SPDX-License-Identifier: MIT
"""Reads registers of a display controller over MISO, to tell whether one is there. Loaded at boot and by `make hwtest`.

ILI9341 datasheet V1.11, 8.2.5, and ST7789V datasheet V1.4, 9.1.5 (both follow MIPI DCS, get_power_mode). A serial read
takes 150 ns a bit at least, so the bus is slowed down for it.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.drivers.ili9341 import ILI9341

POWER_MODE = const(0x0A)  # bits 4, 3, 2: awake, normal mode, display on; bits 1, 0 are always 0
_READ_HZ = const(5000000)
_WRITE_HZ = const(40000000)  # as every board sets it


def read(display: "ILI9341", command: int, into: bytearray) -> None:
    """Fill `into` with what the controller sends after `command`. Without a controller the line floats: any bytes."""
    spi = display.spi
    spi.init(baudrate=_READ_HZ)
    display.cs(0)
    display.dc(0)
    spi.write(bytes((command,)))
    display.dc(1)
    spi.readinto(into)
    display.cs(1)
    spi.init(baudrate=_WRITE_HZ)


def answers(display: "ILI9341") -> bool:
    """Whether a controller that was started reports that it shows a picture. A floating line, all 0 or all 1, does not."""
    mode = bytearray(1)
    read(display, POWER_MODE, mode)
    return mode[0] & 0x1F == 0x1C
