# SPDX-License-Identifier: MIT
"""The display: reset and setup, what it answers over MISO if that is wired, and a picture for a person to look at."""

import framebuf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Absent, Skip, question, row, start

_BARS = (0xFFFF, 0xE0FF, 0xFF07, 0xE007, 0x1FF8, 0x00F8, 0x1F00, 0x0000)  # white to black, RGB565, low byte first
_WIDTH, _BAR = 320, 40


async def display(it: "Any") -> None:
    """Setup, answer, colour bars, text."""

    async def setup() -> None:
        it.display.start()

    async def answer() -> str:
        if not it.display_miso:
            raise Skip("MISO is not wired: nobody can tell; look at the picture")
        from kassa.drivers import display_probe

        seen = []
        for command, size in ((display_probe.POWER_MODE, 1), (0x04, 4), (0xD3, 4)):
            data = bytearray(size)
            display_probe.read(it.display, command, data)
            seen.append("%02X: %s" % (command, "".join(["%02x" % byte for byte in data])))
        note = ", ".join(seen)
        if not display_probe.answers(it.display):
            raise Absent("its supply, CS, DC, RST and MISO (some modules do not lead it out); " + note)
        return note

    async def bars() -> None:
        for index, colour in enumerate(_BARS):
            it.display.fill(index * _BAR, 0, _BAR, 200, colour)
        question("display: eight bars from white to black (white, yellow, cyan, green, magenta, red, blue, black)?")

    async def text() -> None:
        strip = bytearray(2 * 8 * _WIDTH)
        frame = framebuf.FrameBuffer(strip, _WIDTH, 8, framebuf.RGB565)
        frame.text("Kassa hardware test", 80, 0, 0xFFFF)
        it.display.window(0, 216, _WIDTH, 8)
        it.display.write(strip)
        question("display: below the bars the words 'Kassa hardware test', not mirrored?")

    await row("display", "setup", setup)
    await row("display", "answer", answer)
    await row("display", "colour bars", bars)
    await row("display", "text", text)


start(display)
