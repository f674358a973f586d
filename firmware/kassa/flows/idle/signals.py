# SPDX-License-Identifier: MIT
"""A click for each key, and the light. Both need a board with memory to spare: see docs/hardware.md.

The light tells what the screen does: a short flash now and then = ready, even blinking = busy, steady = it went well,
fast blinking = look at the screen.
"""

import asyncio

from micropython import const

from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Board

_TURN_MS = const(20)
_SLOT = const(5)  # turns: 100 ms
# 16 slots each, the first one in the lowest bit
_READY = const(0x0001)
_BUSY = const(0x0F0F)
_WELL = const(0xFFFF)
_LOOK = const(0x5555)


async def run(session: Session, board: "Board") -> None:
    """Click and blink. Never returns."""
    keypad, led, turn = board.keypad, board.led, 0
    heard = keypad.last_press
    while True:
        if heard != keypad.last_press:  # every key sounds the same, so that nobody hears a code
            heard = keypad.last_press
            session.beep("key")
        if led is not None and not turn % _SLOT:
            led(_pattern(session) >> turn // _SLOT & 1)
        turn = (turn + 1) % (16 * _SLOT)
        await asyncio.sleep_ms(_TURN_MS)


def _pattern(session: Session) -> int:
    """What the light shows, by the kind of the page."""
    shown = session.ui.shown
    kind = shown[0][0] if shown else ""
    if kind in ("wait", "tap"):
        return _BUSY
    if kind in ("ok", "hold"):
        return _WELL
    return _LOOK if kind in ("warn", "refuse") else _READY
