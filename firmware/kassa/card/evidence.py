# SPDX-License-Identifier: MIT
"""What a card shows to prove itself: certificates, signatures, and the data they are over. Lives as long as one tap."""

from micropython import const

from kassa.crypto.wipe import zero
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.tlv import Bytes

# tag, most bytes: certificates and signatures are as long as a key, 1984 bits; a remainder is what a certificate had no room for.
_KEPT = (
    (0x8F, 1), (0x90, 248), (0x92, 36), (0x93, 248), (0x9F32, 3), (0x9F46, 248), (0x9F47, 3), (0x9F48, 42),
    (0x9F4A, 1), (0x9F4B, 248), (0x9F69, 16),
)  # fmt: skip
_OBJECTS = const(1152)  # bytes of all of them
_STATIC = const(2048)  # at most, in pieces: most cards sign an eighth of it
_PIECE = const(256)
_NOTHING = b""


class Evidence:
    """Two bounded stores that grow with what comes, zeroed by `wipe`. What does not fit is left out: then nothing is proven."""

    def __init__(self) -> None:
        self._objects = []  # (tag, value)
        self._static = []
        self._used = 0  # bytes of `_objects`
        self._signed = 0  # bytes of `_static` in use
        self.said = -1  # CDA: the cryptogram information in clear, and SHA-1 over all that was said
        self.transaction = b""
        self.complete = True  # nothing was left out, for its size or because it cannot be authenticated

    def take(self, tag: int, data: "Bytes", start: int, end: int) -> bool:
        """Keep data[start:end] if it is part of a proof. Returns whether it is."""
        for kept, most in _KEPT:
            if kept == tag:
                self._used += end - start
                if end - start <= most and self._used <= _OBJECTS:
                    self._objects.append((tag, bytearray(data[start:end])))
                else:
                    self.complete = False
                return True
        return False

    def sign(self, data: "Bytes", start: int, end: int) -> None:
        """Add data[start:end] to the static data that certificates are over."""
        if self._signed + end - start > _STATIC:
            self.complete = False
            return
        while start < end:
            at = self._signed % _PIECE
            if not at:
                self._static.append(bytearray(_PIECE))
            size = min(end - start, _PIECE - at)
            self._static[-1][at : at + size] = data[start : start + size]
            self._signed += size
            start += size

    def combine(self, said: int, transaction: bytes) -> None:
        """The proof is one of CDA, over a transaction with this digest."""
        self.said, self.transaction = said, transaction

    def static(self) -> "list[Bytes]":
        """The static data that certificates are over, in pieces."""
        return [memoryview(piece)[: self._signed - at * _PIECE] for at, piece in enumerate(self._static)]

    def find(self, tag: int) -> "bytes | bytearray":
        """The value kept under `tag`; empty when there is none."""
        for kept, value in self._objects:
            if kept == tag:
                return value
        return _NOTHING

    def lacks(self, tags: "tuple[int, ...]") -> bool:
        """Whether one of these is not there."""
        for tag in tags:
            if not self.find(tag):
                return True
        return False

    def need(self, tag: int) -> "bytes | bytearray":
        """The value kept under `tag`. Raises CardError without one."""
        value = self.find(tag)
        if not value:
            raise CardError("proof: data is missing")
        return value

    def drop(self, tag: int) -> None:
        """Zero what is kept under `tag`, and keep it no longer."""
        for index, (kept, value) in enumerate(self._objects):
            if kept == tag:
                zero(value)
                del self._objects[index]
                return

    def wipe(self) -> None:
        """Zero everything."""
        for data in [value for _, value in self._objects] + self._static:
            zero(data)
        self._objects, self._static = [], []
        self._used = self._signed = 0
        self.said, self.transaction = -1, b""
        self.complete = True
