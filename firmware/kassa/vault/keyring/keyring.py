# SPDX-License-Identifier: MIT
"""The keys in flash: DUKPT registers, always ahead of the keys in use, older copies erased first. Layout: docs/keys.md."""

from struct import pack_into

from micropython import const

from kassa.errors import KeyringError
from kassa.vault.keyring.key_state import KeyState

_LAST_STAN = const(999999)


class Keyring(KeyState):
    """Gives out transaction keys and STANs, each once. Reserves a block at the first use after boot."""

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
        from kassa.vault.keyring import key_load  # at boot, and hardly ever after it

        key_load.load(self, kbpk)

    # -- use --------------------------------------------------------------------------------------------------------

    def take(self, usage: int, key: bytearray, usage2: int, key2: bytearray) -> int:
        """The next transaction counter, with two of its working keys (16 B each) in `key` and `key2`. The caller zeroes them.

        Raises KeyringError when no keys were loaded or they are used up, FlashFault when a block cannot be reserved.
        """
        if self.registers is None:
            raise KeyringError("no keys loaded")
        if self.registers.counter >= self.end:
            self._reserve()
        return self.registers.take(usage, key, usage2, key2)

    def ahead(self) -> None:
        """Reserve a block if none is left, before memory gets scarce. Raises what `take` raises."""
        if self.registers is None:
            raise KeyringError("no keys loaded")
        if self.registers.counter >= self.end or not self.stans_left:
            self._reserve()

    def loaded(self) -> bool:
        """Whether there are keys at all."""
        return self.registers is not None

    def next_stan(self) -> int:
        """The next STAN, 1..999999. Raises what `take` raises."""
        if self.registers is None:
            raise KeyringError("no keys loaded")
        if not self.stans_left:
            self._reserve()
        stan = self.stan
        self.stan = stan % _LAST_STAN + 1
        self.stans_left -= 1
        return stan

    def ksn(self, counter: int, into: bytearray | memoryview, at: int) -> None:
        """Write the 12-byte KSN of a counter."""
        into[at : at + 8] = self.initial_id
        pack_into(">I", into, at + 8, counter)

    def pass_over(self, used: int) -> None:
        """Never hand out a counter up to `used` again: an older state of this chip, or a copy of it, has shown them to the host.

        Durable with the next block, which the next key taken reserves.
        """
        registers = self.registers
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
        from kassa.vault.keyring import key_load

        key_load.renew(self, block)

    def _reserve(self) -> None:
        from kassa.vault.keyring import reservation  # once in 2048 keys

        reservation.reserve(self)
