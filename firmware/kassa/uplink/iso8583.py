# SPDX-License-Identifier: MIT
"""ISO 8583:1987 in the CUP dialect, limited to docs/wire.md: a writer of requests and a strict parser of answers."""

from struct import pack_into

from micropython import const

from kassa.crypto.cmac import cmac, equal
from kassa.errors import WireError
from kassa.money import pack_bcd

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes

_TPDU = b"\x60\x00\x03\x00\x00"
_HEADER = b"\x61\x31\x00\x00\x01\x00"
_FIRST = const(23)  # offset of the data elements: length 2, TPDU 5, header 6, MTI 2, bitmap 8
_MAC_FROM = const(7)
_BITMAP = const(15)
MAX_FRAME = const(512)  # bytes; no request of the terminal and no answer is longer

# Layout of the data elements in answers: number of bytes if fixed, -1 LLVAR bytes, -2 LLLVAR bytes, -3 LLLVAR digits.
_LAYOUT = {3: 3, 4: 6, 11: 3, 12: 3, 13: 2, 25: 1, 37: 12, 38: 6, 39: 2, 41: 8, 42: 15, 48: -3, 49: 3, 53: -1, 54: -2, 60: -3,
           62: -2, 63: -2, 64: 8}  # fmt: skip


class Writer:
    """Builds one frame at a time in `buffer`. Data elements must be added in ascending order."""

    def __init__(self) -> None:
        self.buffer = bytearray(MAX_FRAME)
        self._at = 0

    def begin(self, mti: int) -> None:
        """Start a frame. `mti`: its digits as hexadecimal, such as 0x0200."""
        buffer = self.buffer
        buffer[2:7] = _TPDU
        buffer[7:13] = _HEADER
        pack_into(">HII", buffer, 13, mti, 0, 0)
        self._at = _FIRST

    def number(self, element: int, value: int, size: int) -> None:
        """Add a fixed numeric element of `size` bytes."""
        self._mark(element)
        pack_bcd(value, self.buffer, self._at, size)
        self._at += size

    def fixed(self, element: int, data: "Bytes") -> None:
        """Add a fixed element, its bytes unchanged."""
        self._mark(element)
        self._put(data)

    def short(self, element: int, data: "Bytes") -> None:
        """Add an LLVAR element of bytes."""
        self._mark(element)
        pack_bcd(len(data), self.buffer, self._at, 1)
        self._at += 1
        self._put(data)

    def long(self, element: int, count: int, data: "Bytes", more: "Bytes" = b"") -> None:
        """Add an LLLVAR element of `count` digits or bytes: `data` followed by `more`."""
        self._mark(element)
        pack_bcd(count, self.buffer, self._at, 2)
        self._at += 2
        self._put(data)
        self._put(more)

    def finish(self, key: bytearray) -> memoryview:
        """Add DE 64 under the MAC key `key`, set the length, and return the whole frame."""
        self._mark(64)
        end = self._at
        frame = memoryview(self.buffer)[: end + 8]
        frame[end:] = cmac(key, frame[_MAC_FROM:end])[:8]
        pack_into(">H", self.buffer, 0, end + 6)
        return frame

    def _mark(self, element: int) -> None:
        self.buffer[_BITMAP + (element - 1) // 8] |= 0x80 >> (element - 1) % 8

    def _put(self, data: "Bytes") -> None:
        self.buffer[self._at : self._at + len(data)] = data
        self._at += len(data)


class Answer:
    """A parsed answer: the position of each element. Do not rely on anything in it before `check`."""

    def __init__(self, frame: memoryview) -> None:
        """Parse `frame`, complete and with its 2-byte length. Raises WireError if it deviates from the layout anywhere."""
        if len(frame) < _FIRST + 8:
            raise WireError("answer too short")
        self.frame = frame
        self.mti = frame[13] << 8 | frame[14]
        self._places = {}
        at = _FIRST
        for element in range(1, 65):
            if frame[_BITMAP + (element - 1) // 8] & 0x80 >> (element - 1) % 8:
                at = self._place(element, at)
        if at != len(frame) or 64 not in self._places:
            raise WireError("answer too long or without a MAC")

    def _place(self, element: int, at: int) -> int:
        """Record the position of an element, and return that of the next."""
        size = _LAYOUT.get(element, 0)
        frame = self.frame
        if not size:
            raise WireError("element %d in an answer" % element)
        if size < 0:
            prefix = 1 if size == -1 else 2
            if at + prefix > len(frame):
                raise WireError("answer cut")
            digits = size == -3
            size = 0
            for byte in frame[at : at + prefix]:
                if byte >> 4 > 9 or byte & 15 > 9:
                    raise WireError("length not BCD")
                size = size * 100 + (byte >> 4) * 10 + (byte & 15)
            if digits:
                size = (size + 1) // 2
            at += prefix
        if at + size > len(frame):
            raise WireError("answer cut")
        self._places[element] = (at, size)
        return at + size

    def get(self, element: int) -> memoryview:
        """The bytes of an element, without its length; empty if it is absent."""
        at, size = self._places.get(element, (0, 0))
        return self.frame[at : at + size]

    def check(self, key: "Bytes") -> bool:
        """Whether DE 64 verifies under the MAC verification key (2001) of the request's KSN."""
        end = len(self.frame) - 8
        return equal(cmac(key, self.frame[_MAC_FROM:end])[:8], self.frame[end:])
