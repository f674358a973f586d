# SPDX-License-Identifier: MIT
"""The keys in flash: DUKPT registers, always ahead of the keys in use, older copies erased first. Layout: docs/keys.md."""

from struct import pack_into

from cryptolib import aes
from micropython import const

from kassa.crypto import dukpt
from kassa.crypto.cmac import cmac
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import FlashFault, KeyringError
from kassa.modules import forget
from kassa.vault.flash import blocks, erase, program
from kassa.vault.layout import BLANK

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy, Flash

_SIZE = const(592)  # bytes of a state; its layout is in keyload.py too, since a private constant takes no memory
_COPY = const(2048)  # offset of the second copy in its sector
_SEALED = const(32)  # from here: nonce, registers, update key
_STORE = const(48)  # where registers and update key lie
_TAG = const(576)  # and where they end
_RESIDUE = const(24)  # a byte with a bit for each sector that was not yet erased when the state was written
_BLOCK = const(2048)  # counters and STANs reserved at a time
_LAST_STAN = const(999999)
_PIECE = const(64)  # read back at a time
_PAGES = (0, 256, 512, 2048, 2304, 2560)  # of a sector: those that copies, or a staged block, are written to
_ALL = const(0xFF)
_ZERO = bytes(16)


class Keyring:
    """Gives out transaction keys and STANs, each once. Reserves a block at the first use after boot."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        """`flash`: the keyring partition (8 blocks of 4096 B). `key`: the 16-byte keyring key, kept here. `entropy`: os.urandom."""
        self._flash = flash
        self._key = key
        self._entropy = entropy
        self._sector = 0  # of the state in flash; staging until there is one
        self._generation = 0
        self.damaged = 0  # copies of the state, of two, that boot could not read
        self._registers: dukpt.Registers | None = None
        self._end = 0  # first counter of the next block: not ours yet
        self._stan = 1
        self._stans_left = 0
        self._sure = False  # since boot, a sector that looks blank has been one that this boot erased
        self.initial_id = bytearray(8)

    # -- boot -------------------------------------------------------------------------------------------------------

    def open(self, kbpk: bytearray) -> None:
        """Load the newest state; take a staged initial key first if there is none; finish an interrupted erase.

        It reads the heads of all sectors, both copies of the state, and the pages of those sectors alone that can hold
        anything else: the ones the state itself names (what was not yet erased when it was written: the state before it
        and sectors that did not take it), the next in turn (a reservation that was cut), and any with a head that is not
        blank. That is enough, because no key is given out before `_reserve` has looked at all pages of every sector.
        Raises KeyringError when there is neither state nor staged key, CryptoError when the staged block is not ours,
        FlashFault when an older state can neither be erased nor overwritten. Nothing is erased unless a state was read.
        """
        from kassa.vault import keyload  # at boot, and hardly ever after it

        try:
            keyload.load(self, kbpk)
        finally:
            forget("kassa.vault.keyload")

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

    def ahead(self) -> None:
        """Reserve a block if none is left, before memory gets scarce. Raises what `take` raises."""
        if self._registers is None:
            raise KeyringError("no keys loaded")
        if self._registers.counter >= self._end or not self._stans_left:
            self._reserve()

    def loaded(self) -> bool:
        """Whether there are keys at all."""
        return self._registers is not None

    def next_stan(self) -> int:
        """The next STAN, 1..999999. Raises what `take` raises."""
        if self._registers is None:
            raise KeyringError("no keys loaded")
        if not self._stans_left:
            self._reserve()
        stan = self._stan
        self._stan = stan % _LAST_STAN + 1
        self._stans_left -= 1
        return stan

    def ksn(self, counter: int, into: bytearray | memoryview, at: int) -> None:
        """Write the 12-byte KSN of a counter."""
        into[at : at + 8] = self.initial_id
        pack_into(">I", into, at + 8, counter)

    def pass_over(self, used: int) -> None:
        """Never hand out a counter up to `used` again: an older state of this chip, or a copy of it, has shown them to the host.

        Durable with the next block, which the next key taken reserves.
        """
        registers = self._registers
        if registers is not None and registers.counter <= used:
            registers.skip_to(used + 1)

    def renew(self, block: bytearray) -> None:
        """Replace all keys by those of a new initial key; used-up keys are no hindrance. STANs run on.

        `block`: TR-31 version D, usage B1, with an IK block, ASCII, wrapped in the update key of the keys in use (X9.24-3,
        6.4); it is zeroed here, whatever comes of it. The caller sees to it that no payment is pending, drops what it took
        ahead of the next payment and signs on again: counters start anew under another initial key id.
        Raises KeyringError when there is no update key (keys loaded before there were any) or these are the same keys
        again, CryptoError when the block does not verify, FlashFault when no sector takes the new state: then nothing has
        changed. After a FlashFault in erasing the old state the new keys hold, but none is given out until it is gone.
        """
        from kassa.vault import keyload

        try:
            keyload.renew(self, block)
        finally:
            forget("kassa.vault.keyload")

    def _reserve(self) -> None:
        """Make the state AFTER the next block durable, erase every older one, and only then own the block."""
        registers = self._registers
        if registers is None:
            raise KeyringError("no keys loaded")
        self._keep_only(self._sector)
        if registers.counter < self._end:  # STANs ran out first: the rest of the key block is given up
            registers.skip_to(self._end)
        if registers.counter >> 32:
            raise KeyringError("transaction counter exhausted")
        end = (registers.counter // _BLOCK + 1) * _BLOCK
        state = bytearray(_SIZE)
        try:
            store = memoryview(state)[_STORE:_TAG]
            store[:] = registers.store
            ahead = dukpt.Registers(store, self.initial_id[4:], registers.counter)
            ahead.skip_to(end)
            state[8:16] = self.initial_id
            stan = (self._stan + self._stans_left + _BLOCK - 1) % _LAST_STAN + 1
            pack_into(">II", state, 16, 0 if ahead.counter >> 32 else ahead.counter, stan)
            self._write(state)
            self._keep_only(self._sector)
        finally:
            zero(state)
        self._end = end
        self._stans_left += _BLOCK

    # -- flash ------------------------------------------------------------------------------------------------------

    def _write(self, state: bytearray) -> None:
        """Seal a state where it lies and write both copies to the next sector that takes them; the state in use stays.

        Raises FlashFault when no sector does.
        """
        state[:4] = b"KR\x02\x00"
        state[_SEALED:_STORE] = self._entropy(16)
        sealed = memoryview(state)[_SEALED:_TAG]
        cipher = aes(self._key, 2, _ZERO)
        cipher.encrypt(sealed, sealed)
        wipe_cipher(cipher)
        state[_RESIDUE] = 1 << self._sector
        sector = self._sector
        for _ in range(blocks(self._flash) - 1):
            sector = sector % (blocks(self._flash) - 1) + 1
            if sector == self._sector:
                break
            self._generation += 1  # each try its own: a sector passed over may hold one good copy of this state
            pack_into(">I", state, 4, self._generation)
            state[_TAG:] = cmac(self._key, memoryview(state)[:_TAG])
            if self._put(sector, state):
                self._sector = sector
                self._sure = True
                return
            state[_RESIDUE] |= 1 << sector
        raise FlashFault("no sector takes the key state")

    def _put(self, sector: int, state: bytearray) -> bool:
        """Write a sealed state twice and read it back; whether the sector took it."""
        flash = self._flash
        back = bytearray(_PIECE)
        try:
            if not self._sure or not self._is_blank(sector):
                erase(flash, sector)
                if not self._is_blank(sector):
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

    def _keep_only(self, kept: int, among: int = _ALL) -> None:
        """See that no sector but `kept` holds anything of a state or of a staged block; `among`: sectors to look at, a bit each.

        What is left is erased; where that does not help, overwritten with zeros (bits only fall), as far as they fall.
        Raises FlashFault when something is left after both.
        """
        for sector in range(blocks(self._flash)):
            if sector == kept or not among >> sector & 1 or self._is_blank(sector, True):
                continue
            try:
                erase(self._flash, sector)
            except FlashFault:
                pass
            if self._is_blank(sector, True):
                continue
            for page in _PAGES:
                try:
                    program(self._flash, sector, bytes(len(BLANK)), page)
                except FlashFault:
                    pass
            if not self._is_blank(sector, True):
                raise FlashFault("an older key state cannot be erased")

    def _is_blank(self, sector: int, gone: bool = False) -> bool:
        """Whether the pages a state is written to are blank; `gone`: or hold nothing that a key could be found in.

        That is so where no 16 bytes keep more than one that is not zero (a bit may be stuck): AES-CBC needs all of a block.
        """
        part = bytearray(len(BLANK))
        for page in _PAGES:
            self._flash.readblocks(sector, part, page)
            if part == BLANK:
                continue
            for at in range(0, len(BLANK), 16):
                if not gone or len(bytes(part[at : at + 16]).strip(b"\x00")) > 1:
                    return False
        return True
