# SPDX-License-Identifier: MIT
"""AES DUKPT as the device runs it (ANSI X9.24-3:2017, section 6.3), AES-128 keys throughout."""

from struct import pack_into

from cryptolib import aes
from micropython import const

from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import KeyringError

PIN = const(0x1000)
MAC_UP = const(0x2000)
MAC_DOWN = const(0x2001)
MAC_SEAL = const(0x2002)
DATA = const(0x3000)
_DERIVATION = const(0x8000)
_LAST = const(0xFFFF0000)  # the last valid transaction counter
_MAX_ONES = const(16)
REGISTERS = const(32)


def ones(counter: int) -> int:
    """How many bits of the counter are set."""
    count = 0
    while counter:
        counter &= counter - 1
        count += 1
    return count


def lowest(counter: int) -> int:
    """The index of the lowest set bit of a counter > 0."""
    index = 0
    while not counter >> index & 1:
        index += 1
    return index


def after(counter: int) -> int:
    """The next valid counter: one more, skipping those with more than sixteen ones. Raises KeyringError past the last."""
    counter += 1
    while ones(counter) > _MAX_ONES:
        counter += counter & -counter
    if counter > _LAST:
        raise KeyringError("transaction counter exhausted")
    return counter


def _data(into: bytearray | memoryview, at: int, usage: int, context: bytes | bytearray, counter: int) -> None:
    """The 16 bytes of derivation data of X9.24-3 table 2: version 1, first block, usage, AES-128, 128 bits, context, counter."""
    pack_into(">BBHHH", into, at, 1, 1, usage, 2, 128)
    into[at + 8 : at + 12] = context
    pack_into(">I", into, at + 12, counter)


def load(initial: bytes | bytearray, device: bytes, store: bytearray) -> None:
    """Fill the 32 registers (512 B) from the initial key; register i is the key of counter 1 << i."""
    for index in range(REGISTERS):
        _data(store, 16 * index, _DERIVATION, device, 1 << index)
    cipher = aes(initial, 1)
    try:
        cipher.encrypt(store, store)
    finally:
        wipe_cipher(cipher)


class Registers:
    """The intermediate keys and the counter that is used next."""

    def __init__(self, store: bytearray | memoryview, device: bytes, counter: int) -> None:
        """`store`: 512 B, owned and changed here. `device`: the 4-byte device id, second half of the initial key id."""
        self.store = store
        self.device = device
        self.counter = counter
        self._work = bytearray(32)

    def take(self, usage: int, key: bytearray, usage2: int, key2: bytearray) -> int:
        """Derive the next counter's two working keys into `key` and `key2` (16 B each), move on, and return that counter."""
        counter = self.counter
        following = after(counter)
        work = self._work
        register = lowest(counter)
        view = memoryview(self.store)
        own = view[16 * register : 16 * register + 16]
        cipher = aes(own, 1)
        try:
            _data(work, 0, usage, self.device, counter)
            _data(work, 16, usage2, self.device, counter)
            cipher.encrypt(work, work)
            key[:] = work[:16]
            key2[:] = work[16:]
            self._expand(cipher, register, counter)
        finally:
            wipe_cipher(cipher)
            zero(work)
            zero(own)
        self.counter = following
        return counter

    def _expand(self, cipher: aes, register: int, counter: int) -> None:
        """Fill the registers below `register` with the children of its key."""
        if register and ones(counter) < _MAX_ONES:
            for index in range(register):
                _data(self.store, 16 * index, _DERIVATION, self.device, counter | 1 << index)
            below = memoryview(self.store)[: 16 * register]
            cipher.encrypt(below, below)

    def skip_to(self, target: int) -> None:
        """Advance to the first valid counter >= `target` without using the keys between; whole subtrees are dropped unseen."""
        view = memoryview(self.store)
        while self.counter < target:
            counter = self.counter
            register = lowest(counter)
            own = view[16 * register : 16 * register + 16]
            if counter + (1 << register) > target:
                cipher = aes(own, 1)
                # a key schedule is made at first use; _expand may not use it at sixteen ones
                cipher.encrypt(self._work, self._work)
                zero(self._work)
                self._expand(cipher, register, counter)
                wipe_cipher(cipher)
                self.counter = after(counter)
            else:
                step = after(counter + (1 << register) - 1)
                if step <= counter:
                    raise KeyringError("transaction counter exhausted")
                self.counter = step
            zero(own)
