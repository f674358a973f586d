# SPDX-License-Identifier: MIT
"""Passive buzzer on a PWM pin: beeps that a cashier knows without looking at the display. Loaded for one beep at a time.

The beeps are told apart in code, not in a table: a table would take heap in the middle of a payment.
"""

import asyncio

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from machine import PWM

    class Turns(Protocol):
        beeps: int  # begun so far: the newest one has the buzzer


_HALF = const(32768)  # duty_u16 of a square wave
_GAP_MS = const(100)


async def play(pwm: "PWM", board: "Turns", beep: str) -> None:
    """Play a beep. `pwm`: freq and duty_u16 are used. `beep`: "tap", "declined", "display", or a kind of screens/message.py.

    A newer beep on the same `board` ends it. Silent afterwards, even if it is cancelled. Other tasks go on meanwhile; a
    tone lasts longer if one of them holds the processor, as a TLS handshake does.
    """
    if beep == "tap":  # the card has been read
        tone, ms, left = 2700, 50, 1
    elif beep in "ok hold":  # approved, accepted: short
        tone, ms, left = 2000, 150, 1
    elif beep == "declined":  # long
        tone, ms, left = 500, 600, 1
    elif beep == "display":  # it does not answer: long, short, short
        tone, ms, left = 400, 600, 3
    else:  # not taken, cancelled, or its end is not known: three, look at the display
        tone, ms, left = 1000, 120, 3
    mine = board.beeps = board.beeps + 1 & 0xFFFF
    try:
        while board.beeps == mine:
            pwm.freq(tone)
            pwm.duty_u16(_HALF)
            await asyncio.sleep_ms(ms)
            left -= 1
            if not left or board.beeps != mine:
                break
            pwm.duty_u16(0)
            await asyncio.sleep_ms(_GAP_MS)
            ms = 120
    finally:
        if board.beeps == mine:
            pwm.duty_u16(0)
