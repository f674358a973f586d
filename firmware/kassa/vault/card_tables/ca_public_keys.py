# SPDX-License-Identifier: MIT
"""Reads the cards partition: the schemes' CA public keys and revoked issuer certificates. Layout: docs/keys.md."""

from hashlib import sha1

from micropython import const

from kassa.crypto.cmac import Cmac, equal
from kassa.errors import FlashFault
from kassa.vault.flash import blocks

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Flash

HEAD = const(16)
_PIECE = const(256)  # read at a time
_SECTOR = const(4096)
KEY = const(1)
REVOKED = const(2)
APPLICATION = const(6)
ROW = const(64)
ABSENT = const(-1)
NO_LIST = const(-2)
# An entry begins with kind, RID (5) and index. A key continues with last month (YYMM), exponent (3), size of the
# modulus and three zeros, then modulus and checksum; a revocation with the serial (3) and six zeros. Entries are padded
# to a multiple of 16 bytes. Other kinds: 3 and 4 exception file and blocked BINs (blocked_bins.py), 5 a table's version
# (table_writer.py), 6 a row of the AID table (card/aid_rules.py).
_CHECKSUM = const(20)


class Authorities:
    """The newest valid half of the cards partition. Every call reads and verifies it again. Raises FlashFault."""

    def __init__(self, flash: "Flash", key: bytearray) -> None:
        """`flash`: the cards partition. `key`: the 16-byte cards key, kept here."""
        self._flash = flash
        self.key = key
        self.base = 0  # offset of the half in use
        self.generation = 0

    def find(self, rid: "Bytes", index: int, date: "Bytes") -> "tuple[bytes, int] | None":
        """Modulus and exponent of the key with this RID (5 B) and index; None if missing or expired.

        `date`: today, BCD YYMMDD.
        """
        at = self.search(bytes((KEY,)) + rid + bytes((index,)))
        if at < 0:
            return None
        head = memoryview(bytearray(HEAD))
        self.read(at, head)
        modulus = bytearray(_padded(head[12]))
        self.read(at + HEAD, modulus)
        return _checked(head, modulus, date)

    def revoked(self, rid: "Bytes", index: int, serial: "Bytes") -> bool:
        """Whether the scheme (RID) has revoked the issuer certificate with this serial (3 B), signed with key `index`.

        True also when no half verifies.
        """
        return self.search(bytes((REVOKED,)) + rid + bytes((index,)) + serial) != ABSENT

    def search(self, wanted: bytes) -> int:
        """Offset of the first entry that begins with `wanted`; ABSENT if none does, NO_LIST if no half verifies."""
        end, at = self.size(), 0
        head = memoryview(bytearray(HEAD))
        while at < end:
            self.read(at, head)
            if head[: len(wanted)] == wanted:
                return at
            if not head[0]:
                break
            at += size_of(head)
        return ABSENT if end else NO_LIST

    def read(self, at: int, into: "bytearray | memoryview") -> None:
        """Fill `into` with bytes of the entries, from offset `at`."""
        self._raw(self.base + HEAD + at, into)

    def _raw(self, at: int, into: "bytearray | memoryview") -> None:
        try:
            self._flash.readblocks(0, into, at)
        except OSError:
            raise FlashFault("flash read")

    def size(self) -> int:
        """Select the newest half that verifies. Returns the size of its entries in bytes, 0 when none verifies."""
        found = []
        head = bytearray(HEAD)
        for base in (0, half(self._flash)):
            self._raw(base, head)
            found.append((int.from_bytes(head[4:8], "big"), base, head))
            head = bytearray(HEAD)
        for self.generation, self.base, head in sorted(found, reverse=True):
            size = head[8] << 8 | head[9]
            if head[:3] == b"KC\x01" and size and size % 16 == 0 and size <= half(self._flash) - 2 * HEAD:
                if self._verifies(size):
                    return size
        self.generation = self.base = 0
        return 0

    def _verifies(self, size: int) -> bool:
        piece = memoryview(bytearray(_PIECE))
        base = self.base
        mac = Cmac(self.key, False)
        try:
            for at in range(0, size, _PIECE):  # header and entries are 16 bytes longer: the last block follows below
                part = piece[: min(_PIECE, size - at)]
                self._raw(base + at, part)
                mac.absorb(part)
            self._raw(base + size, mac.last)
            mac.end()
            self._raw(base + HEAD + size, piece[:16])
            return equal(mac.chain, piece[:16])
        finally:
            mac.wipe()


def half(flash: "Flash") -> int:
    """Size of half of the partition, in bytes."""
    return blocks(flash) // 2 * _SECTOR


def size_of(head: "Bytes") -> int:
    """Size in bytes of the entry that begins with `head` (16 B)."""
    if head[0] == APPLICATION:
        return ROW
    return HEAD + (_padded(head[12]) if head[0] == KEY else 0)


def _padded(size: int) -> int:
    """Size in flash of a modulus with its checksum, in bytes."""
    return (size + _CHECKSUM + 15) // 16 * 16


def _checked(head: memoryview, modulus: bytearray, date: "Bytes") -> "tuple[bytes, int] | None":
    """The key, or None if it has expired or its checksum is wrong (SHA-1 over RID, index, modulus and exponent)."""
    year = head[7]
    if year < 0x50 and (year << 8 | head[8]) < (date[0] << 8 | date[1]):
        return None
    size = head[12]
    exponent = bytes(head[9:12])
    exponent = exponent[2:] if exponent[:2] == b"\x00\x00" else exponent
    if sha1(bytes(head[1:7]) + modulus[:size] + exponent).digest() != modulus[size : size + _CHECKSUM]:
        return None
    return bytes(modulus[:size]), int.from_bytes(exponent, "big")
