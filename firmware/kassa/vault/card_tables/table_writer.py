# SPDX-License-Identifier: MIT
"""Writes a table from the host (keys, blocked BINs or AIDs) to the cards partition. Loaded only for that.

The new blob is written to the half not in use. Its header makes it valid and is programmed last.
"""

from struct import pack_into

from micropython import const

from kassa.crypto.cmac import Cmac
from kassa.errors import FlashFault, WireError
from kassa.vault.card_tables import ca_public_keys
from kassa.vault.card_tables.ca_public_keys import Authorities
from kassa.vault.flash import erase, program
from kassa.vault.settings.settings import CARDS, Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.hardware import Flash

_HEAD = const(16)
_END = bytes(16)
KEYS = const(0)
BLOCKED = const(1)
APPLICATIONS = const(2)
_KINDS = ((ca_public_keys.KEY, ca_public_keys.REVOKED), (4,), (ca_public_keys.APPLICATION,))  # of entries, by table
_VERSION = const(5)  # an entry: kind, table, number (4)
_KERNELS = b"\x02\x03\x04\x07"
_MOST_ROWS = const(24)  # of applications


class CardTables:
    """Receives one table from uplink.management, as entries in the format of docs/keys.md."""

    def __init__(self, flash: "Flash", key: bytearray, table: int, values: Settings) -> None:
        """`table`: KEYS (and revocations), BLOCKED or APPLICATIONS. `values`: the settings, to store the generation."""
        self._values = values
        self._flash = flash
        self._key = key
        self._old = Authorities(flash, key)
        self._kinds = _KINDS[table]
        self._table = table
        self.version = self._version_of(self._old)
        self._mac = Cmac(key, False)
        self._head = bytearray(_HEAD)
        self._begun = False
        self._base = self._next = 0
        self._at = self._left = 0  # offset of the next bytes; bytes of the current entry still to come

    def begin(self, size: int, version: int) -> None:
        """Erase the other half and copy the entries that stay. `size`: bytes to come. Raises WireError, FlashFault."""
        kept = [entry for entry in self._entries() if not self._is_mine(entry[0], entry[1])]
        total = sum([size for _, _, size in kept]) + _HEAD + size + len(_END)
        half = ca_public_keys.half(self._flash)
        if (
            size % 16
            or total > half - 2 * _HEAD
            or self._table == APPLICATIONS
            and size > _MOST_ROWS * ca_public_keys.ROW
        ):
            raise WireError("a table that does not fit")
        base = 0 if self._old.base else half
        self._base = base
        for sector in range(base // 4096, (base + half) // 4096):
            erase(self._flash, sector)
        noted = int.from_bytes(self._values.get(CARDS, b"\0"), "big")
        pack_into(">4sIH", self._head, 0, b"KC\x01\x00", max(self._old.generation, noted) + 1, total)
        self._begun = True
        self._mac = Cmac(self._key, False)
        self._mac.absorb(memoryview(bytearray(self._head)))
        self._at = base + _HEAD
        for _, at, size in kept:
            for start in range(at, at + size, _HEAD):
                piece = bytearray(_HEAD)
                self._old.read(start, piece)
                self._write(piece)
        note = bytearray(_HEAD)
        pack_into(">BBI", note, 0, _VERSION, self._table, version)
        self._write(note)
        self._left = 0
        self._next = version

    def add(self, data: memoryview) -> None:
        """Write a piece of the table, a multiple of 16 bytes. Raises WireError for an invalid entry, FlashFault."""
        if len(data) % _HEAD:
            raise WireError("a piece that is not a multiple of 16 bytes")
        for start in range(0, len(data), _HEAD):
            piece = bytearray(data[start : start + _HEAD])
            if not self._left:
                if piece[0] not in self._kinds:
                    raise WireError("an entry of another table")
                if piece[0] == ca_public_keys.APPLICATION and (piece[1] not in _KERNELS or not 5 <= piece[2] <= 16):
                    raise WireError("an application with an invalid kernel or AID")
                self._left = ca_public_keys.size_of(piece)
            self._left -= _HEAD
            self._write(piece)

    def end(self) -> None:
        """Make the new table valid. Raises WireError, FlashFault; then the old one stays in use."""
        if self._left or not self._begun:
            raise WireError("a table cut short")
        self._begun = False
        mac = self._mac
        try:
            program(self._flash, 0, _END, self._at)
            mac.last[:] = _END
            mac.end()
            program(self._flash, 0, bytes(mac.chain), self._at + _HEAD)
        finally:
            mac.wipe()
        program(self._flash, 0, self._head, self._base)
        if self._version_of(Authorities(self._flash, self._key)) != self._next:
            raise FlashFault("cards partition")
        self.version = self._next
        self._values.put({CARDS: bytes(self._head[4:8])})

    def _version_of(self, cards: Authorities) -> int:
        """The version of this table in flash, 0 = none from a host."""
        at = cards.search(bytes((_VERSION, self._table)))
        if at < 0:
            return 0
        head = bytearray(_HEAD)
        cards.read(at, head)
        return int.from_bytes(head[2:6], "big")

    def _entries(self) -> "Iterator[tuple[int, int, int]]":
        """(kind, offset, size) of each entry in use."""
        end, at = self._old.size(), 0
        head = bytearray(_HEAD)
        while at < end:
            self._old.read(at, head)
            if not head[0]:
                break
            size = ca_public_keys.size_of(head)
            yield head[0], at, size
            at += size

    def _is_mine(self, kind: int, at: int) -> bool:
        """Whether an entry belongs to this table; its version entry does too."""
        if kind != _VERSION:
            return kind in self._kinds
        note = bytearray(_HEAD)
        self._old.read(at, note)
        return note[1] == self._table

    def _write(self, piece: bytearray) -> None:
        program(self._flash, 0, piece, self._at)
        self._at += _HEAD
        self._mac.absorb(memoryview(piece))  # overwrites piece
