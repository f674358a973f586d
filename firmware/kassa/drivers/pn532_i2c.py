# SPDX-License-Identifier: MIT
"""The PN532's I2C link: address 24 hex, up to 400 kHz. Source: UM0701-02, 6.2.4.

Every read starts with a status byte. Its bit 0 says that a frame follows; otherwise the rest is meaningless. While the
chip is asleep, and for a moment after each transfer, it does not acknowledge its address. It stretches the clock, so
the bus needs a long time-out: machine.I2C(..., timeout=50000).
"""

import time

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import I2C

_ADDRESS = const(0x24)
_TRIES = const(5)  # 1 ms apart


class I2cLink:
    """`i2c`: the bus. Methods: see pn532.Link."""

    def __init__(self, i2c: "I2C") -> None:
        self._i2c = i2c
        self._status = bytearray(1)
        self._ack = bytearray(7)  # status byte and ACK

    def wake(self) -> None:
        self.ready()  # the chip wakes on its address

    def ready(self) -> bool:
        try:
            self._i2c.readfrom_into(_ADDRESS, self._status)
        except OSError:
            return False
        return self._status[0] & 1 == 1

    def write(self, frame: "bytes | memoryview") -> None:
        for _ in range(_TRIES):
            try:
                self._i2c.writeto(_ADDRESS, frame)
                return
            except OSError:
                time.sleep_ms(1)

    def read_into(self, into: bytearray) -> None:
        whole = self._ack if len(into) < 7 else into
        try:
            self._i2c.readfrom_into(_ADDRESS, whole)
        except OSError:
            whole[0] = 0
        if not whole[0] & 1:
            into[:3] = b"\x00\x00\x00"  # so that it is taken for no frame
        elif whole is not into:
            into[:] = memoryview(whole)[1:]
