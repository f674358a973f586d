# SPDX-License-Identifier: MIT
"""`machine.I2C` over the bus."""

import struct

from micropython import const

import bus
import wiring

_ENODEV = const(19)


class I2C:
    """A hardware I2C bus. Raises OSError(19) if no chip acknowledges its address."""

    def __init__(
        self, id: int, *, scl: object = None, sda: object = None, freq: int = 400000, timeout: int = 50000
    ) -> None:
        self._id = id
        self._request = bytearray(3)

    def writeto(self, addr: int, buf, stop: bool = True) -> int:
        if not bus.ask_number(wiring.I2C_WRITE, self._id, 1, bytes((addr,)) + bytes(buf)):
            raise OSError(_ENODEV)
        return len(buf)

    def readfrom_into(self, addr: int, buf, stop: bool = True) -> None:
        struct.pack_into(b"<BH", self._request, 0, addr, len(buf))
        if not bus.ask_number(wiring.I2C_READ, self._id, 1, self._request):
            raise OSError(_ENODEV)
        bus.answer(buf)

    def readfrom(self, addr: int, nbytes: int, stop: bool = True) -> bytes:
        into = bytearray(nbytes)
        self.readfrom_into(addr, into)
        return bytes(into)
