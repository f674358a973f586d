# SPDX-License-Identifier: MIT
"""Passive buzzer on a PWM pin: beeps that a cashier knows without looking at the display. Loaded for one beep at a time."""

import asyncio

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from machine import PWM

_HALF = const(32768)  # duty_u16 of a square wave

# tone in Hz (0 = silence) and its length in units of 10 ms, in turn
_SHORT = (2000, 15)
_THREE = (1000, 12, 0, 10, 1000, 12, 0, 10, 1000, 12)
_BEEPS = {
    "tap": (2700, 5),  # the card has been read
    "ok": _SHORT,  # approved; from here to "refuse" the kinds of screens/message.py
    "hold": _SHORT,  # accepted
    "warn": _THREE,  # cancelled, or its end is not known yet: look at the display
    "refuse": _THREE,  # not taken
    "declined": (500, 60),
    "display": (400, 60, 0, 20, 400, 15, 0, 15, 400, 15),  # the display does not answer: long, short, short
}


class Buzzer:
    """`pwm`: a machine.PWM with duty 0; freq and duty_u16 are used. `turn`: a byte that all objects for one pin share."""

    def __init__(self, pwm: "PWM", turn: bytearray) -> None:
        self._pwm = pwm
        self._turn = turn

    async def play(self, beep: str) -> None:
        """Play one of _BEEPS. A newer beep ends it. Silent afterwards, even if it is cancelled. Raises KeyError.

        Other tasks go on meanwhile. A tone lasts longer if one of them holds the processor, as a TLS handshake does.
        """
        pattern, pwm, turn = _BEEPS[beep], self._pwm, self._turn
        mine = turn[0] = (turn[0] + 1) & 255
        try:
            for at in range(0, len(pattern), 2):
                if pattern[at]:
                    pwm.freq(pattern[at])
                pwm.duty_u16(_HALF if pattern[at] else 0)
                await asyncio.sleep_ms(10 * pattern[at + 1])
                if turn[0] != mine:
                    return
        finally:
            if turn[0] == mine:
                pwm.duty_u16(0)
