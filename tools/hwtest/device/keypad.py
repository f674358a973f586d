# SPDX-License-Identifier: MIT
"""The keypad: no key stuck, then each key by a person."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Absent, Skip, ask, person_ms, row, start

_REST_MS = 300
_GIVE_UP = 3  # keys in a row that nobody pressed


async def keypad(it: "Any") -> None:
    """Every key of the matrix, row by row."""
    from kassa.drivers.keypad import KEYS

    pad = it.keypad
    missed = 0

    async def rest() -> str:
        stuck = [chr(key) for key in KEYS if pad.holds(chr(key))]
        if stuck:
            raise Absent("keys that read as pressed: %s (a short, or columns without pull-ups)" % " ".join(stuck))
        return "no key reads as pressed"

    async def pressed(key: int) -> str:
        if missed >= _GIVE_UP:
            raise Skip("nobody pressed the %d keys before" % missed)
        ask("press %s on the keypad" % chr(key))
        pad.flush()
        got = await pad.get_within(person_ms())
        if not got:
            raise Absent("its row and column, if it was pressed")
        if got != key:
            raise ValueError("it reads as %s: rows or columns are exchanged" % chr(got))
        return ""

    if await row("keypad", "at rest", rest) != "pass":
        return
    scanning = asyncio.create_task(pad.run())
    await asyncio.sleep_ms(_REST_MS)
    for key in KEYS:

        async def one(key: int = key) -> str:
            return await pressed(key)

        result = await row("keypad", "key " + chr(key), one, person_ms() + 2000)
        missed = missed + 1 if result == "absent" else missed if result == "skip" else 0
        if result == "skip" and not missed:
            break  # unattended: one row says it
    scanning.cancel()


start(keypad)
