# SPDX-License-Identifier: MIT
"""The card schemes' keys, the issuer certificates they revoked, the cards nobody should take. Layout: docs/keys.md."""

from hashlib import sha1

from micropython import const

from kassa.crypto.cmac import Cmac, cmac, equal
from kassa.crypto.wipe import zero
from kassa.errors import FlashFault
from kassa.vault.flash import blocks

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Flash

_HEAD = const(16)
_PIECE = const(256)  # read at a time
_SECTOR = const(4096)
_KEY, _REVOKED, _EXCEPTED = const(1), const(2), const(3)
_ABSENT, _NO_LIST = const(-1), const(-2)
# An entry begins with kind, RID (5) and index. A key goes on with last month (YYMM), exponent (3), bytes of the modulus
# and three zeros, then modulus and checksum; a revocation with the serial (3) and six zeros. Whole sixteens of bytes.
# A card number that must not be taken is kind and 15 bytes of a CMAC over kind, five zeros and the number.
_CHECKSUM = const(20)


class Authorities:
    """One blob, written by provisioning, read when asked; what does not verify is not there. Raises FlashFault."""

    def __init__(self, flash: "Flash", key: bytearray) -> None:
        """`flash`: the cards partition. `key`: the 16-byte cards key, kept here."""
        self._flash = flash
        self._key = key

    def any(self) -> bool:
        """Whether there is a blob that verifies."""
        return self._size() > 0

    def find(self, rid: "Bytes", index: int, date: "Bytes") -> "tuple[bytes, int] | None":
        """Modulus and exponent of the key with this RID (5 B) and index, if it lasts till `date` (BCD YYMMDD)."""
        at = self._search(bytes((_KEY,)) + rid + bytes((index,)))
        if at < 0:
            return None
        head = memoryview(bytearray(_HEAD))
        self._read(at, head)
        modulus = bytearray(_padded(head[12]))
        self._read(at + _HEAD, modulus)
        return _checked(head, modulus, date)

    def revoked(self, rid: "Bytes", index: int, serial: "Bytes") -> bool:
        """Whether the issuer certificate with this serial (3 B) of that authority was revoked."""
        return self._search(bytes((_REVOKED,)) + rid + bytes((index,)) + serial) != _ABSENT

    def excepted(self, pan: "Bytes") -> bool:
        """Whether the card with this number (10 B, BCD padded with F) is on the exception file."""
        block = bytearray(16)
        block[0] = _EXCEPTED
        block[6:] = pan
        name = cmac(self._key, block)
        zero(block)
        return self._search(bytes((_EXCEPTED,)) + name[:15]) >= 0

    def _search(self, wanted: bytes) -> int:
        """Where the first entry lies that begins so; _ABSENT without one, _NO_LIST when nothing can be vouched for."""
        end, at = self._size(), 0
        head = memoryview(bytearray(_HEAD))
        while at < end:
            self._read(at, head)
            if head[: len(wanted)] == wanted:
                return at
            if not head[0]:
                break
            at += _HEAD + (_padded(head[12]) if head[0] == _KEY else 0)
        return _ABSENT if end else _NO_LIST

    def _read(self, at: int, into: "bytearray | memoryview") -> None:
        self._raw(_HEAD + at, into)

    def _raw(self, at: int, into: "bytearray | memoryview") -> None:
        try:
            self._flash.readblocks(0, into, at)
        except OSError:
            raise FlashFault("flash read")

    def _size(self) -> int:
        """Bytes of the entries; 0 when the blob does not verify."""
        piece = memoryview(bytearray(_PIECE))
        self._raw(0, piece[:_HEAD])
        size = piece[8] << 8 | piece[9]
        if piece[:3] != b"KC\x01" or not size or size % 16 or size > blocks(self._flash) * _SECTOR - 2 * _HEAD:
            return 0
        mac = Cmac(self._key, False)
        try:
            for at in range(0, size, _PIECE):  # the last block is behind: head and entries are one block longer
                part = piece[: min(_PIECE, size - at)]
                self._raw(at, part)
                mac.absorb(part)
            self._raw(size, mac.last)
            mac.end()
            self._raw(_HEAD + size, piece[:16])
            return size if equal(mac.chain, piece[:16]) else 0
        finally:
            mac.wipe()


def _padded(size: int) -> int:
    """Bytes of a modulus with its checksum, in flash."""
    return (size + _CHECKSUM + 15) // 16 * 16


def _checked(head: memoryview, modulus: bytearray, date: "Bytes") -> "tuple[bytes, int] | None":
    """The key, if it is not over and its published checksum holds: SHA-1 over RID, index, modulus and exponent."""
    year = head[7]
    if year < 0x50 and (year << 8 | head[8]) < (date[0] << 8 | date[1]):
        return None
    size = head[12]
    exponent = bytes(head[9:12])
    exponent = exponent[2:] if exponent[:2] == b"\x00\x00" else exponent
    if sha1(bytes(head[1:7]) + modulus[:size] + exponent).digest() != modulus[size : size + _CHECKSUM]:
        return None
    return bytes(modulus[:size]), int.from_bytes(exponent, "big")
