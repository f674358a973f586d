# SPDX-License-Identifier: MIT
"""NXP PN532 card reader: its commands and frames. Source: UM0701-02, chapters 6 and 7.

A link carries the frames: pn532_spi.py, pn532_i2c.py or pn532_hsu.py. Supports extended frames both ways: a record with
an issuer certificate needs a reply of 259 bytes, a normal frame holds 255.
"""

import asyncio
from struct import pack_into
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from kassa.errors import CardError, CardGone, ReaderFault

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from machine import Pin

    class Link(Protocol):
        """How frames reach the chip. A wire that does not answer shows as "not ready", never as an error."""

        def wake(self) -> None:
            """Wake the chip; it listens 2 ms later."""
            ...

        def ready(self) -> bool:
            """Whether the chip has a frame to read."""
            ...

        def write(self, frame: "bytes | memoryview") -> None:
            """Send a frame, from its preamble on."""
            ...

        def read_into(self, into: bytearray) -> None:
            """Read the waiting frame: an ACK into 6 bytes, or any frame into at least 276 bytes.

            The bytes after the frame are undefined.
            """
            ...


_ACK = b"\x00\x00\xff\x00\xff\x00"
_NACK = b"\x00\x00\xff\xff\x00\x00"

_FRAME_MAX = const(276)  # 00 00 FF, five length bytes, TFI, 264 bytes, checksum, 00, and one byte that a link may need
_PAYLOAD_MAX = const(264)
_CHIP = const(0xD5)
_MORE = const(0x40)

_SAM_NORMAL = b"\x14\x01\x00\x01"  # no SAM, no time-out, IRQ line used
_VERSION = b"\x02"
_PARAMETERS = b"\x12\x14"  # the chip handles RATS and layer 4
_RETRIES = b"\x32\x05\xff\x01\x02"  # poll for a card three times, then answer "none"
_FIELD_OFF = b"\x32\x01\x00"
_LIST_A = b"\x4a\x02\x00"  # up to two cards, 106 kbit/s type A
_LIST_B = b"\x4a\x02\x03\x00"  # up to two cards, type B, all application families
_EXCHANGE = b"\x40\x01"
_LAYER_4 = const(0x20)  # bit of a type A card's SEL_RES: ISO/IEC 14443-4 supported

_ACK_MS = const(50)  # the chip needs 15 at most
_CHIP_MS = const(200)  # for commands that involve no card
_LIST_MS = const(500)
_CARD_MS = const(5000)  # one APDU with all waiting-time extensions a card may request
_POLL_MS = const(50)  # pause between two polls
_RESET_MS = const(10)  # field off long enough to reset a card (EMV Book D: 5 to 10 ms)


class PN532:
    """One reader. `find`, `exchange` and `wait_removed` communicate with the card. Every wait has a limit.

    The board sets up `link`, and the pins `irq` and `reset` if they are wired. Without `irq` the driver polls the link.
    The methods raise ReaderFault if the chip is absent or its replies are invalid. They may be cancelled at any
    point: a new command makes the chip abort the previous one. If the chip failed (a brown-out, for example, loses its
    settings), it is set up again before the next poll for a card.
    """

    def __init__(self, link: "Link", irq: "Pin | None" = None, reset: "Pin | None" = None) -> None:
        self._link = link
        self._irq = irq
        self._line = None  # the IRQ line once the chip drives it
        self._reset = reset
        self._frame = bytearray(_FRAME_MAX)  # frame sent or received; holds card data only during an exchange
        self._view = memoryview(self._frame)
        self._short = bytearray(6)  # an ACK
        self._at = 0  # reply data in _frame: first byte after the reply code ...
        self._end = 0  # ... and the end
        self.works = False  # the chip is set up, and answered the last command

    async def start(self) -> None:
        """Reset, wake and set up the chip. Raises ReaderFault if no PN532 answers."""
        self._line = None
        self.works = False
        if self._reset is not None:
            self._reset(0)
            await asyncio.sleep_ms(_RESET_MS)
            self._reset(1)
            await asyncio.sleep_ms(_RESET_MS)
        self._link.wake()
        await asyncio.sleep_ms(2)
        await self._command(_SAM_NORMAL, None, _CHIP_MS)
        self._line = self._irq
        await self._command(_VERSION, None, _CHIP_MS)
        if self._end - self._at != 4 or self._frame[self._at] != 0x32:
            raise ReaderFault("the card reader is no PN532")
        await self._command(_PARAMETERS, None, _CHIP_MS)
        await self._command(_RETRIES, None, _CHIP_MS)
        self.works = True

    async def check(self) -> None:
        """Check that the chip still answers, and set it up again if not.

        The result is in `works`. Leaves the field off.
        """
        try:
            await self._ensure_working()
        except ReaderFault:
            pass

    async def _ensure_working(self) -> None:
        """Switch the field off; if that fails, set up the chip again. Raises ReaderFault."""
        try:
            await self.off()
            if self.works:
                return
        except ReaderFault:
            pass
        await self.start()
        await self.off()

    async def find(self, timeout_ms: int) -> int:
        """Wait for a card: 1 = one ISO/IEC 14443-4 card, now active; 2 = more than one card; 0 = none in time.

        Polls at least once. Cards without layer 4 (key fobs) count as none. After 0 and 2 the field is off.
        """
        deadline = ticks_add(ticks_ms(), timeout_ms)
        await self._ensure_working()
        while True:
            cards = await self._poll()
            if cards != 1:
                await self.off()
            if cards or ticks_diff(deadline, ticks_ms()) <= 0:
                return cards
            await asyncio.sleep_ms(_POLL_MS)

    async def _poll(self) -> int:
        """Poll once. Returns the number of cards in the field, 2 for more than one. A single card is active afterwards.

        Polls both types before it selects a card (EMV Book D, collision detection). Type B comes first: most cards are
        type A, and then the card just activated can be used directly.
        """
        type_b = await self._list(_LIST_B)
        type_a = await self._list(_LIST_A)
        if type_a + type_b > 1:
            return 2
        if type_b:
            await self.off()  # polling for type A deselected the card: activate it again
            return await self._list(_LIST_B)
        if type_a and not (self._end > self._at + 4 and self._frame[self._at + 4] & _LAYER_4):
            return 0
        return type_a

    async def exchange(self, capdu: memoryview, into: "bytearray | memoryview") -> int:
        """Send a command APDU to the active card; write the response, status word last, to `into`; return its length.

        Raises CardGone, CardError (the response is not a short APDU) or ReaderFault. Leaves no copy of the data.
        """
        try:
            try:
                await self._command(_EXCHANGE, capdu, _CARD_MS)
            except _NoReply:
                raise CardGone("the card took too long")  # noqa: B904  MicroPython has no exception chaining
            status = self._frame[self._at]
            size = self._end - self._at - 1
            if status & 0x3F in (0x0D, 0x2D):
                raise ReaderFault("the card reader's antenna is overloaded")
            if status & 0x3F:
                raise CardGone("the card left the reader")
            if status & _MORE or not 2 <= size <= len(into):
                raise CardError("the card's response is not a short APDU")
            into[:size] = self._view[self._at + 1 : self._end]
            return size
        finally:
            pack_into("276s", self._frame, 0, b"")

    async def wait_removed(self, timeout_ms: int) -> bool:
        """Wait until no card is in the field.

        Returns False if one is still there after `timeout_ms`. Leaves the field off.
        """
        deadline = ticks_add(ticks_ms(), timeout_ms)
        await self._ensure_working()
        while True:
            await self.off()
            if not await self._poll():
                await self.off()
                return True
            if ticks_diff(deadline, ticks_ms()) <= 0:
                await self.off()
                return False
            await asyncio.sleep_ms(_POLL_MS)

    async def off(self) -> None:
        """Switch the field off. Every card loses power and is reset."""
        await self._command(_FIELD_OFF, None, _CHIP_MS)
        await asyncio.sleep_ms(_RESET_MS)

    # --- one command: frame, ACK, reply -------------------------------------------------------------------------------

    async def _list(self, request: bytes) -> int:
        """Run InListPassiveTarget for one type. Returns how many cards answered."""
        await self._command(request, None, _LIST_MS)
        return self._frame[self._at] if self._end > self._at else 0

    async def _command(self, head: bytes, data: "memoryview | None", timeout_ms: int) -> None:
        """Run a host command. `head`: command code and first parameters. The reply data is then in _frame[_at:_end]."""
        size = self._compose(head, data)
        if not await self._send_frame(size):
            if head is _EXCHANGE:
                await self._abort()
                await self._command(_VERSION, None, _CHIP_MS)  # raises ReaderFault if the reader is broken
                raise CardGone("the card may have got the command")  # not repeated: the card could count it twice
            if not await self._send_frame(size):
                self.works = False
                raise ReaderFault("the card reader does not answer")
        if not await self._ready(timeout_ms):
            await self._abort()
            self.works = head is _EXCHANGE  # a slow card is no reader fault; otherwise the chip has lost its settings
            raise _NoReply("the card reader does not reply in time")
        if not self._read_reply(head[0] + 1):
            self._link.write(_NACK)
            if not await self._ready(_CHIP_MS) or not self._read_reply(head[0] + 1):
                await self._abort()
                self.works = False
                raise ReaderFault("the card reader answers garbage")

    def _compose(self, head: bytes, data: "memoryview | None") -> int:
        """Build the frame. Returns its length."""
        frame = self._frame
        size = len(head) + (0 if data is None else len(data))
        if size > _PAYLOAD_MAX:
            raise ReaderFault("too long for the card reader")
        size += 1
        if size <= 0xFF:
            pack_into(">BBBBB", frame, 0, 0, 0, 0xFF, size, -size & 0xFF)
            at = 5
        else:
            pack_into(">BBBBBHB", frame, 0, 0, 0, 0xFF, 0xFF, 0xFF, size, -(size >> 8) - size & 0xFF)
            at = 8
        frame[at] = 0xD4
        end = at + 1 + len(head)
        frame[at + 1 : end] = head
        if data is not None:
            frame[end : end + len(data)] = data
            end += len(data)
        frame[end] = -sum(self._view[at:end]) & 0xFF
        frame[end + 1] = 0
        return end + 2

    async def _send_frame(self, size: int) -> bool:
        """Send the frame in the buffer. Returns whether the chip acknowledged it."""
        self._link.write(self._view[:size])
        if not await self._ready(_ACK_MS):
            return False
        self._link.read_into(self._short)
        return self._short == _ACK

    def _read_reply(self, code: int) -> bool:
        """Read the pending reply. Returns whether it is a valid frame with this reply code."""
        frame = self._frame
        self._link.read_into(frame)
        start = frame.find(b"\x00\xff")
        if start < 0 or start > 8:
            return False
        at = start + 4
        size = frame[start + 2]
        if size == 0xFF and frame[start + 3] == 0xFF:
            size = frame[start + 4] << 8 | frame[start + 5]
            at = start + 7
            check = (size >> 8) + size + frame[start + 6]
        else:
            check = size + frame[start + 3]
        end = at + size
        if check & 0xFF or size < 2 or end >= _FRAME_MAX or sum(self._view[at : end + 1]) & 0xFF:
            return False
        self._at = at + 2
        self._end = end
        return frame[at] == _CHIP and frame[at + 1] == code

    async def _abort(self) -> None:
        """Abort the chip's current command: the host sends an ACK."""
        self._link.write(_ACK)
        await asyncio.sleep_ms(2)

    async def _ready(self, timeout_ms: int) -> bool:
        """Wait until the chip has data to read. Returns False if it has none after `timeout_ms`."""
        deadline = ticks_add(ticks_ms(), timeout_ms)
        while True:
            if self._line is not None:
                if not self._line():
                    return True
            elif self._link.ready():
                return True
            if ticks_diff(deadline, ticks_ms()) <= 0:
                return False
            await asyncio.sleep_ms(1)


class _NoReply(ReaderFault):
    """The chip acknowledged the command but did not reply in time."""
