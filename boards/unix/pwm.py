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
        self._duty = duty_u16
        self._set()

    def freq(self, value: int) -> None:
        self._freq = value
        self._set()

    def duty_u16(self, value: int) -> None:
        self._duty = value
        self._set()

    def _set(self) -> None:
        bus.post(wiring.PWM, self._pin, struct.pack("<IH", self._freq, self._duty))
