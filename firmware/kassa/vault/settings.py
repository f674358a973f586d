# SPDX-License-Identifier: MIT
"""The settings: one sealed blob of TLVs in two sectors in turn. Ids and layout: docs/keys.md."""

from struct import pack_into, unpack_from

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import Cmac, cmac, equal
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import SettingsError
from kassa.vault.flash import erase, program

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy, Flash

TERMINAL = const(0x01)
MERCHANT = const(0x02)
MERCHANT_NAME = const(0x03)
HOST_NAME = const(0x04)
HOST_ADDRESS = const(0x05)
HOST_PORT = const(0x06)
CA_CERTIFICATE = const(0x07)
CLIENT_CERTIFICATE = const(0x08)
CLIENT_KEY = const(0x09)
WIFI_NAME = const(0x0A)
WIFI_PASSWORD = const(0x0B)
LIMITS = const(0x0C)
LANGUAGE = const(0x0D)
SUPERVISOR = const(0x0E)
LARGEST_SALE = const(0x10)
OFFLINE_APPROVAL = const(0x11)

_SECTOR = const(4096)
_HEAD = const(16)
_PIECE = const(64)  # read and opened at a time
_ZERO = bytes(16)


class Settings:
    """Reads values out of flash when asked, so that certificates do not live in RAM."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        """`flash`: the settings partition. `key`: the 16-byte settings key, kept here. `entropy`: os.urandom."""
        self._flash = flash
        self._key = key
        self._entropy = entropy
        self._sector = -1
        self._generation = 0

    def open(self) -> None:
        """Find the newest valid blob. Raises SettingsError when there is none."""
        for sector in (0, 1):
            head = bytearray(_HEAD)
            self._flash.readblocks(sector, head, 0)
            generation = unpack_from(">I", head, 4)[0]
            if head[:3] != b"KS\x01" or generation <= self._generation:
                continue
            plain = self._load(sector)
            if plain is not None:
                zero(plain)
                self._sector, self._generation = sector, generation
        if self._sector < 0:
            raise SettingsError("no settings")

    def get(self, wanted: int, default: bytes | None = None) -> bytes:
        """One value. Raises SettingsError when it is missing and no default is given."""
        value = self._find(wanted, self._verified())
        if value is not None:
            return value
        if default is None:
            raise SettingsError("setting %d missing" % wanted)
        return default

    def _verified(self) -> int:
        """The size of the sealed part, read a piece at a time; 0 when the blob does not verify."""
        piece = memoryview(bytearray(_PIECE))
        self._flash.readblocks(self._sector, piece[:_HEAD], 0)
        size = piece[8] << 8 | piece[9]
        if not size or size > _SECTOR - 32 or size % 16:
            return 0
        mac = Cmac(self._key, False)
        try:
            for at in range(0, size, _PIECE):  # the last block is behind: head and sealed part are one block longer
                part = piece[: min(_PIECE, size - at)]
                self._flash.readblocks(self._sector, part, at)
                mac.absorb(part)
            self._flash.readblocks(self._sector, mac.last, size)
            mac.end()
            self._flash.readblocks(self._sector, piece[:16], _HEAD + size)
            return size if equal(mac.chain, piece[:16]) else 0
        finally:
            mac.wipe()

    def _find(self, wanted: int, size: int) -> bytes | None:
        """The value with this id, opened a piece at a time: the heap has no room for all of them."""
        piece = memoryview(bytearray(_PIECE))
        cipher = aes(self._key, 2, _ZERO)
        head, value = bytearray(), None
        left = 16  # the nonce
        try:
            for start in range(_HEAD, _HEAD + size, _PIECE):
                part = piece[: min(_PIECE, _HEAD + size - start)]
                self._flash.readblocks(self._sector, part, start)
                cipher.decrypt(part, part)
                at = 0
                while at < len(part):
                    count = min(left, len(part) - at)
                    if value is not None:
                        value.extend(part[at : at + count])
                    at += count
                    left -= count
                    if left or at >= len(part):
                        continue
                    if value is not None:
                        return bytes(value)
                    head.append(part[at])
                    at += 1
                    if not head[0]:
                        return None
                    if len(head) == 3:
                        left = head[1] << 8 | head[2]
                        value = bytearray() if head[0] == wanted else None
                        head = bytearray()
            return bytes(value) if value is not None and not left else None
        finally:
            wipe_cipher(cipher)
            zero(piece)
            if value is not None:
                zero(value)

    def tag(self, message: bytearray) -> bytearray:
        """A check value (AES-CMAC, 16 B) that only this device can make or check."""
        return cmac(self._key, message)

    def put(self, changed: int, value: bytes) -> None:
        """Write a new blob with one value changed to the other sector, then erase the old one."""
        plain = self._load(self._sector)
        if plain is None:
            raise SettingsError("no settings")
        kept = bytearray(16)
        kept[:] = self._entropy(16)
        at = 16
        while at + 3 <= len(plain) and plain[at]:
            size = plain[at + 1] << 8 | plain[at + 2]
            if plain[at] != changed:
                kept.extend(plain[at : at + 3 + size])
            at += 3 + size
        zero(plain)
        kept.extend(bytes((changed, len(value) >> 8, len(value) & 0xFF)) + value)
        self._store(kept)

    def _load(self, sector: int) -> memoryview | None:
        """Nonce and TLVs of a sector, opened; None when it does not verify."""
        head = bytearray(_HEAD)
        self._flash.readblocks(sector, head, 0)
        size = unpack_from(">H", head, 8)[0]
        if size > _SECTOR - 32 or size % 16:
            return None
        blob = bytearray(_HEAD + size + 16)
        self._flash.readblocks(sector, blob, 0)
        whole = memoryview(blob)
        if not equal(cmac(self._key, whole[: _HEAD + size]), whole[_HEAD + size :]):
            return None
        plain = whole[_HEAD : _HEAD + size]  # opened where it lies: the heap has room for one copy, not for three
        cipher = aes(self._key, 2, _ZERO)
        cipher.decrypt(plain, plain)
        wipe_cipher(cipher)
        return plain

    def _store(self, plain: bytearray) -> None:
        while len(plain) % 16:
            plain.append(0)
        if len(plain) > _SECTOR - 32:
            raise SettingsError("settings too long")
        blob = bytearray(_HEAD)
        blob[:4] = b"KS\x01\x00"
        pack_into(">IH", blob, 4, self._generation + 1, len(plain))
        cipher = aes(self._key, 2, _ZERO)
        cipher.encrypt(plain, plain)
        wipe_cipher(cipher)
        blob.extend(plain)
        blob.extend(cmac(self._key, blob))
        sector = 1 - self._sector
        erase(self._flash, sector)
        program(self._flash, sector, blob, 0)
        back = bytearray(len(blob))
        self._flash.readblocks(sector, back, 0)
        if back != blob:
            raise SettingsError("settings not held by the chip")
        erase(self._flash, self._sector)
        self._flash.readblocks(self._sector, memoryview(back)[:_HEAD], 0)
        if back[0] != 0xFF:
            raise SettingsError("older settings cannot be erased")
        self._sector, self._generation = sector, self._generation + 1
