# SPDX-License-Identifier: MIT
"""AES DUKPT as the device runs it (ANSI X9.24-3:2017, section 6.3), AES-128 keys throughout."""

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
_FULL = const(0xFFFF)  # the first counter with so many
_ZERO = bytes(16)


class Registers:
    """The intermediate keys, and the counter that is used next; after FFFF0000, the last, it is 1 << 32: used up."""

    def __init__(self, store: bytearray | memoryview, device: bytes | bytearray, counter: int) -> None:
        """`store`: 528 B, owned and changed here. `device`: the 4-byte device id, second half of the initial key id."""
        self.store = store
        self.counter = counter
        self._view = memoryview(store)
        # derivation data of X9.24-3 table 2: version 1, first block, usage, AES-128, 128 bits, device id, counter
        self._data = bytearray(b"\x01\x01\x00\x00\x00\x02\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00")
        self._data[8:12] = device
        self._at = 0  # where the counter's register is
        self._own = self._view[:16]

    def take(self, usage: int, key: bytearray, usage2: int, key2: bytearray) -> int:
        """Derive the next counter's two working keys into `key` and `key2` (16 B each), move on, and return that counter.

        Raises KeyringError when the last one is used up. After any error the counter is not moved and a second try is right.
        """
        self._choose()
        return self._derive(usage, key, usage2, key2)

    def _choose(self) -> None:
        """Find the register of the counter.

        Apart from `_derive`, whose many names MicroPython keeps on the heap and gives back when it returns: a small object
        made before makes that room lie behind the garbage there is, so that nothing has to search through it (a third of
        the instructions in a large heap).
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
        """Fill the registers before byte `end` with the children of its key; False: a counter of sixteen ones has none.

        With children, the next counter is one more; without, it is the sum of counter and lowest bit: all between have
        more than sixteen ones, and the sum has no more than the counter.
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
        """Advance to the first valid counter >= `target` without using the keys between; whole subtrees are dropped unseen.

        Past the last counter all registers are zero.
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
