# SPDX-License-Identifier: MIT
"""The PN532's SPI link: mode 0, LSB first, up to 5 MHz. Source: UM0701-02, 6.2.5."""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import SPI, Pin

_WRITE = b"\x01"
_STATUS = b"\x02"
_READ = b"\x03"


class SpiLink:
    """`spi`: the bus. `cs`: output pin. Methods: see pn532.Link."""

    def __init__(self, spi: "SPI", cs: "Pin") -> None:
        self._spi = spi
        self._cs = cs
        self._status = bytearray(1)

    def wake(self) -> None:
        self._transfer(b"\x00")

    def ready(self) -> bool:
        self._transfer(_STATUS, self._status)
        return self._status[0] == 1

    def write(self, frame: "bytes | memoryview") -> None:
        self._cs(0)
        self._spi.write(_WRITE)
        self._spi.write(frame)
        self._cs(1)

    def read_into(self, into: bytearray) -> None:
        self._transfer(_READ, into)

    def _transfer(self, out: bytes, into: "bytearray | None" = None) -> None:
        """Write `out`, then read into `into`, within one chip select."""
        self._cs(0)
        self._spi.write(out)
        if into is not None:
            self._spi.readinto(into)
        self._cs(1)
