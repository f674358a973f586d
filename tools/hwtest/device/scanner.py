# SPDX-License-Identifier: MIT
"""The code scanner: a code by a person. Its digits are not reported: they may be somebody's payment code."""

import asyncio
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Absent, ask, person_ms, row, start

_LOOK_MS = 20


async def scanner(it: "Any") -> None:
    """One code."""

    async def code() -> str:
        ask("scan a code of digits")
        driver = it.scanner()
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < person_ms():
            found = driver.take()
            if found:
                return "%d digits" % len(found)
            if found is not None:
                raise ValueError("a code that is no number, or its baud rate is not the board's")
            await asyncio.sleep_ms(_LOOK_MS)
        raise Absent("supply, TX and RX (crossed), 9600 baud, and that it scans by its button")

    await row("scanner", "code", code, person_ms() + 2000)


start(scanner)
