# SPDX-License-Identifier: MIT
"""Chip, firmware, clock and memory. Sends the facts that head the table."""

import asyncio
import gc
import sys

import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Absent, row, say, start

_LITTLE = 60000  # bytes: below this a board runs out of memory before the terminal is up
_TICK_MS = 1100


async def board(it: "Any") -> None:
    """Chip, clock, memory, secret."""
    from kassa import VERSION

    say("fact", "board", getattr(it, "name", "unknown"))
    say("fact", "chip", sys.implementation._machine)
    say("fact", "MicroPython", sys.version)
    say("fact", "firmware", VERSION)

    async def reset() -> str:
        return "last reset: " + it.reset_cause()

    async def clock() -> str:
        before = it.rtc.datetime()
        await asyncio.sleep_ms(_TICK_MS)
        after = it.rtc.datetime()
        seconds = after[6] - before[6] + 60 * (after[5] - before[5] + 60 * (after[4] - before[4]))
        if seconds % 86400 not in (1, 2):
            raise ValueError("the clock moved by %d s in %d ms" % (seconds, _TICK_MS))
        return "%d-%02d-%02d %02d:%02d:%02d" % (after[:3] + after[4:7])

    async def heap() -> str:
        gc.collect()
        free, used = gc.mem_free(), gc.mem_alloc()
        note = "%d bytes free, %d in use" % (free, used)
        idf: "Any" = __import__("esp32")
        if hasattr(idf, "idf_heap_info"):
            note += ", IDF %d free" % sum([entry[1] for entry in idf.idf_heap_info(idf.HEAP_DATA)])
        if free < _LITTLE:
            raise MemoryError(note)
        return note

    async def secret() -> str:
        try:
            size = len(it.device_secret)
        except OSError:
            raise Absent("provisioning: the board has no device secret") from None
        return "%d bytes" % size

    async def frequency() -> str:
        return "%d MHz" % (machine.freq() // 1000000)

    await row("board", "reset", reset)
    if hasattr(machine, "freq"):
        await row("board", "clock rate", frequency)
    await row("board", "RTC", clock)
    await row("board", "heap", heap)
    await row("board", "device secret", secret)


start(board)
