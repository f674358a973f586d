# SPDX-License-Identifier: MIT
"""The console (USB or UART), in safe mode or when an administrator asks: sends the journal as it is in flash.

Reads only. See docs/support.md.

A request is a line, an answer is lines that begin with "kassa:"; anything else on the console is to be ignored.
"""

import asyncio
import binascii
import sys

from micropython import const

from kassa import VERSION

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Flash

_SECTOR = const(4096)
_PAGE = const(256)
_LONGEST = const(40)  # characters of a request
_FORMAT = const(1)


async def serve(flash: "Flash", cause: str, reason: str, stop: str) -> None:
    """Answer "kassa info" and "kassa journal" until the console ends. `flash`: the journal's.

    `cause`: of the last reset; `reason`: why safe mode runs; `stop`: the last stop.
    """
    console = asyncio.StreamReader(sys.stdin)
    line = ""
    while True:
        char = str(await console.read(1) or "")  # a console gives text
        if not char:
            return
        if char not in "\r\n":
            line = (line + char)[-_LONGEST:]
            continue
        if line.endswith("kassa info"):
            print("kassa: info %d %s %s" % (_FORMAT, cause, reason))
            print("kassa: firmware %s" % VERSION)
            print("kassa: system %s" % sys.version)
            print("kassa: stop %s" % stop)
            print("kassa: end 0")
        elif line.endswith("kassa journal"):
            await _send_journal(flash)
        line = ""


async def _send_journal(flash: "Flash") -> None:
    """Send every page that is not blank: "kassa: page", sector, offset, CRC-32, base64; at the end their number."""
    page, blank, count = bytearray(_PAGE), b"\xff" * _PAGE, 0
    sectors = flash.ioctl(4, 0)
    for sector in range(sectors):
        for offset in range(0, _SECTOR, _PAGE):
            try:
                flash.readblocks(sector, page, offset)
            except OSError:
                print("kassa: unreadable %d %d" % (sector, offset))
                continue
            if page != blank:
                count += 1
                text = str(binascii.b2a_base64(bytes(page)), "ascii").strip()
                print("kassa: page %d %d %08x %s" % (sector, offset, binascii.crc32(page), text))
        await asyncio.sleep_ms(0)
    print("kassa: size %d" % (sectors * _SECTOR))
    print("kassa: end %d" % count)
