# SPDX-License-Identifier: MIT
"""Key states in flash: sealed, twice, in one sector after the other; what is left of others is erased. Layout: docs/keys.md."""

from struct import pack_into, unpack_from

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import cmac, equal
from kassa.crypto.wipe import wipe_cipher
from kassa.errors import FlashFault
from kassa.vault.flash import blocks, erase, program
from kassa.vault.layout import BLANK

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy, Flash

STAGING = const(0)  # the sector a new initial key is put in
SIZE = const(592)  # bytes of a state
STORE = const(48)  # where registers and update key lie in it
TAG = const(576)  # and where they end
RESIDUE = const(24)  # a byte with a bit for each sector that was not yet erased when the state was written
_COPY = const(2048)  # offset of the second copy in its sector
_LOOK = const(16)  # bytes of a copy that tell whether it is one
_SEALED = const(32)  # from here: nonce, registers, update key
_TAG_1 = const(560)  # in format 1, which has no update key
_PIECE = const(64)  # read back at a time
_PAGES = (0, 256, 512, 2048, 2304, 2560)  # of a sector: those that copies, or a staged block, are written to
_ALL = const(0xFF)
_ZERO = bytes(16)


class KeyStates:
    """The keyring's partition: one state at a time, older ones gone. Keyring is built on it."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        self._flash = flash
        self._key = key
        self._entropy = entropy
        self._sector = STAGING  # of the state in flash; staging until there is one
        self._generation = 0
        self.damaged = 0  # copies of the state, of two, that boot could not read

    def _newest(self) -> tuple[bytearray | None, int]:
        """The valid state with the highest generation, opened, or None; and the sectors that do not look blank, a bit each."""
        head = bytearray(_LOOK)
        blank = BLANK[:_LOOK]
        used = 0
        found = []
        for sector in range(blocks(self._flash)):
            for offset in (0, _COPY):
                self._flash.readblocks(sector, head, offset)
                if head != blank:
                    used |= 1 << sector
                if head[:2] == b"KR" and sector != STAGING:
                    found.append((unpack_from(">I", head, 4)[0], sector, offset))
        found.sort(reverse=True)
        for generation, sector, offset in found:
            state = self._read(sector, offset)
            if state is not None:
                self._sector = sector
                self._generation = generation
                if self._read(sector, _COPY - offset) is None:
                    self.damaged = 1
                self._unseal(state)
                return state, used
        return None, used

    def _read(self, sector: int, offset: int) -> bytearray | None:
        """One copy, checked, still sealed; None when it is not a state of ours."""
        state = bytearray(SIZE)
        self._flash.readblocks(sector, state, offset)
        if state[:2] != b"KR" or not 1 <= state[2] <= 2:
            return None
        end = TAG if state[2] == 2 else _TAG_1
        view = memoryview(state)
        return state if equal(cmac(self._key, view[:end]), view[end : end + 16]) else None

    def _unseal(self, state: bytearray) -> None:
        """Open a state in RAM. One of format 1 becomes one of format 2: no update key, and nothing known of other sectors."""
        old = state[2] == 1
        sealed = memoryview(state)[_SEALED : _TAG_1 if old else TAG]
        cipher = aes(self._key, 2, _ZERO)
        cipher.decrypt(sealed, sealed)
        wipe_cipher(cipher)
        if old:
            state[_TAG_1:TAG] = _ZERO
            state[RESIDUE] = _ALL

    def _following(self, sector: int) -> int:
        """The sector whose turn is next."""
        return sector % (blocks(self._flash) - 1) + 1

    def _write(self, state: bytearray) -> None:
        """Seal a state where it lies and write both copies to the next sector that takes them; the state in use stays.

        Raises FlashFault when no sector does.
        """
        state[:4] = b"KR\x02\x00"
        state[_SEALED:STORE] = self._entropy(16)
        sealed = memoryview(state)[_SEALED:TAG]
        cipher = aes(self._key, 2, _ZERO)
        cipher.encrypt(sealed, sealed)
        wipe_cipher(cipher)
        state[RESIDUE] = 1 << self._sector
        sector = self._sector
        for _ in range(blocks(self._flash) - 1):
            sector = self._following(sector)
            if sector == self._sector:
                break
            self._generation += 1  # each try its own: a sector passed over may hold one good copy of this state
            pack_into(">I", state, 4, self._generation)
            state[TAG:] = cmac(self._key, memoryview(state)[:TAG])
            if self._put(sector, state):
                self._sector = sector
                return
            state[RESIDUE] |= 1 << sector
        raise FlashFault("no sector takes the key state")

    def _put(self, sector: int, state: bytearray) -> bool:
        """Write a sealed state twice and read it back; whether the sector took it."""
        flash = self._flash
        back = bytearray(_PIECE)
        try:
            if not self._is_blank(sector):
                erase(flash, sector)
                if not self._is_blank(sector):
                    return False
            for offset in (0, _COPY):
                program(flash, sector, state, offset)
        except FlashFault:
            return False
        for offset in (0, _COPY):
            for at in range(0, SIZE, _PIECE):
                part = memoryview(back)[: min(_PIECE, SIZE - at)]
                flash.readblocks(sector, part, offset + at)
                if part != memoryview(state)[at : at + _PIECE]:
                    return False
        return True

    def _keep_only(self, kept: int, among: int = _ALL) -> None:
        """See that no sector but `kept` holds anything of a state or of a staged block; `among`: sectors to look at, a bit each.

        What is left is erased; where that does not help, overwritten with zeros (bits only fall), as far as they fall.
        Raises FlashFault when something is left after both.
        """
        for sector in range(blocks(self._flash)):
            if sector == kept or not among >> sector & 1 or self._is_gone(sector):
                continue
            try:
                erase(self._flash, sector)
            except FlashFault:
                pass
            if not self._is_gone(sector):
                self._overwrite(sector)

    def _overwrite(self, sector: int) -> None:
        for page in _PAGES:
            try:
                program(self._flash, sector, bytes(len(BLANK)), page)
            except FlashFault:
                pass
        if not self._is_gone(sector):
            raise FlashFault("an older key state cannot be erased")

    def _is_blank(self, sector: int) -> bool:
        """Whether the pages a state is written to are blank."""
        part = bytearray(len(BLANK))
        for page in _PAGES:
            self._flash.readblocks(sector, part, page)
            if part != BLANK:
                return False
        return True

    def _is_gone(self, sector: int) -> bool:
        """Whether nothing is left that a key could be found in: each page is blank, or `_is_spent`."""
        part = bytearray(len(BLANK))
        for page in _PAGES:
            self._flash.readblocks(sector, part, page)
            if part != BLANK and not _is_spent(part):
                return False
        return True


def _is_spent(page: bytearray) -> bool:
    """Whether no 16-byte block of a page has more than one byte that is not zero, as where a bit or two do not fall.

    To open a block of AES-CBC all its bits are needed: 120 of 128 are gone.
    """
    for at in range(0, len(page), 16):
        left = 0
        for byte in page[at : at + 16]:
            if byte:
                left += 1
        if left > 1:
            return False
    return True
