# SPDX-License-Identifier: MIT
"""The settings: one sealed blob of TLVs, in one of two sectors alternately. Ids and layout: docs/keys.md."""

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import Cmac, cmac, equal
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import SettingsError

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
SETTLING = const(0x12)
PARAMETERS = const(0x13)
CARDS = const(0x14)
PROVISIONED = const(0x15)
WALLETS = const(0x16)

_SECTOR = const(4096)
_HEAD = const(16)
_PIECE = const(64)  # read and decrypted at a time
_ZERO = bytes(16)


class Settings:
    """Reads each value from flash on demand, so that certificates take no RAM."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        """`flash`: the settings partition. `key`: the 16-byte settings key, kept here. `entropy`: os.urandom."""
        self.flash = flash
        self.key = key
        self.entropy = entropy
        self.sector = -1
        self.generation = 0

    def open(self, wanted: "tuple[int, ...]" = ()) -> "dict[int, bytes]":
        """Find the newest valid blob. Returns those of its values whose ids are `wanted`: `get` decrypts it for each.

        Raises SettingsError when there is no valid blob.
        """
        from kassa.vault.settings import blob

        self.sector, self.generation, values = blob.newest(self.flash, self.key, wanted)
        if self.sector < 0:
            raise SettingsError("no settings")
        return values

    def get(self, wanted: int, default: bytes | None = None) -> bytes:
        """The value with id `wanted`, else `default`. Raises SettingsError when both are missing."""
        value = self._find(wanted, self._verified())
        if value is not None:
            return value
        if default is None:
            raise SettingsError("setting %d missing" % wanted)
        return default

    def _verified(self) -> int:
        """Verify the blob, a piece at a time. Returns the size of the sealed part, 0 when it does not verify."""
        piece = memoryview(bytearray(_PIECE))
        self.flash.readblocks(self.sector, piece[:_HEAD], 0)
        size = piece[8] << 8 | piece[9]
        if not size or size > _SECTOR - 32 or size % 16:
            return 0
        mac = Cmac(self.key, False)
        try:
            for at in range(
                0, size, _PIECE
            ):  # header and sealed part are 16 bytes longer: the last block follows below
                part = piece[: min(_PIECE, size - at)]
                self.flash.readblocks(self.sector, part, at)
                mac.absorb(part)
            self.flash.readblocks(self.sector, mac.last, size)
            mac.end()
            self.flash.readblocks(self.sector, piece[:16], _HEAD + size)
            return size if equal(mac.chain, piece[:16]) else 0
        finally:
            mac.wipe()

    def _find(self, wanted: int, size: int) -> bytes | None:
        """The value with id `wanted`, or None. Decrypts a piece at a time: the heap has no room for the whole blob."""
        piece = memoryview(bytearray(_PIECE))
        cipher = aes(self.key, 2, _ZERO)
        head, value = bytearray(), None
        left = 16  # the nonce
        try:
            for start in range(_HEAD, _HEAD + size, _PIECE):
                part = piece[: min(_PIECE, _HEAD + size - start)]
                self.flash.readblocks(self.sector, part, start)
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
        """AES-CMAC (16 B) of `message` under the settings key: only this device can compute it."""
        return cmac(self.key, message)

    def put(self, changes: "dict[int, bytes]") -> None:
        """Store new values, id -> value. Raises SettingsError, FlashFault."""
        from kassa.vault.settings import blob

        self.sector, self.generation = blob.put(
            self.flash, self.key, self.entropy, self.sector, self.generation, changes
        )
