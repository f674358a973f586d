# SPDX-License-Identifier: MIT
"""Reserves keys: writes the next state and erases all older ones. Loaded only for that. Layout: docs/keys.md."""

from struct import pack_into

from cryptolib import aes
from micropython import const

from kassa.crypto import dukpt
from kassa.crypto.cmac import cmac
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import FlashFault, KeyringError
from kassa.vault.flash import blocks, erase, program
from kassa.vault.journal.layout import BLANK

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Flash
    from kassa.vault.keyring.key_state import KeyState

_SIZE = const(592)  # bytes of a state; key_load.py repeats the layout, since private constants take no memory
_COPY = const(2048)  # offset of the second copy in its sector
_SEALED = const(32)  # offset of nonce, registers and update key
_STORE = const(48)  # offset of registers and update key
_TAG = const(576)  # offset of the tag
_RESIDUE = const(24)  # offset of the byte with a bit for each sector not yet erased when the state was written
_BLOCK = const(2048)  # counters and STANs reserved at a time
_ALL = const(0xFF)
_LAST_STAN = const(999999)
_PIECE = const(64)  # read back at a time
_PAGES = (0, 256, 512, 2048, 2304, 2560)  # pages of a sector that hold state copies or a staged block
_ZERO = bytes(16)


def reserve(keyring: "KeyState") -> None:
    """Write the state AFTER the next block, erase all older states, and only then use the block.

    Raises KeyringError when no keys are loaded or all are used up, FlashFault.
    """
    registers = keyring.registers
    if registers is None:
        raise KeyringError("no keys loaded")
    keep_only(keyring.flash, keyring.sector)
    if registers.counter < keyring.end:  # STANs ran out first: skip the rest of the key block
        registers.skip_to(keyring.end)
    if registers.counter >> 32:
        raise KeyringError("transaction counter exhausted")
    end = (registers.counter // _BLOCK + 1) * _BLOCK
    state = bytearray(_SIZE)
    try:
        store = memoryview(state)[_STORE:_TAG]
        store[:] = registers.store
        ahead = dukpt.Registers(store, keyring.initial_id[4:], registers.counter)
        ahead.skip_to(end)
        state[8:16] = keyring.initial_id
        stan = (keyring.stan + keyring.stans_left + _BLOCK - 1) % _LAST_STAN + 1
        pack_into(">II", state, 16, 0 if ahead.counter >> 32 else ahead.counter, stan)
        write(keyring, state)
        keep_only(keyring.flash, keyring.sector)
    finally:
        zero(state)
    keyring.end = end
    keyring.stans_left += _BLOCK


def write(keyring: "KeyState", state: bytearray) -> None:
    """Seal `state` in place and write both copies to the next sector that takes them. The state in use stays.

    Raises FlashFault when no sector takes them.
    """
    state[:4] = b"KR\x02\x00"
    state[_SEALED:_STORE] = keyring.entropy(16)
    sealed = memoryview(state)[_SEALED:_TAG]
    cipher = aes(keyring.key, 2, _ZERO)
    cipher.encrypt(sealed, sealed)
    wipe_cipher(cipher)
    state[_RESIDUE] = 1 << keyring.sector
    sector = keyring.sector
    for _ in range(blocks(keyring.flash) - 1):
        sector = sector % (blocks(keyring.flash) - 1) + 1
        if sector == keyring.sector:
            break
        keyring.generation += 1  # one for each try: a skipped sector may hold one good copy of this state
        pack_into(">I", state, 4, keyring.generation)
        state[_TAG:] = cmac(keyring.key, memoryview(state)[:_TAG])
        if _put(keyring, sector, state):
            keyring.sector = sector
            keyring.trusts_blank = True
            return
        state[_RESIDUE] |= 1 << sector
    raise FlashFault("no sector takes the key state")


def _put(keyring: "KeyState", sector: int, state: bytearray) -> bool:
    """Write a sealed state twice and read it back. Returns whether the sector took it."""
    flash = keyring.flash
    back = bytearray(_PIECE)
    try:
        if not keyring.trusts_blank or not _is_blank(flash, sector):
            erase(flash, sector)
            if not _is_blank(flash, sector):
                return False
        for offset in (0, _COPY):
            program(flash, sector, state, offset)
    except FlashFault:
        return False
    for offset in (0, _COPY):
        for at in range(0, _SIZE, _PIECE):
            part = memoryview(back)[: min(_PIECE, _SIZE - at)]
            flash.readblocks(sector, part, offset + at)
            if part != memoryview(state)[at : at + _PIECE]:
                return False
    return True


def keep_only(flash: "Flash", kept: int, among: int = _ALL) -> None:
    """Erase every state or staged block outside sector `kept`. `among`: the sectors to check, a bit each.

    What cannot be erased is overwritten with zeros. Raises FlashFault when something is left after both.
    """
    for sector in range(blocks(flash)):
        if sector == kept or not among >> sector & 1 or _is_blank(flash, sector, True):
            continue
        try:
            erase(flash, sector)
        except FlashFault:
            pass
        if _is_blank(flash, sector, True):
            continue
        for page in _PAGES:
            try:
                program(flash, sector, bytes(len(BLANK)), page)
            except FlashFault:
                pass
        if not _is_blank(flash, sector, True):
            raise FlashFault("an older key state cannot be erased")


def _is_blank(flash: "Flash", sector: int, gone: bool = False) -> bool:
    """Whether the pages that hold states are blank. `gone`: zeroed pages count too, as no key can be recovered.

    A page counts as zeroed when no 16-byte block keeps more than one non-zero byte (a bit may be stuck): AES-CBC cannot
    be decrypted without the whole block.
    """
    part = bytearray(len(BLANK))
    for page in _PAGES:
        flash.readblocks(sector, part, page)
        if part == BLANK:
            continue
        for at in range(0, len(BLANK), 16):
            if not gone or len(bytes(part[at : at + 16]).strip(b"\x00")) > 1:
                return False
    return True
