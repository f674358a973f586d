# SPDX-License-Identifier: MIT
"""Passive buzzer on a PWM pin: short patterns that a cashier knows without looking at the display."""

import asyncio

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import PWM

_HALF = const(32768)  # duty_u16 of a square wave

# tone in Hz (0 = silence) and its length in units of 10 ms, in turn
GOOD = (2000, 8, 2700, 12)
ERROR = (400, 25, 0, 10, 400, 25)
DEAD = (400, 60, 0, 20, 400, 15, 0, 15, 400, 15)  # out of service: long, short, short


class Buzzer:
    """`pwm`: a machine.PWM with duty 0; freq and duty_u16 are used."""

    def __init__(self, pwm: "PWM") -> None:
        self._pwm = pwm

    async def play(self, pattern: "tuple[int, ...]") -> None:
        """Play one of the patterns above. Silent afterwards, even if it is cancelled."""
        pwm = self._pwm
        try:
            for at in range(0, len(pattern), 2):
                if pattern[at]:
                    pwm.freq(pattern[at])
                pwm.duty_u16(_HALF if pattern[at] else 0)
                await asyncio.sleep_ms(10 * pattern[at + 1])
        finally:
            pwm.duty_u16(0)
