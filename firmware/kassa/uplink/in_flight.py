# SPDX-License-Identifier: MIT
"""The table of messages in flight, sent and not answered: a few slots, or a whole window if the queue needs it.

The key of each answer is zeroed when the answer arrives or is no longer expected.
"""

import hashlib

from micropython import const

from kassa.crypto.wipe import zero

# Purposes of messages.
HANDSHAKE = const(1)
REVERSAL = const(2)
ONLINE = const(3)
QUEUED = const(4)
CLOSE = const(5)
UPLOAD = const(6)
MANAGE = const(7)

WINDOW = const(64)
_FEW = const(4)
_ECHO = const(8)  # bytes kept of the hash over what an answer must repeat


class InFlight:
    """Slots are numbered from 0. A slot with `purpose` 0 is free."""

    def __init__(self) -> None:
        self.count = 0
        self._keys = bytearray()
        self.purpose = bytearray()
        self._resize(_FEW)

    def _resize(self, slots: int) -> None:
        """Enlarge the table; messages in flight keep their slots."""
        kept = self.count and len(self.purpose)
        keys, purpose = bytearray(16 * slots), bytearray(slots)
        echo, numbers = bytearray(_ECHO * slots), [[0] * slots for _ in range(3)]
        if kept:
            keys[: 16 * kept], purpose[:kept], echo[: _ECHO * kept] = self._keys, self.purpose, self._echo
            numbers[0][:kept], numbers[1][:kept], numbers[2][:kept] = self.counter, self.sequence, self.amount
        zero(self._keys)
        self._keys, self.purpose, self._echo = keys, purpose, echo
        self.counter = numbers[0]  # transaction counter of the message KSN
        self.sequence = numbers[1]  # of the record in the message
        self.amount = numbers[2]  # subtracted from the pending sum at the final answer, 0 if not pending

    def room(self) -> bool:
        """Whether there is room for one more message. Enlarges the table if necessary."""
        slots = len(self.purpose)
        if self.count == slots < WINDOW:
            self._resize(WINDOW)
        return self.count < len(self.purpose)

    def close(self) -> None:
        """Drop every message: the connection has ended."""
        self.drop_all()

    def key(self, slot: int) -> memoryview:
        """The key that verifies the answer (usage 2001) of a slot."""
        return memoryview(self._keys)[16 * slot : 16 * slot + 16]

    def expect(self, slot: int, echo: bytes | bytearray) -> None:
        """Store a hash of what the answer must repeat: MTI, uid, STAN, a payment's amount. In full they would take 1 KiB more."""
        self._echo[_ECHO * slot : _ECHO * slot + _ECHO] = _hash(echo)

    def echoes(self, slot: int, echo: bytes | bytearray) -> bool:
        """Whether `echo`, taken from an answer, is what `expect` stored."""
        return self._echo[_ECHO * slot : _ECHO * slot + _ECHO] == _hash(echo)

    def add(self, purpose: int, counter: int, sequence: int, amount: int) -> int:
        """Take a free slot and return its number, -1 if there is none. Call `room` first."""
        slot = self.purpose.find(b"\x00")
        if slot >= 0:
            self.purpose[slot] = purpose
            self.counter[slot] = counter
            self.sequence[slot] = sequence
            self.amount[slot] = amount
            self.count += 1
        return slot

    def find(self, counter: int) -> int:
        """The slot of the message with this transaction counter, -1 if there is none."""
        for slot in range(len(self.purpose)):
            if self.purpose[slot] and self.counter[slot] == counter:
                return slot
        return -1

    def holds(self, sequence: int) -> bool:
        """Whether a message with this record is in flight."""
        for slot in range(len(self.purpose)):
            if self.purpose[slot] and self.sequence[slot] == sequence:
                return True
        return False

    def carries(self, purpose: int) -> bool:
        """Whether a message with this purpose is in flight."""
        return self.purpose.find(bytes((purpose,))) >= 0

    def drop_all(self, purpose: int = 0) -> None:
        """Free every slot, or those of one purpose."""
        for slot in range(len(self.purpose)):
            if self.purpose[slot] and purpose in (0, self.purpose[slot]):
                self.drop(slot)

    def drop_request(self) -> None:
        """Stop expecting an answer to the online request."""
        self.drop_all(ONLINE)

    def drop(self, slot: int) -> None:
        """Free a slot and zero its key."""
        zero(self.key(slot))
        self.purpose[slot] = 0
        self.count -= 1


def _hash(data: bytes | bytearray) -> bytes:
    return hashlib.sha256(data).digest()[:_ECHO]
