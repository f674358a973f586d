# SPDX-License-Identifier: MIT
"""The keys in flash: DUKPT registers, always ahead of the keys in use, older copies erased first. Layout: docs/keys.md."""

from struct import pack_into, unpack_from

from cryptolib import aes
from micropython import const

from kassa.crypto import dukpt
from kassa.crypto.cmac import cmac, equal
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import FlashFault, KeyringError
from kassa.vault.flash import blocks, erase, program
from kassa.vault.layout import BLANK

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy, Flash

BLOCK = const(2048)  # counters and STANs reserved at a time
LAST_STAN = const(999999)
_SECTOR = const(4096)
_STAGING = const(0)
_FIRST = const(1)
_COPY = const(2048)  # offset of the second copy in its sector
_HEAD = const(32)
_SEALED = const(544)  # nonce and registers
_SIZE = const(576)
_PIECE = const(64)  # read back at a time
_ZERO = bytes(16)


class Keyring:
    """Gives out transaction keys and STANs, each once. Reserves a block at the first use after boot."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        """`flash`: the keyring partition (8 blocks of 4096 B). `key`: the 16-byte keyring key, kept here. `entropy`: os.urandom."""
        self._flash = flash
        self._key = key
        self._entropy = entropy
        self._sector = 0  # of the state in flash, 0 = none
        self._generation = 0
        self._registers: dukpt.Registers | None = None
        self._end = 0  # first counter of the next block: not ours yet
        self._stan = 0
        self._stans_left = 0
        self.initial_id = bytearray(8)

    # -- boot -------------------------------------------------------------------------------------------------------

    def open(self, kbpk: bytearray) -> None:
        """Load the newest state; take a staged initial key first if there is one; finish an interrupted erase.

        Raises KeyringError when there is neither state nor staged key, CryptoError when the staged block is not ours.
        """
        state = self._newest()
        if state is None:
            self._first_load(kbpk)
            return
        self._keep_only(self._sector)
        self._take_over(state)
        zero(state)

    def _first_load(self, kbpk: bytearray) -> None:
        from kassa.crypto.tr31 import unwrap_initial_key  # once in a device's life

        staged = bytearray(512)
        self._flash.readblocks(_STAGING, staged, 0)
        end = staged.find(b"\xff")
        if end < 112:
            raise KeyringError("no keys loaded")
        initial, initial_id = unwrap_initial_key(kbpk, bytes(staged[:end]))
        state = bytearray(_SIZE)
        try:
            state[8:16] = initial_id
            pack_into(">II", state, 16, 1, 1)
            store = bytearray(512)
            dukpt.load(initial, initial_id[4:], store)
            state[48:560] = store
            zero(store)
            self._write(state)
        finally:
            zero(initial)
            zero(staged)
            zero(state)
        self._keep_only(self._sector)
        state = self._read(self._sector, 0)
        if state is None:
            raise FlashFault("key state not held by the chip")
        self._take_over(state)
        zero(state)

    def _newest(self) -> bytearray | None:
        """The valid state with the highest generation, opened; None when there is none."""
        best = None
        for sector in range(_FIRST, blocks(self._flash)):
            for offset in (0, _COPY):
                state = self._read(sector, offset)
                if state is None:
                    continue
                if unpack_from(">I", state, 4)[0] > self._generation:
                    self._generation = unpack_from(">I", state, 4)[0]
                    self._sector = sector
                    best, state = state, best
                if state is not None:
                    zero(state)
        return best

    def _read(self, sector: int, offset: int) -> bytearray | None:
        """One copy, checked and opened in RAM; None when it is not a state of ours."""
        state = bytearray(_SIZE)
        self._flash.readblocks(sector, state, offset)
        if state[:3] != b"KR\x01" or not equal(cmac(self._key, memoryview(state)[:560]), state[560:]):
            return None
        cipher = aes(self._key, 2, _ZERO)
        sealed = memoryview(state)[_HEAD : _HEAD + _SEALED]
        cipher.decrypt(sealed, sealed)
        wipe_cipher(cipher)
        return state

    def _take_over(self, state: bytearray) -> None:
        self.initial_id[:] = state[8:16]
        counter, self._stan = unpack_from(">II", state, 16)
        self._registers = dukpt.Registers(bytearray(memoryview(state)[48:560]), bytes(state[12:16]), counter)
        self._end = counter
        self._stans_left = 0

    # -- use --------------------------------------------------------------------------------------------------------

    def take(self, usage: int, key: bytearray, usage2: int, key2: bytearray) -> int:
        """The next transaction counter, with two of its working keys (16 B each) in `key` and `key2`. The caller zeroes them.

        Raises KeyringError when no keys were loaded or they are used up, FlashFault when a block cannot be reserved.
        """
        if self._registers is None:
            raise KeyringError("no keys loaded")
        if self._registers.counter >= self._end:
            self._reserve()
        return self._registers.take(usage, key, usage2, key2)

    def loaded(self) -> bool:
        """Whether there are keys at all."""
        return self._registers is not None

    def next_stan(self) -> int:
        """The next STAN, 1..999999."""
        if self._registers is None:
            raise KeyringError("no keys loaded")
        if not self._stans_left:
            self._reserve()
        stan = self._stan
        self._stan = stan % LAST_STAN + 1
        self._stans_left -= 1
        return stan

    def ksn(self, counter: int, into: bytearray | memoryview, at: int) -> None:
        """Write the 12-byte KSN of a counter."""
        into[at : at + 8] = self.initial_id
        pack_into(">I", into, at + 8, counter)

    def _reserve(self) -> None:
        """Make the state AFTER the next block durable, erase every older one, and only then own the block."""
        registers = self._registers
        if registers is None:
            raise KeyringError("no keys loaded")
        if registers.counter < self._end:  # STANs ran out first: the rest of the key block is given up
            registers.skip_to(self._end)
        end = (registers.counter // BLOCK + 1) * BLOCK
        state = bytearray(_SIZE)
        try:
            state[48:560] = registers.store
            ahead = dukpt.Registers(memoryview(state)[48:560], registers.device, registers.counter)
            ahead.skip_to(end)
            stan = (self._stan + self._stans_left + BLOCK - 1) % LAST_STAN + 1
            state[8:16] = self.initial_id
            pack_into(">II", state, 16, ahead.counter, stan)
            self._write(state)
            self._keep_only(self._sector)
        finally:
            zero(state)
        self._end = end
        self._stans_left += BLOCK

    # -- flash ------------------------------------------------------------------------------------------------------

    def _write(self, state: bytearray) -> None:
        """Seal a state where it lies and write both copies to the next sector. Raises KeyringError."""
        flash = self._flash
        sector = self._sector % (blocks(flash) - 1) + _FIRST
        state[:4] = b"KR\x01\x00"
        pack_into(">I", state, 4, self._generation + 1)
        state[32:48] = self._entropy(16)
        view = memoryview(state)[_HEAD : _HEAD + _SEALED]
        cipher = aes(self._key, 2, _ZERO)
        cipher.encrypt(view, view)
        wipe_cipher(cipher)
        state[560:] = cmac(self._key, memoryview(state)[:560])
        self._erase(sector)
        back = bytearray(_PIECE)
        for offset in (0, _COPY):
            program(flash, sector, state, offset)
            for at in range(0, _SIZE, _PIECE):
                flash.readblocks(sector, back, offset + at)
                if back != state[at : at + _PIECE]:
                    raise FlashFault("key state not held by the chip")
        self._sector = sector
        self._generation += 1

    def _keep_only(self, kept: int) -> None:
        """Erase every other sector that is not blank, the staging one too, and see that it is blank."""
        for sector in range(blocks(self._flash)):
            if sector != kept:
                self._erase(sector)

    def _erase(self, sector: int) -> None:
        if not self._is_blank(sector):
            erase(self._flash, sector)
            if not self._is_blank(sector):
                raise FlashFault("an older key state cannot be erased")

    def _is_blank(self, sector: int) -> bool:
        part = bytearray(len(BLANK))
        for offset in range(0, _SECTOR, len(BLANK)):
            self._flash.readblocks(sector, part, offset)
            if part != BLANK:
                return False
        return True
