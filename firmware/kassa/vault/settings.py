# SPDX-License-Identifier: MIT
"""The settings: one sealed blob of TLVs in two sectors in turn. Ids and layout: docs/keys.md."""

from struct import pack_into, unpack_from

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import cmac, equal
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

_SECTOR = const(4096)
_HEAD = const(16)
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
        plain = self._load(self._sector)
        if plain is not None:
            try:
                at = 16  # behind the nonce
                while at + 3 <= len(plain) and plain[at]:
                    size = plain[at + 1] << 8 | plain[at + 2]
                    if plain[at] == wanted:
                        return bytes(plain[at + 3 : at + 3 + size])
                    at += 3 + size
            finally:
                zero(plain)
        if default is None:
            raise SettingsError("setting %d missing" % wanted)
        return default

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
