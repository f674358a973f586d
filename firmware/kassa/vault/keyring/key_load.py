# SPDX-License-Identifier: MIT
"""Keyring: opens the state at boot, loads the first initial key, renews the keys. Layout: docs/keys.md."""

from struct import pack_into, unpack_from

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import cmac, equal
from kassa.crypto.dukpt import Registers
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import CryptoError, FlashFault, KeyringError
from kassa.vault.flash import blocks
from kassa.vault.journal.layout import BLANK
from kassa.vault.keyring.reservation import keep_only, write

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.keyring.key_state import KeyState

_STAGING = const(0)  # sector of the staged first initial key
_SIZE = const(592)  # this and the next five are the same as in reservation.py
_COPY = const(2048)
_SEALED = const(32)
_STORE = const(48)
_TAG = const(576)
_RESIDUE = const(24)
_LAST_STAN = const(999999)
_LOOK = const(16)  # bytes read to recognise a copy
_TAG_1 = const(560)  # offset of the tag in format 1, which has no update key
_STAGED = const(512)  # bytes read of a staged block
_LEAST = const(112)  # least size of a staged block
_ALL = const(0xFF)
_UPDATE = const(512)  # offset of the update key, after the registers
_ZERO = bytes(16)


def load(keyring: "KeyState", kbpk: bytearray) -> None:
    """Open the keyring; see Keyring.open."""
    state, used = _newest(keyring)
    try:
        if state is None or keyring.damaged and used & 1 and _staged(keyring):  # half written: no key of it was used
            try:
                _first_load(keyring, kbpk, "key state unreadable" if used >> 1 else "no keys loaded")
                keyring.damaged = 0
                return
            except (KeyringError, CryptoError):
                if state is None:
                    raise  # with a state, the block is just half erased: the state was once complete
        if keyring.damaged or keyring.generation > unpack_from(">I", state, 4)[0]:
            # One copy is unreadable, or a newer state is half written and this one may be half erased. So write two
            # good copies before everything else is erased.
            try:
                write(keyring, bytearray(state))
            except FlashFault:
                pass  # keep the state as it is
        keep_only(
            keyring.flash,
            keyring.sector,
            used | state[_RESIDUE] | 1 << (keyring.sector % (blocks(keyring.flash) - 1) + 1),
        )
        counter, keyring.stan = unpack_from(">II", state, 16)
        _use(keyring, bytearray(memoryview(state)[_STORE:_TAG]), state[8:16], counter or 1 << 32)
    finally:
        if state is not None:
            zero(state)


def _staged(keyring: "KeyState") -> bytearray:
    """The staged TR-31 block, empty when there is none. The caller zeroes it."""
    staged = bytearray(_STAGED)
    keyring.flash.readblocks(_STAGING, staged, 0)
    block = staged[: max(0, staged.find(b"\xff"))]
    zero(staged)
    return block if len(block) >= _LEAST else bytearray()


def _first_load(keyring: "KeyState", kbpk: bytearray, reason: str) -> None:
    block = _staged(keyring)
    try:
        if not block:
            raise KeyringError(reason)
        _load(keyring, kbpk, block)
    finally:
        zero(block)


def _newest(keyring: "KeyState") -> tuple[bytearray | None, int]:
    """(state, used): the newest valid state, decrypted, or None; and a bit for each sector that does not look blank."""
    head = bytearray(_LOOK)
    blank = BLANK[:_LOOK]
    used = 0
    found = []
    for sector in range(blocks(keyring.flash)):
        for offset in (0, _COPY):
            keyring.flash.readblocks(sector, head, offset)
            if head != blank:
                used |= 1 << sector
            if head[:2] == b"KR" and sector != _STAGING:
                found.append((unpack_from(">I", head, 4)[0], sector, offset))
    found.sort(reverse=True)
    state, sector = None, 0
    for generation, at, offset in found:
        copy = None if at == sector else _read(keyring, at, offset)
        if copy is None:
            continue
        whole = _read(keyring, at, _COPY - offset) is not None
        state, sector = copy, at
        keyring.sector, keyring.generation, keyring.damaged = at, generation, 0 if whole else 1
        if whole:  # else its write may have been cut: no key of it was used, so look for an older one
            break
    if state is not None:
        keyring.generation = max([generation for generation, _, _ in found])
        _unseal(keyring, state)
    return state, used


def _read(keyring: "KeyState", sector: int, offset: int) -> bytearray | None:
    """One copy, verified but still encrypted; None when it is not a valid state."""
    state = bytearray(_SIZE)
    keyring.flash.readblocks(sector, state, offset)
    if state[:2] != b"KR" or not 1 <= state[2] <= 2:
        return None
    end = _TAG if state[2] == 2 else _TAG_1
    view = memoryview(state)
    return state if equal(cmac(keyring.key, view[:end]), view[end : end + 16]) else None


def _unseal(keyring: "KeyState", state: bytearray) -> None:
    """Decrypt a state in RAM. Converts format 1 to format 2: no update key, all other sectors possibly not erased."""
    old = state[2] == 1
    sealed = memoryview(state)[_SEALED : _TAG_1 if old else _TAG]
    cipher = aes(keyring.key, 2, _ZERO)
    cipher.decrypt(sealed, sealed)
    wipe_cipher(cipher)
    if old:
        state[_TAG_1:_TAG] = _ZERO
        state[_RESIDUE] = _ALL


def renew(keyring: "KeyState", block: bytearray) -> None:
    """Replace all keys; see Keyring.renew."""
    update = bytearray(16)
    try:
        registers = keyring.registers
        if registers is None:
            raise KeyringError("no keys loaded")
        update[:] = memoryview(registers.store)[_UPDATE:]
        if not any(update):
            raise KeyringError("keys without an update key")
        keep_only(keyring.flash, keyring.sector)
        _load(keyring, update, block)
    finally:
        zero(update)
        zero(block)


def _load(keyring: "KeyState", key: bytearray, block: bytearray) -> None:
    """Replace all keys by those of the initial key in `block`, which is wrapped under `key`."""
    from kassa.crypto import initial_key, tr31  # not needed at every boot

    first, initial_id = tr31.unwrap_initial_key(key, block)
    store = bytearray(_TAG - _STORE)
    state = bytearray(_SIZE)
    try:
        initial_key.load(first, initial_id[4:], store)
        if initial_id == keyring.initial_id or equal(memoryview(store)[_UPDATE:], key):
            raise KeyringError("the same keys again")
        state[8:16] = initial_id
        pack_into(">II", state, 16, 1, (keyring.stan + keyring.stans_left - 1) % _LAST_STAN + 1)
        state[_STORE:_TAG] = store
        write(keyring, state)
    finally:
        zero(first)
        zero(state)
    _use(keyring, store, initial_id, 1)
    keep_only(keyring.flash, keyring.sector)


def _use(keyring: "KeyState", store: bytearray, initial_id: bytes | bytearray, counter: int) -> None:
    """Use these keys from now on. None of them is reserved yet."""
    if keyring.registers is not None:
        zero(keyring.registers.store)
    keyring.initial_id[:] = initial_id
    keyring.registers = Registers(store, initial_id[4:], counter)
    keyring.end = counter
