# SPDX-License-Identifier: MIT
"""The parts of the keyring that boot and a change of keys need: what is in flash, a first load, a renewal. docs/keys.md."""

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

_STAGING = const(0)  # the sector a first initial key is put in
_SIZE = const(592)  # this and the next five: as in reservation.py
_COPY = const(2048)
_SEALED = const(32)
_STORE = const(48)
_TAG = const(576)
_RESIDUE = const(24)
_LAST_STAN = const(999999)
_LOOK = const(16)  # bytes of a copy that tell whether it is one
_TAG_1 = const(560)  # in format 1, which has no update key
_STAGED = const(512)  # bytes a staged block can have
_LEAST = const(112)  # and has, or nothing is staged
_ALL = const(0xFF)
_UPDATE = const(512)  # where the update key lies behind the registers
_ZERO = bytes(16)


def load(ring: "KeyState", kbpk: bytearray) -> None:
    """Keyring.open."""
    state, used = _newest(ring)
    try:
        if state is None or ring.damaged and used & 1 and _staged(ring):  # half written: nothing of it was used either
            try:
                _first_load(ring, kbpk, "key state unreadable" if used >> 1 else "no keys loaded")
                ring.damaged = 0
                return
            except (KeyringError, CryptoError):
                if state is None:
                    raise  # else the staged block is half erased: the state was whole once
        if ring.damaged or ring.generation > unpack_from(">I", state, 4)[0]:
            # Its other copy may go too, or it may half be erased where a newer one is half written: two good ones before
            # all else is erased.
            try:
                write(ring, bytearray(state))
            except FlashFault:
                pass  # it stays as it is
        keep_only(ring.flash, ring.sector, used | state[_RESIDUE] | 1 << (ring.sector % (blocks(ring.flash) - 1) + 1))
        counter, ring.stan = unpack_from(">II", state, 16)
        _use(ring, bytearray(memoryview(state)[_STORE:_TAG]), state[8:16], counter or 1 << 32)
    finally:
        if state is not None:
            zero(state)


def _staged(ring: "KeyState") -> bytearray:
    """The staged block, empty when there is none. The caller zeroes it."""
    staged = bytearray(_STAGED)
    ring.flash.readblocks(_STAGING, staged, 0)
    block = staged[: max(0, staged.find(b"\xff"))]
    zero(staged)
    return block if len(block) >= _LEAST else bytearray()


def _first_load(ring: "KeyState", kbpk: bytearray, reason: str) -> None:
    block = _staged(ring)
    try:
        if not block:
            raise KeyringError(reason)
        _load(ring, kbpk, block)
    finally:
        zero(block)


def _newest(ring: "KeyState") -> tuple[bytearray | None, int]:
    """The valid state with the highest generation, opened, or None; and the sectors that do not look blank, a bit each."""
    head = bytearray(_LOOK)
    blank = BLANK[:_LOOK]
    used = 0
    found = []
    for sector in range(blocks(ring.flash)):
        for offset in (0, _COPY):
            ring.flash.readblocks(sector, head, offset)
            if head != blank:
                used |= 1 << sector
            if head[:2] == b"KR" and sector != _STAGING:
                found.append((unpack_from(">I", head, 4)[0], sector, offset))
    found.sort(reverse=True)
    state, sector = None, 0
    for generation, at, offset in found:
        copy = None if at == sector else _read(ring, at, offset)
        if copy is None:
            continue
        whole = _read(ring, at, _COPY - offset) is not None
        state, sector = copy, at
        ring.sector, ring.generation, ring.damaged = at, generation, 0 if whole else 1
        if whole:  # else the power may have died in writing it: nothing of it was used while an older one is there
            break
    if state is not None:
        ring.generation = max([generation for generation, _, _ in found])
        _unseal(ring, state)
    return state, used


def _read(ring: "KeyState", sector: int, offset: int) -> bytearray | None:
    """One copy, checked, still sealed; None when it is not a state of ours."""
    state = bytearray(_SIZE)
    ring.flash.readblocks(sector, state, offset)
    if state[:2] != b"KR" or not 1 <= state[2] <= 2:
        return None
    end = _TAG if state[2] == 2 else _TAG_1
    view = memoryview(state)
    return state if equal(cmac(ring.key, view[:end]), view[end : end + 16]) else None


def _unseal(ring: "KeyState", state: bytearray) -> None:
    """Open a state in RAM. One of format 1 becomes one of format 2: no update key, and nothing known of other sectors."""
    old = state[2] == 1
    sealed = memoryview(state)[_SEALED : _TAG_1 if old else _TAG]
    cipher = aes(ring.key, 2, _ZERO)
    cipher.decrypt(sealed, sealed)
    wipe_cipher(cipher)
    if old:
        state[_TAG_1:_TAG] = _ZERO
        state[_RESIDUE] = _ALL


def renew(ring: "KeyState", block: bytearray) -> None:
    """Keyring.renew."""
    update = bytearray(16)
    try:
        registers = ring.registers
        if registers is None:
            raise KeyringError("no keys loaded")
        update[:] = memoryview(registers.store)[_UPDATE:]
        if not any(update):
            raise KeyringError("keys without an update key")
        keep_only(ring.flash, ring.sector)
        _load(ring, update, block)
    finally:
        zero(update)
        zero(block)


def _load(ring: "KeyState", key: bytearray, block: bytearray) -> None:
    """Replace what there is by the keys of the initial key that `block` holds, wrapped in `key`."""
    from kassa.crypto import initial_key, tr31  # not at every boot

    first, initial_id = tr31.unwrap_initial_key(key, block)
    store = bytearray(_TAG - _STORE)
    state = bytearray(_SIZE)
    try:
        initial_key.load(first, initial_id[4:], store)
        if initial_id == ring.initial_id or equal(memoryview(store)[_UPDATE:], key):
            raise KeyringError("the same keys again")
        state[8:16] = initial_id
        pack_into(">II", state, 16, 1, (ring.stan + ring.stans_left - 1) % _LAST_STAN + 1)
        state[_STORE:_TAG] = store
        write(ring, state)
    finally:
        zero(first)
        zero(state)
    _use(ring, store, initial_id, 1)
    keep_only(ring.flash, ring.sector)


def _use(ring: "KeyState", store: bytearray, initial_id: bytes | bytearray, counter: int) -> None:
    """From now on these are the keys; none of them is reserved."""
    if ring.registers is not None:
        zero(ring.registers.store)
    ring.initial_id[:] = initial_id
    ring.registers = Registers(store, initial_id[4:], counter)
    ring.end = counter
