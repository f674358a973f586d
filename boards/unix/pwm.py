# SPDX-License-Identifier: MIT
"""`machine.PWM` over the bus."""

import struct

import bus
import wiring


class PWM:
    """A square wave on a pin."""

    def __init__(self, dest, *, freq: int = 5000, duty_u16: int = 0) -> None:  # noqa: ANN001 - a Pin
        self._pin = dest._id
        self._freq = freq
        self.duty_u16(duty_u16)

    def duty_u16(self, value: int) -> None:
        bus.post(wiring.PWM, self._pin, struct.pack(b"<IH", self._freq, value))
