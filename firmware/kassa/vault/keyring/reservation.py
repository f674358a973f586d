# SPDX-License-Identifier: MIT
"""Makes the keyring's next state durable and every older one vanish. In memory only then. Layout: docs/keys.md."""

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

_SIZE = const(592)  # bytes of a state; its layout is in keyload.py too, since a private constant takes no memory
_COPY = const(2048)  # offset of the second copy in its sector
_SEALED = const(32)  # from here: nonce, registers, update key
_STORE = const(48)  # where registers and update key lie
_TAG = const(576)  # and where they end
_RESIDUE = const(24)  # a byte with a bit for each sector that was not yet erased when the state was written
_BLOCK = const(2048)  # counters and STANs reserved at a time
_ALL = const(0xFF)
_LAST_STAN = const(999999)
_PIECE = const(64)  # read back at a time
_PAGES = (0, 256, 512, 2048, 2304, 2560)  # of a sector: those that copies, or a staged block, are written to
_ZERO = bytes(16)


def reserve(ring: "KeyState") -> None:
    """Make the state AFTER the next block durable, erase every older one, and only then own the block."""
    registers = ring.registers
    if registers is None:
        raise KeyringError("no keys loaded")
    keep_only(ring.flash, ring.sector)
    if registers.counter < ring.end:  # STANs ran out first: the rest of the key block is given up
        registers.skip_to(ring.end)
    if registers.counter >> 32:
        raise KeyringError("transaction counter exhausted")
    end = (registers.counter // _BLOCK + 1) * _BLOCK
    state = bytearray(_SIZE)
    try:
        store = memoryview(state)[_STORE:_TAG]
        store[:] = registers.store
        ahead = dukpt.Registers(store, ring.initial_id[4:], registers.counter)
        ahead.skip_to(end)
        state[8:16] = ring.initial_id
        stan = (ring.stan + ring.stans_left + _BLOCK - 1) % _LAST_STAN + 1
        pack_into(">II", state, 16, 0 if ahead.counter >> 32 else ahead.counter, stan)
        write(ring, state)
        keep_only(ring.flash, ring.sector)
    finally:
        zero(state)
    ring.end = end
    ring.stans_left += _BLOCK


def write(ring: "KeyState", state: bytearray) -> None:
    """Seal a state where it lies and write both copies to the next sector that takes them; the state in use stays.

    Raises FlashFault when no sector does.
    """
    state[:4] = b"KR\x02\x00"
    state[_SEALED:_STORE] = ring.entropy(16)
    sealed = memoryview(state)[_SEALED:_TAG]
    cipher = aes(ring.key, 2, _ZERO)
    cipher.encrypt(sealed, sealed)
    wipe_cipher(cipher)
    state[_RESIDUE] = 1 << ring.sector
    sector = ring.sector
    for _ in range(blocks(ring.flash) - 1):
        sector = sector % (blocks(ring.flash) - 1) + 1
        if sector == ring.sector:
            break
        ring.generation += 1  # each try its own: a sector passed over may hold one good copy of this state
        pack_into(">I", state, 4, ring.generation)
        state[_TAG:] = cmac(ring.key, memoryview(state)[:_TAG])
        if _put(ring, sector, state):
            ring.sector = sector
            ring.sure = True
            return
        state[_RESIDUE] |= 1 << sector
    raise FlashFault("no sector takes the key state")


def _put(ring: "KeyState", sector: int, state: bytearray) -> bool:
    """Write a sealed state twice and read it back; whether the sector took it."""
    flash = ring.flash
    back = bytearray(_PIECE)
    try:
        if not ring.sure or not _is_blank(flash, sector):
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
    """See that no sector but `kept` holds anything of a state or of a staged block; `among`: sectors to look at, a bit each.

    What is left is erased; where that does not help, overwritten with zeros (bits only fall), as far as they fall.
    Raises FlashFault when something is left after both.
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
    """Whether the pages a state is written to are blank; `gone`: or hold nothing that a key could be found in.

    That is so where no 16 bytes keep more than one that is not zero (a bit may be stuck): AES-CBC needs all of a block.
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
