# SPDX-License-Identifier: MIT
"""Finds the settings blob at boot and rewrites it when a value changes. Loaded only for that. Layout: docs/keys.md."""

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

_SECTOR = const(4096)
_HEAD = const(16)
_PIECE = const(64)  # read back at a time
_ZERO = bytes(16)


def newest(flash: "Flash", key: bytearray, wanted: "tuple[int, ...]") -> "tuple[int, int, dict[int, bytes]]":
    """Sector and generation of the newest blob that verifies, and its values with the `wanted` ids; -1, 0, {} if none does."""
    found = -1, 0, {}
    for sector in (0, 1):
        head = bytearray(_HEAD)
        flash.readblocks(sector, head, 0)
        generation = unpack_from(">I", head, 4)[0]
        if head[:3] != b"KS\x01" or generation <= found[1]:
            continue
        plain = _load(flash, key, sector)
        if plain is not None:
            found = sector, generation, _values(plain, wanted)
            zero(plain)
    return found


def _values(plain: memoryview, wanted: "tuple[int, ...]") -> "dict[int, bytes]":
    """Copies of the values with these ids, among nonce and TLVs."""
    found, at = {}, 16
    while at + 3 <= len(plain) and plain[at]:
        start, end = at + 3, at + 3 + (plain[at + 1] << 8 | plain[at + 2])
        if plain[at] in wanted and plain[at] not in found and end <= len(plain):
            found[plain[at]] = bytes(plain[start:end])
        at = end
    return found


def put(
    flash: "Flash", key: bytearray, entropy: "Entropy", sector: int, generation: int, changes: "dict[int, bytes]"
) -> tuple[int, int]:
    """Write the blob of `sector`, with `changes` (id -> value), to the other sector, then erase `sector`.

    Returns sector and generation of the new blob. Raises SettingsError, FlashFault.
    """
    plain = _load(flash, key, sector)
    if plain is None:
        raise SettingsError("no settings")
    room = 16 + len(plain)
    for value in changes.values():
        room += 3 + len(value)
    # Allocated once and sealed in place: a buffer that grows leaves pieces with secrets, and two copies is all that fits.
    blob = memoryview(bytearray(_HEAD + room))
    blob[:4] = b"KS\x01\x00"
    blob[_HEAD : _HEAD + 16] = entropy(16)
    at, end = 16, _HEAD + 16
    while at + 3 <= len(plain) and plain[at]:
        size = 3 + (plain[at + 1] << 8 | plain[at + 2])
        if plain[at] not in changes:
            blob[end : end + size] = plain[at : at + size]
            end += size
        at += size
    zero(plain)
    plain = None
    for identifier, value in changes.items():
        pack_into(">BH", blob, end, identifier, len(value))
        blob[end + 3 : end + 3 + len(value)] = value
        end += 3 + len(value)
    size = (end - _HEAD + 15) & ~15
    if size > _SECTOR - 32:
        zero(blob)
        raise SettingsError("settings too long")
    blob = blob[: _HEAD + size]
    pack_into(">IH", blob, 4, generation + 1, size)
    sealed = blob[_HEAD:]
    cipher = aes(key, 2, _ZERO)
    cipher.encrypt(sealed, sealed)
    wipe_cipher(cipher)
    tag = cmac(key, blob)
    other = 1 - sector
    erase(flash, other)
    program(flash, other, blob, 0)
    program(flash, other, tag, len(blob))
    if not _holds(flash, other, 0, blob) or not _holds(flash, other, len(blob), tag):
        raise SettingsError("settings read back wrong")
    erase(flash, sector)
    head = bytearray(_HEAD)
    flash.readblocks(sector, head, 0)
    if head[0] != 0xFF:
        raise SettingsError("older settings cannot be erased")
    return other, generation + 1


def _holds(flash: "Flash", sector: int, offset: int, data: "bytearray | memoryview") -> bool:
    """Whether the chip holds `data`. Reads back a piece at a time."""
    back = memoryview(bytearray(_PIECE))
    for at in range(0, len(data), _PIECE):
        part = back[: min(_PIECE, len(data) - at)]
        flash.readblocks(sector, part, offset + at)
        if part != memoryview(data)[at : at + _PIECE]:
            return False
    return True


def _load(flash: "Flash", key: bytearray, sector: int) -> memoryview | None:
    """The decrypted nonce and TLVs of a sector; None when it does not verify."""
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
    plain = whole[_HEAD : _HEAD + size]  # decrypted in place: the heap has room for one copy, not for three
    cipher = aes(key, 2, _ZERO)
    cipher.decrypt(plain, plain)
    wipe_cipher(cipher)
    return plain
