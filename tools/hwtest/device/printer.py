# SPDX-License-Identifier: MIT
"""The receipt printer: its status, and one printed line."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Absent, question, row, start


async def printer(it: "Any") -> None:
    """Nothing is printed if it does not answer."""
    from kassa.errors import PrinterFault

    driver = it.printer()

    async def status() -> str:
        try:
            await driver.ready()
        except PrinterFault as error:
            if str(error) == "no paper":
                raise
            raise Absent("its own supply, TX and RX (crossed), 3.3 V levels, 115200 baud; %s" % error) from None
        return "answers, has paper"

    async def line() -> None:
        await driver.print((("Kassa hardware test", 1, False, 1),), lambda code: 0)
        question("printer: one line 'Kassa hardware test' on paper, then a cut or a feed?")

    if await row("printer", "status", status) == "pass":
        await row("printer", "a line", line, 10000)


start(printer)
