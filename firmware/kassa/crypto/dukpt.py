# SPDX-License-Identifier: MIT
"""AES DUKPT, device side (ANSI X9.24-3:2017, section 6.3). All keys are AES-128."""

from struct import pack_into

from cryptolib import aes
from micropython import const

from kassa.crypto.wipe import wipe_cipher
from kassa.errors import KeyringError

MAC_UP = const(0x2000)
MAC_DOWN = const(0x2001)
MAC_SEAL = const(0x2002)
DATA = const(0x3000)
_DERIVE = const(0x8000)
_MAX_ONES = const(16)
_FULL = const(0xFFFF)  # the lowest counter with that many ones
_ZERO = bytes(16)


class Registers:
    """The intermediate keys, and the next counter to be used.

    After FFFF0000, the last, the counter is 1 << 32 (exhausted).
    """

    def __init__(self, store: bytearray | memoryview, device: bytes | bytearray, counter: int) -> None:
        """`store`: 528 B, modified in place. `device`: the 4-byte device id, second half of the initial key id.

        `counter`: the next counter to be used.
        """
        self.store = store
        self.counter = counter
        self._view = memoryview(store)
        # derivation data, X9.24-3 table 2: version 1, first block, usage, AES-128, 128 bits, device id, counter
        self._data = bytearray(b"\x01\x01\x00\x00\x00\x02\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00")
        self._data[8:12] = device
        self._at = 0  # offset of the counter's register
        self._own = self._view[:16]

    def take(self, usage: int, key: bytearray, usage2: int, key2: bytearray) -> int:
        """Derive two working keys for the next counter into `key` and `key2` (16 B each), and return that counter.

        Advances the counter. Raises KeyringError if the counter is exhausted. After any error the counter is unchanged
        and the call may be repeated.
        """
        self._choose()
        return self._derive(usage, key, usage2, key2)

    def _choose(self) -> None:
        """Select the register of the current counter: that of its lowest one bit.

        Kept separate from `_derive` for speed. MicroPython allocates the many local variables of `_derive` on the heap
        and frees them on return. A small object allocated before that call puts this block behind the existing garbage,
        so later allocations need not search through it (a third of the instructions in a large heap).
        """
        counter = self.counter
        if counter >> 32:
            raise KeyringError("transaction counter exhausted")
        at = 0
        bit = 1
        while not counter & bit:
            at += 16
            bit <<= 1
        self._at = at
        self._own = self._view[at : at + 16]

    def _derive(self, usage: int, key: bytearray, usage2: int, key2: bytearray) -> int:
        counter = self.counter
        data = self._data
        step = 1
        cipher = aes(self._own, 1)
        try:
            if self._at and not self._expand(cipher, self._at, counter):
                step = counter & -counter
            pack_into(">I", data, 12, counter)
            data[2] = usage >> 8
            data[3] = usage & 0xFF
            cipher.encrypt(data, key)
            data[2] = usage2 >> 8
            data[3] = usage2 & 0xFF
            cipher.encrypt(data, key2)
        finally:
            wipe_cipher(cipher)
        self.counter = counter + step
        self._own[:] = _ZERO
        return counter

    def _expand(self, cipher: aes, end: int, counter: int) -> bool:
        """Fill the registers before byte `end` with the child keys of `cipher`'s key. Returns whether there are any.

        A counter with sixteen ones has no children. If there are children, the next counter is counter + 1. Otherwise
        it is counter + its lowest one bit: all counters in between have more than sixteen ones, and that sum has no
        more ones than the counter.
        """
        if counter >= _FULL:
            ones = 0
            rest = counter
            while rest:
                rest &= rest - 1
                ones += 1
            if ones == _MAX_ONES:
                return False
        data = self._data
        view = self._view
        data[2] = _DERIVE >> 8
        data[3] = 0
        bit = 1
        at = 0
        while at < end:
            pack_into(">I", data, 12, counter | bit)
            cipher.encrypt(data, view[at : at + 16])
            bit <<= 1
            at += 16
        return True

    def skip_to(self, target: int) -> None:
        """Advance to the first valid counter >= `target` without deriving the keys in between; skips whole subtrees.

        After the last counter, all registers are zero.
        """
        while self.counter < target and not self.counter >> 32:
            self._choose()
            counter = self.counter
            step = counter & -counter
            if counter + step > target and self._at:
                cipher = aes(self._own, 1)
                try:
                    if self._expand(cipher, self._at, counter):
                        step = 1
                finally:
                    wipe_cipher(cipher)
            self.counter = counter + step
            self._own[:] = _ZERO
