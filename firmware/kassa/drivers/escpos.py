# SPDX-License-Identifier: MIT
"""A thermal receipt printer, 58 mm paper (32 columns), that speaks Epson's ESC/POS over a UART; Chinese text as GBK."""

import asyncio
import time

from micropython import const

from kassa.errors import PrinterFault

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from machine import UART

    Line = tuple[str, int, bool, int]  # text, align 0 left 1 centre 2 right, bold, size 1 or 2

_COLUMNS = const(32)  # of size 1, one for each byte of text: what GBK encodes in two bytes prints twice as wide

_ANSWER_MS = const(500)  # a status byte comes within this
_WRITE_MS = const(3000)  # a line leaves within this, even when the printer holds the sender back
_LINE_MS = const(250)  # a line is printed within this, even on a battery
_CUT_MS = const(2000)  # and three more are fed and the paper is cut
_ASK_MS = const(1000)  # how often the printer is asked meanwhile
_POLL_MS = const(10)
_BUFFER = const(160)  # bytes of one line with its commands
_LONGEST = const(124)  # where its text ends, so that a line feed and the spaces before a value have room

# Epson, ESC/POS command reference: DLE EOT, GS r.
_PAPER_NOW = b"\x10\x04\x04"  # DLE EOT 4: the roll paper sensor; bits 5 and 6 = paper end
_PAPER_THEN = b"\x1dr\x01"  # GS r 1: the same, when everything before it has been done; bits 2 and 3 = paper end
_SETUP = b"\x1b@\x1c&"  # ESC @ initialise; FS & Chinese characters on
_CUT = b"\x1bd\x03\x1dVB\x00"  # ESC d 3 feed three lines; GS V 66 0 cut


class Printer:
    """`uart`: write, any and readinto of machine.UART."""

    def __init__(self, uart: "UART") -> None:
        self._uart = uart
        self._answer = bytearray(1)
        self._line = bytearray(_BUFFER)
        self._view = memoryview(self._line)
        self._fill = 0

    async def ready(self) -> None:
        """Raises PrinterFault when the printer does not answer within 500 ms or has no paper."""
        await self._drop()
        await self._send(_PAPER_NOW)
        status = await self._answered(_ANSWER_MS)
        if status < 0:
            raise PrinterFault("no answer")
        if status & 0x93 != 0x12:  # the fixed bits of every real-time status byte
            raise PrinterFault("not a printer")
        if status & 0x60:
            raise PrinterFault("no paper")

    async def print(self, lines: "Iterable[Line]", gbk: "Callable[[int], int]") -> None:
        """Print `lines` and cut. `gbk` gives the GBK code of a code point above ASCII, 0 for none (printed as "?").

        Raises PrinterFault before the first line when the printer is not ready, and after the last one when the paper
        ran out on the way: then the receipt must be printed again.
        """
        await self.ready()
        await self._send(_SETUP)
        patience = _CUT_MS
        for text, align, bold, size in lines:
            self._compose(text, align, bold, size, gbk)
            await self._send(self._view[: self._fill])
            patience += _LINE_MS
        await self._send(_CUT)
        await self._printed(patience)

    async def _printed(self, patience: int) -> None:
        """Wait, at most `patience` ms, until the printer has done all it was sent. Raises PrinterFault("no paper").

        GS r 1 is answered in its turn, after what came before it. A printer whose paper has ended stops and answers
        only DLE EOT, and one that does not know GS r never answers it: so that is asked beside it, and what it says
        counts once the printing must be over. One that does everything in its turn answers it late, which is no harm.
        """
        await self._drop()
        await self._send(_PAPER_THEN)
        start = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), start) < patience:
            status = await self._answered(_ASK_MS)
            if status < 0:
                await self._send(_PAPER_NOW)
            elif status & (0x60 if status & 0x10 else 0x0C):  # bit 4 tells DLE EOT's answer from GS r's
                raise PrinterFault("no paper")
            elif not status & 0x10:
                return
        await self.ready()

    async def _drop(self) -> None:
        """Throw away what came late: an answer to an older question is not one to the next."""
        for _ in range(_BUFFER):
            if not self._uart.any():
                break
            self._uart.readinto(self._answer)

    async def _answered(self, within: int) -> int:
        """The byte that comes within so many ms, -1 when none does."""
        start = time.ticks_ms()
        while not self._uart.any():
            if time.ticks_diff(time.ticks_ms(), start) > within:
                return -1
            await asyncio.sleep_ms(_POLL_MS)
        self._uart.readinto(self._answer)
        return self._answer[0]

    def _compose(self, text: str, align: int, bold: bool, size: int, gbk: "Callable[[int], int]") -> None:
        """ESC a align, ESC E bold, GS ! size, the text, a line feed. What does not fit the buffer is left out.

        What follows a tab goes to the right margin: of the same line, or of the next one where there is no room.
        """
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
        """Move the bytes from `tab` to `end` to the right margin of a line of size 1. Returns their new end."""
        line = self._line
        room = 9 + _COLUMNS - end
        first = 0x20
        if room < 1:
            room = 1 + max(0, _COLUMNS - (end - tab))
            first = 0x0A
        line[tab + room : end + room] = line[tab:end]
        for index in range(tab, tab + room):
            line[index] = 0x20
        line[tab] = first
        return end + room

    async def _send(self, data: "bytes | memoryview") -> None:
        """Write all of `data`. Raises PrinterFault when it does not leave in time."""
        start = time.ticks_ms()
        sent = self._uart.write(data) or 0
        while sent < len(data):
            if time.ticks_diff(time.ticks_ms(), start) > _WRITE_MS:
                raise PrinterFault("does not take the text")
            await asyncio.sleep_ms(_POLL_MS)
            sent += self._uart.write(memoryview(data)[sent:]) or 0
        await asyncio.sleep_ms(0)
