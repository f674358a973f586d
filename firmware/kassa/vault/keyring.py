# SPDX-License-Identifier: MIT
"""The keys in flash: DUKPT registers, always ahead of the keys in use, older copies erased first. Layout: docs/keys.md."""

from struct import pack_into, unpack_from

from micropython import const

from kassa.crypto import dukpt
from kassa.crypto.cmac import equal
from kassa.crypto.wipe import zero
from kassa.errors import KeyringError
from kassa.vault.keystates import RESIDUE, SIZE, STAGING, STORE, TAG, KeyStates

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy, Flash

BLOCK = const(2048)  # counters and STANs reserved at a time
LAST_STAN = const(999999)
_STAGED = const(512)  # bytes a staged block can have
_LEAST = const(112)  # and has, or nothing is staged


class Keyring(KeyStates):
    """Gives out transaction keys and STANs, each once. Reserves a block at the first use after boot."""

    def __init__(self, flash: "Flash", key: bytearray, entropy: "Entropy") -> None:
        """`flash`: the keyring partition (8 blocks of 4096 B). `key`: the 16-byte keyring key, kept here. `entropy`: os.urandom."""
        super().__init__(flash, key, entropy)
        self._registers: dukpt.Registers | None = None
        self._end = 0  # first counter of the next block: not ours yet
        self._stan = 1
        self._stans_left = 0
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
        state, used = self._newest()
        if state is None:
            self._first_load(kbpk, "key state unreadable" if used >> 1 else "no keys loaded")
            return
        try:
            self._keep_only(self._sector, used | state[RESIDUE] | 1 << self._following(self._sector))
            counter, self._stan = unpack_from(">II", state, 16)
            self._use(bytearray(memoryview(state)[STORE:TAG]), state[8:16], counter)
        finally:
            zero(state)

    def _first_load(self, kbpk: bytearray, reason: str) -> None:
        staged = bytearray(_STAGED)
        self._flash.readblocks(STAGING, staged, 0)
        block = staged[: max(0, staged.find(b"\xff"))]
        try:
            if len(block) < _LEAST:
                raise KeyringError(reason)
            self._load(kbpk, block)
        finally:
            zero(staged)
            zero(block)

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
        """The next STAN, 1..999999. Raises what `take` raises."""
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

    def renew(self, block: bytearray) -> None:
        """Replace all keys by those of a new initial key; used-up keys are no hindrance. STANs run on.

        `block`: TR-31 version D, usage B1, with an IK block, ASCII, wrapped in the update key of the keys in use (X9.24-3,
        6.4); it is zeroed here, whatever comes of it. The caller sees to it that no payment is pending, drops what it took
        ahead of the next payment and signs on again: counters start anew under another initial key id.
        Raises KeyringError when there is no update key (keys loaded before there were any) or these are the same keys
        again, CryptoError when the block does not verify, FlashFault when no sector takes the new state: then nothing has
        changed. After a FlashFault in erasing the old state the new keys hold, but none is given out until it is gone.
        """
        update = bytearray(16)
        try:
            registers = self._registers
            if registers is None:
                raise KeyringError("no keys loaded")
            update[:] = memoryview(registers.store)[dukpt.UPDATE : dukpt.STORE]
            if not any(update):
                raise KeyringError("keys without an update key")
            self._keep_only(self._sector)
            self._load(update, block)
        finally:
            zero(update)
            zero(block)

    def _load(self, key: bytearray, block: bytearray) -> None:
        """Replace what there is by the keys of the initial key that `block` holds, wrapped in `key`."""
        from kassa.crypto.tr31 import unwrap_initial_key  # hardly ever in a device's life

        initial, initial_id = unwrap_initial_key(key, block)
        store = bytearray(dukpt.STORE)
        state = bytearray(SIZE)
        try:
            dukpt.load(initial, initial_id[4:], store)
            if initial_id == self.initial_id or equal(memoryview(store)[dukpt.UPDATE :], key):
                raise KeyringError("the same keys again")
            state[8:16] = initial_id
            pack_into(">II", state, 16, 1, self._unreserved(0))
            state[STORE:TAG] = store
            self._write(state)
        finally:
            zero(initial)
            zero(state)
        self._use(store, initial_id, 1)
        self._keep_only(self._sector)

    def _use(self, store: bytearray, initial_id: bytes | bytearray, counter: int) -> None:
        """From now on these are the keys; none of them is reserved."""
        if self._registers is not None:
            zero(self._registers.store)
        self.initial_id[:] = initial_id
        self._registers = dukpt.Registers(store, initial_id[4:], counter)
        self._end = counter

    def _reserve(self) -> None:
        """Make the state AFTER the next block durable, erase every older one, and only then own the block."""
        registers = self._registers
        if registers is None:
            raise KeyringError("no keys loaded")
        self._keep_only(self._sector)
        if registers.counter < self._end:  # STANs ran out first: the rest of the key block is given up
            registers.skip_to(self._end)
        if registers.counter == dukpt.USED_UP:
            raise KeyringError("transaction counter exhausted")
        end = (registers.counter // BLOCK + 1) * BLOCK
        state = bytearray(SIZE)
        try:
            store = memoryview(state)[STORE:TAG]
            store[:] = registers.store
            ahead = dukpt.Registers(store, self.initial_id[4:], registers.counter)
            ahead.skip_to(end)
            state[8:16] = self.initial_id
            pack_into(">II", state, 16, ahead.counter, self._unreserved(BLOCK))
            self._write(state)
            self._keep_only(self._sector)
        finally:
            zero(state)
        self._end = end
        self._stans_left += BLOCK

    def _unreserved(self, more: int) -> int:
        """The first STAN not reserved, once so many more are."""
        return (self._stan + self._stans_left + more - 1) % LAST_STAN + 1
