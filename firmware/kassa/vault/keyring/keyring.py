# SPDX-License-Identifier: MIT
"""The DUKPT keys. Flash holds registers ahead of the keys in use; older ones are erased first. Layout: docs/keys.md."""

from struct import pack_into

from micropython import const

from kassa.errors import KeyringError
from kassa.vault.keyring.key_state import KeyState

_LAST_STAN = const(999999)


class Keyring(KeyState):
    """Issues transaction keys and STANs, each once. Reserves a block of them at the first use after boot."""

    # -- boot -------------------------------------------------------------------------------------------------------

    def open(self, kbpk: bytearray) -> None:
        """Load the newest state, or the staged initial key if there is none, and finish an interrupted erase.

        Reads the first bytes of all sectors, both copies of the state, and all pages of the sectors that may hold
        something else. These are the sectors that the state names as not yet erased (with the previous state, or that
        did not take the new one), the next in turn (an interrupted reservation), and any whose beginning is not blank.
        This is enough, because `_reserve` reads all pages of every sector before any key is issued.

        Nothing is erased unless a state was read. Raises KeyringError when there is neither a state nor a staged key,
        CryptoError when the staged block does not verify, FlashFault when an older state can neither be erased nor
        overwritten.
        """
        from kassa.vault.keyring import key_load  # needed at boot and seldom later

        key_load.load(self, kbpk)

    # -- use --------------------------------------------------------------------------------------------------------

    def take(self, usage: int, key: bytearray, usage2: int, key2: bytearray) -> int:
        """Issue the next transaction counter and two of its working keys, written to `key` and `key2` (16 B each).

        `usage`, `usage2`: working key usages (docs/keys.md). Returns the counter. The caller zeroes the keys.
        Raises KeyringError when no keys are loaded or all are used up, FlashFault when no block can be reserved.
        """
        if self.registers is None:
            raise KeyringError("no keys loaded")
        if self.registers.counter >= self.end:
            self._reserve()
        return self.registers.take(usage, key, usage2, key2)

    def reserve_ahead(self) -> None:
        """Reserve a block if none is left, while memory is still free. Raises what `take` raises."""
        if self.registers is None:
            raise KeyringError("no keys loaded")
        if self.registers.counter >= self.end or not self.stans_left:
            self._reserve()

    def loaded(self) -> bool:
        """Whether keys are loaded."""
        return self.registers is not None

    def next_stan(self) -> int:
        """Issue the next STAN, 1..999999. Raises what `take` raises."""
        if self.registers is None:
            raise KeyringError("no keys loaded")
        if not self.stans_left:
            self._reserve()
        stan = self.stan
        self.stan = stan % _LAST_STAN + 1
        self.stans_left -= 1
        return stan

    def ksn(self, counter: int, into: bytearray | memoryview, at: int) -> None:
        """Write the 12-byte KSN of `counter` into `into` at offset `at`."""
        into[at : at + 8] = self.initial_id
        pack_into(">I", into, at + 8, counter)

    def skip_used(self, used: int) -> None:
        """Skip all counters up to `used`, which the host has already seen from a newer state or a copy of this chip.

        The next key reserves a block, which makes this durable.
        """
        registers = self.registers
        if registers is not None and registers.counter <= used:
            registers.skip_to(used + 1)

    def renew(self, block: bytearray) -> None:
        """Replace all keys by those of a new initial key. Works with used-up keys too. STANs continue.

        `block`: TR-31 version D, usage B1, with an IK block, ASCII, wrapped under the update key of the current keys
        (X9.24-3, 6.4). It is always zeroed here. The caller ensures that no payment is pending, drops the key prepared
        ahead, and signs on again: counters start again under another initial key id.

        Raises KeyringError when there is no update key (state of format 1) or when the keys are the same again,
        CryptoError when the block does not verify, FlashFault when no sector takes the new state; then nothing has
        changed. After a FlashFault while the old state is erased, the new keys are in use, but none is issued until
        the old state is gone.
        """
        from kassa.vault.keyring import key_load

        key_load.renew(self, block)

    def _reserve(self) -> None:
        from kassa.vault.keyring import reservation  # once in 2048 keys

        reservation.reserve(self)
