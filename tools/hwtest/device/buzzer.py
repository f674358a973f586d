# SPDX-License-Identifier: MIT
"""The buzzer: a short beep, a long one and three, for a person to hear."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Skip, question, row, start

_PAUSE_MS = 300


async def buzzer(it: "Any") -> None:
    """Nothing tells the board whether it was heard."""

    async def beeps() -> None:
        if it.buzzer is None:
            raise Skip("this board has none")
        for beep in ("ok", "declined", "refuse"):
            await it.beep(beep)
            await asyncio.sleep_ms(_PAUSE_MS)
        question("buzzer: a short beep, a long one, and three?")

    await row("buzzer", "beeps", beeps)


start(buzzer)
