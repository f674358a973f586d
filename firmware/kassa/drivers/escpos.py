# SPDX-License-Identifier: MIT
"""Thermal receipt printer, Epson ESC/POS over a UART: 58 mm paper (384 dots, 32 columns) or 80 mm (576 dots, 48 columns).

Chinese text is sent as GBK. A printer that has no Chinese characters is sent pictures of the lines, see flows/steps/raster.py.
"""

import asyncio
import time

from micropython import const

from kassa.errors import PrinterFault

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from machine import UART

    # text, align 0 left 1 centre 2 right, bold, size 1 or 2; align 3: the text is printed as a QR Code
    Line = tuple[str, int, bool, int]

_ANSWER_MS = const(500)  # maximum time for a status byte to arrive
_WRITE_MS = const(3000)  # maximum time to send one line, flow control included
_LINE_MS = const(250)  # maximum time to print one line, even on a battery
_CUT_MS = const(2000)  # maximum time to feed three lines and cut the paper
_ASK_MS = const(1000)  # interval between status requests while printing
_POLL_MS = const(10)
_BUFFER = const(160)  # bytes of one line, commands included
_LONGEST = const(124)  # maximum end of the text in it: leaves room for a line feed and the spaces before a value
_AHEAD = const(3072)  # bytes that the printer is sent before it has printed what came earlier: small ones hold 4 KB
_CODE = const(3)  # align of a QR Code

# Epson, ESC/POS command reference: DLE EOT, GS r.
_PAPER_NOW = const(b"\x10\x04\x04")  # DLE EOT 4: roll paper sensor, answered at once; bits 5 and 6 = paper end
_STOPPED_NOW = const(b"\x10\x04\x02")  # DLE EOT 2: why it does not print; bit 2 = cover open, 5 = paper end, 6 = error
_PAPER_THEN = const(b"\x1dr\x01")  # GS r 1: the paper, answered after all earlier commands; bits 2 and 3 = paper end
_SETUP = const(b"\x1b@\x1c&")  # ESC @ initialise; FS & select Chinese characters
_CUT = const(b"\x1bd\x03\x1dVB\x00")  # ESC d 3 feed three lines; GS V 66 0 cut the paper
# GS ( k, functions 165, 167 and 169: model 2, modules of 5 dots, level M; ESC a 1: centred; ESC J: a margin. 181: print.
_CODE_SETUP = const(b"\x1ba\x01\x1bJ\x10\x1d(k\x04\x001A2\x00\x1d(k\x03\x001C\x05\x1d(k\x03\x001E1")
_CODE_PRINT = const(b"\x1d(k\x03\x001Q0\n")


class Printer:
    """`uart`: a machine.UART; write, any and readinto are used.

    `columns`: characters of size 1 on a line, one per byte of text: a character of two GBK bytes is twice as wide.
    `answers`: False for a printer whose line back is not wired, or that answers no status request. Nothing is asked
    then, and no fault is found. `begun`: something may be on the paper since the last `begin`.
    """

    def __init__(self, uart: "UART", columns: int = 32, answers: bool = True) -> None:
        self.columns = columns
        self.begun = False
        self._uart = uart
        self._answers = answers
        self._held = False
        self._limit_ms = 0
        self._ahead = 0
        self._answer = bytearray(1)
        self._line = bytearray(_BUFFER)
        self._view = memoryview(self._line)
        self._fill = 0

    async def ready(self) -> None:
        """Check the printer. Raises PrinterFault if it does not answer within 500 ms, has no paper, or its cover is open."""
        if not self._answers:
            return
        await self._discard_input()
        await self._send(_PAPER_NOW)
        status = await self._read_status(_ANSWER_MS)
        if status < 0:
            raise PrinterFault("no answer")
        if status & 0x93 != 0x12:  # the fixed bits of every real-time status byte
            raise PrinterFault("not a printer")
        if status & 0x60:
            raise PrinterFault("no paper")
        await self._send(_STOPPED_NOW)
        _judge(await self._read_status(_ANSWER_MS))

    async def print(self, lines: "Iterable[Line]", gbk: "Callable[[int], int]") -> None:
        """Print `lines` and cut the paper. `gbk` returns the GBK code of a non-ASCII code point, or 0 (printed as "?").

        Raises PrinterFault before the first line if the printer is not ready. Also raises it later if the paper ran out
        or the cover was opened while printing; see `resume`.
        """
        await self.begin()
        for text, align, bold, size in lines:
            if align == _CODE:
                await self.code(text.encode())
            else:
                self._compose(text, align, bold, size, gbk)
                await self.put(self._view[: self._fill])
        await self.end()

    async def begin(self) -> None:
        """Check the printer and set it up. Raises PrinterFault if it is not ready."""
        self.begun = self._held = False
        await self.ready()
        self.begun = True
        self._limit_ms, self._ahead = _CUT_MS, 0
        await self._send(_SETUP)

    async def put(self, line: "bytes | memoryview") -> None:
        """Send the commands of one line. Waits for the printer now and then, because its memory is small."""
        self._ahead += len(line)
        if self._ahead > _AHEAD:
            await self._wait_printed()
            self._ahead = len(line)
        self._limit_ms += _LINE_MS
        await self._send(line)

    async def code(self, data: bytes) -> None:
        """Print a QR Code of `data`, up to 250 bytes (ISO/IEC 18004; GS ( k, function 180 stores the data)."""
        await self.put(_CODE_SETUP)
        await self.put(b"\x1d(k" + bytes((len(data) + 3, 0)) + b"1P0" + data)
        await self.put(_CODE_PRINT)
        self._limit_ms += _CUT_MS

    async def end(self) -> None:
        """Cut the paper, and wait until everything is printed. Raises PrinterFault if it is not."""
        await self._send(_CUT)
        self._held = True
        await self._wait_printed()

    async def resume(self) -> bool:
        """After a fault has been removed: whether the printer has printed by itself what it held, so that all is printed.

        False: print it again. Raises PrinterFault if it still cannot print.
        """
        if self._held:
            await self._until_printed()
            return True
        return False

    async def _wait_printed(self) -> None:
        if self._answers:
            await self._discard_input()
            await self._send(_PAPER_THEN)
            await self._until_printed()
        self._limit_ms = _CUT_MS

    async def _until_printed(self) -> None:
        """Wait until the printer has finished. Raises PrinterFault.

        The printer answers GS r 1 after all earlier commands. But it may never do so: a printer that runs out of paper
        stops and answers only DLE EOT, and some printers do not support GS r. So DLE EOT is sent as well. Its answer
        decides once the time is up. A printer that queues DLE EOT too answers it late, which does no harm.
        """
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < self._limit_ms:
            status = await self._read_status(_ASK_MS)
            if status < 0:
                await self._send(_STOPPED_NOW)
            elif status & 0x10:  # bit 4: answer to DLE EOT (1) or GS r (0)
                _judge(status)
            else:
                self._held = False
                if status & 0x0C:
                    raise PrinterFault("no paper")
                return
        self._held = False
        await self.ready()

    async def _discard_input(self) -> None:
        """Discard received bytes: a late answer must not be taken for the answer to the next request."""
        for _ in range(_BUFFER):
            if not self._uart.any():
                break
            self._uart.readinto(self._answer)

    async def _read_status(self, within: int) -> int:
        """Return the next byte received, -1 if none arrives within `within` ms."""
        start = time.ticks_ms()
        while not self._uart.any():
            if time.ticks_diff(time.ticks_ms(), start) > within:
                return -1
            await asyncio.sleep_ms(_POLL_MS)
        self._uart.readinto(self._answer)
        return self._answer[0]

    def _compose(self, text: str, align: int, bold: bool, size: int, gbk: "Callable[[int], int]") -> None:
        """Build one line: ESC a align, ESC E bold, GS ! size, the text, a line feed. Text that does not fit is cut off.

        Text after a tab is right-aligned: on the same line, or on the next one if there is no room. A single "-" is a
        rule across the paper.
        """
        if text == "-":
            text = "-" * self.columns
        line = self._line
        line[0:3] = b"\x1ba\x00"
        line[2] = align
        line[3:6] = b"\x1bE\x00"
        line[5] = 1 if bold else 0
        line[6:9] = b"\x1d!\x00"
        line[8] = 0x11 if size == 2 else 0
        at, tab = 9, 0
        for char in text:
            code = ord(char)
            if at > _LONGEST:
                break
            if char == "\t":
                tab = at
                continue
            if 0x20 <= code < 0x7F:
                line[at] = code
                at += 1
                continue
            wide = gbk(code)
            if wide > 0xFF:
                line[at] = wide >> 8
                line[at + 1] = wide & 255
                at += 2
            else:
                line[at] = 0x3F
                at += 1
        if tab:
            at = self._spread(tab, at)
        line[at] = 0x0A
        self._fill = at + 1

    def _spread(self, tab: int, end: int) -> int:
        """Right-align the bytes from `tab` to `end` on a line of size 1. Returns their new end."""
        line = self._line
        room = 9 + self.columns - end
        first = 0x20
        if room < 1:
            room = 1 + max(0, self.columns - (end - tab))
            first = 0x0A
        line[tab + room : end + room] = line[tab:end]
        for index in range(tab, tab + room):
            line[index] = 0x20
        line[tab] = first
        return end + room

    async def _send(self, data: "bytes | memoryview") -> None:
        """Write all of `data`. Raises PrinterFault if it cannot be sent in time."""
        start = time.ticks_ms()
        sent = self._uart.write(data) or 0
        while sent < len(data):
            if time.ticks_diff(time.ticks_ms(), start) > _WRITE_MS:
                raise PrinterFault("does not accept data")
            await asyncio.sleep_ms(_POLL_MS)
            sent += self._uart.write(memoryview(data)[sent:]) or 0
        await asyncio.sleep_ms(0)


def _judge(status: int) -> None:
    """Raise PrinterFault if the answer to DLE EOT 2 says that the printer has stopped. -1: it does not know the request."""
    if status >= 0 and status & 0x20:
        raise PrinterFault("no paper")
    if status >= 0 and status & 0x44:
        raise PrinterFault("its cover is open")
