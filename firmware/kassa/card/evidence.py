# SPDX-License-Identifier: MIT
"""The card's data for offline data authentication: certificates, signatures and the signed data.

Kept for one tap only.
"""

from micropython import const

from kassa.crypto.wipe import zero
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.tlv import Bytes

# Tag, maximum length. Certificates and signatures are as long as the key: up to 1984 bits. A key remainder is the part
# of the key that did not fit in the certificate.
_KEPT = (
    (0x8F, 1), (0x90, 248), (0x92, 36), (0x93, 248), (0x9F32, 3), (0x9F46, 248), (0x9F47, 3), (0x9F48, 42),
    (0x9F4A, 1), (0x9F4B, 248), (0x9F69, 16),
)  # fmt: skip
_OBJECTS = const(1152)  # maximum total length of these objects
_STATIC = const(2048)  # maximum length of the static data, stored in pieces; most cards sign an eighth of it
_PIECE = const(256)
_NOTHING = b""


class Evidence:
    """Two bounded stores that grow as data arrives. `wipe` zeroes them.

    Data that does not fit is left out, and `complete` is then False: the card cannot be authenticated.
    """

    def __init__(self) -> None:
        self._objects = []  # (tag, value)
        self._static = []
        self._used = 0  # bytes of `_objects`
        self._signed = 0  # bytes of `_static` in use
        self.cid = -1  # CDA: cryptogram information data (9F27) as sent in clear; -1 = no CDA
        self.transaction_hash = b""  # CDA: transaction data hash (SHA-1)
        self.complete = True  # False if data was left out: too long, or in a form that cannot be authenticated

    def take(self, tag: int, data: "Bytes", start: int, end: int) -> bool:
        """Store data[start:end] if its tag is used for authentication. Returns whether it is."""
        for kept, most in _KEPT:
            if kept == tag:
                self._used += end - start
                if end - start <= most and self._used <= _OBJECTS:
                    self._objects.append((tag, bytearray(data[start:end])))
                else:
                    self.complete = False
                return True
        return False

    def add_static(self, data: "Bytes", start: int, end: int) -> None:
        """Append data[start:end] to the static data to be authenticated."""
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

    def expect_cda(self, cid: int, transaction_hash: bytes) -> None:
        """Expect CDA: store the cryptogram information data and the transaction data hash to check it against."""
        self.cid, self.transaction_hash = cid, transaction_hash

    def static(self) -> "list[Bytes]":
        """Return the static data to be authenticated, in pieces."""
        return [memoryview(piece)[: self._signed - at * _PIECE] for at, piece in enumerate(self._static)]

    def find(self, tag: int) -> "bytes | bytearray":
        """Return the value stored under `tag`; empty if there is none."""
        for kept, value in self._objects:
            if kept == tag:
                return value
        return _NOTHING

    def lacks(self, tags: "tuple[int, ...]") -> bool:
        """Return whether any of these tags is missing."""
        for tag in tags:
            if not self.find(tag):
                return True
        return False

    def need(self, tag: int) -> "bytes | bytearray":
        """Return the value stored under `tag`. Raises CardError if there is none."""
        value = self.find(tag)
        if not value:
            raise CardError("proof: data is missing")
        return value

    def drop(self, tag: int) -> None:
        """Zero and remove the value stored under `tag`."""
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
        self.cid, self.transaction_hash = -1, b""
        self.complete = True
