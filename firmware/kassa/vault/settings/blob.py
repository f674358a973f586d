# SPDX-License-Identifier: MIT
"""The settings' blob as a whole: found at boot, written anew when a value changes. In memory only then. Layout: docs/keys.md."""

from struct import pack_into, unpack_from

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import cmac, equal
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import SettingsError
from kassa.vault.flash import erase, program

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Flash
    from kassa.vault.settings.settings import Settings

_SECTOR = const(4096)
_HEAD = const(16)
_ZERO = bytes(16)


def newest(flash: "Flash", key: bytearray) -> tuple[int, int]:
    """Sector and generation of the newest blob that verifies; (-1, 0) without one."""
    found = -1, 0
    for sector in (0, 1):
        head = bytearray(_HEAD)
        flash.readblocks(sector, head, 0)
        generation = unpack_from(">I", head, 4)[0]
        if head[:3] != b"KS\x01" or generation <= found[1]:
            continue
        plain = _load(flash, key, sector)
        if plain is not None:
            zero(plain)
            found = sector, generation
    return found


def put(values: "Settings", changes: "dict[int, bytes]") -> None:
    """Write a blob with these values changed to the other sector, then erase the old one."""
    plain = _load(values.flash, values.key, values.sector)
    if plain is None:
        raise SettingsError("no settings")
    kept = bytearray(16)
    kept[:] = values.entropy(16)
    at = 16
    while at + 3 <= len(plain) and plain[at]:
        size = plain[at + 1] << 8 | plain[at + 2]
        if plain[at] not in changes:
            kept.extend(plain[at : at + 3 + size])
        at += 3 + size
    zero(plain)
    for identifier, value in changes.items():
        kept.extend(bytes((identifier, len(value) >> 8, len(value) & 0xFF)) + value)
    _store(values, kept)


def _load(flash: "Flash", key: bytearray, sector: int) -> memoryview | None:
    """Nonce and TLVs of a sector, opened; None when it does not verify."""
    head = bytearray(_HEAD)
    flash.readblocks(sector, head, 0)
    size = unpack_from(">H", head, 8)[0]
    if size > _SECTOR - 32 or size % 16:
        return None
    blob = bytearray(_HEAD + size + 16)
    flash.readblocks(sector, blob, 0)
    whole = memoryview(blob)
    if not equal(cmac(key, whole[: _HEAD + size]), whole[_HEAD + size :]):
        return None
    plain = whole[_HEAD : _HEAD + size]  # opened where it lies: the heap has room for one copy, not for three
    cipher = aes(key, 2, _ZERO)
    cipher.decrypt(plain, plain)
    wipe_cipher(cipher)
    return plain


def _store(values: "Settings", plain: bytearray) -> None:
    while len(plain) % 16:
        plain.append(0)
    if len(plain) > _SECTOR - 32:
        raise SettingsError("settings too long")
    blob = bytearray(_HEAD)
    blob[:4] = b"KS\x01\x00"
    pack_into(">IH", blob, 4, values.generation + 1, len(plain))
    cipher = aes(values.key, 2, _ZERO)
    cipher.encrypt(plain, plain)
    wipe_cipher(cipher)
    blob.extend(plain)
    blob.extend(cmac(values.key, blob))
    flash, sector = values.flash, 1 - values.sector
    erase(flash, sector)
    program(flash, sector, blob, 0)
    back = bytearray(len(blob))
    flash.readblocks(sector, back, 0)
    if back != blob:
        raise SettingsError("settings not held by the chip")
    erase(flash, values.sector)
    flash.readblocks(values.sector, memoryview(back)[:_HEAD], 0)
    if back[0] != 0xFF:
        raise SettingsError("older settings cannot be erased")
    values.sector, values.generation = sector, values.generation + 1
