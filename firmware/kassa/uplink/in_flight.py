# SPDX-License-Identifier: MIT
"""Messages in flight: a table of a few slots, or of a whole window where a queue needs it.

The answer key of each message is zeroed when it is answered or given up.
"""

import hashlib

from micropython import const

from kassa.crypto.wipe import zero

# What a message is for.
HANDSHAKE = const(1)
REVERSAL = const(2)
ONLINE = const(3)
QUEUED = const(4)
CLOSE = const(5)
UPLOAD = const(6)
MANAGE = const(7)

WINDOW = const(64)
_FEW = const(4)
_ECHO = const(8)  # bytes of the hash of what an answer must carry


class InFlight:
    """Slots by number, from 0 on. `purpose` 0 marks a free slot."""

    def __init__(self) -> None:
        self.count = 0
        self._keys = bytearray()
        self.purpose = bytearray()
        self._resize(_FEW)

    def _resize(self, slots: int) -> None:
        """Make the table longer; what is in flight stays."""
        kept = self.count and len(self.purpose)
        keys, purpose = bytearray(16 * slots), bytearray(slots)
        echo, numbers = bytearray(_ECHO * slots), [[0] * slots for _ in range(3)]
        if kept:
            keys[: 16 * kept], purpose[:kept], echo[: _ECHO * kept] = self._keys, self.purpose, self._echo
            numbers[0][:kept], numbers[1][:kept], numbers[2][:kept] = self.counter, self.sequence, self.amount
        zero(self._keys)
        self._keys, self.purpose, self._echo = keys, purpose, echo
        self.counter = numbers[0]  # of the message's KSN
        self.sequence = numbers[1]  # of the record it carries
        self.amount = numbers[2]  # what its final answer takes off the pending sum, 0 when it is not pending

    def room(self) -> bool:
        """Whether one more may be in flight; makes the table longer for it."""
        slots = len(self.purpose)
        if self.count == slots < WINDOW:
            self._resize(WINDOW)
        return self.count < len(self.purpose)

    def close(self) -> None:
        """The connection has ended: no answer is awaited any more."""
        self.drop_all()

    def key(self, slot: int) -> memoryview:
        """The 2001 key of a slot."""
        return memoryview(self._keys)[16 * slot : 16 * slot + 16]

    def expect(self, slot: int, echo: bytes | bytearray) -> None:
        """Note what the answer must carry: MTI, uid, STAN, a payment's amount. A hash is kept: all would take 1 KiB more."""
        self._echo[_ECHO * slot : _ECHO * slot + _ECHO] = _hash(echo)

    def echoes(self, slot: int, echo: bytes | bytearray) -> bool:
        """Whether an answer carries what was expected."""
        return self._echo[_ECHO * slot : _ECHO * slot + _ECHO] == _hash(echo)

    def add(self, purpose: int, counter: int, sequence: int, amount: int) -> int:
        """Take a free slot; -1 when all are in flight. See `room`."""
        slot = self.purpose.find(b"\x00")
        if slot >= 0:
            self.purpose[slot] = purpose
            self.counter[slot] = counter
            self.sequence[slot] = sequence
            self.amount[slot] = amount
            self.count += 1
        return slot

    def find(self, counter: int) -> int:
        """The slot of a message KSN's counter, -1 when none is in flight."""
        for slot in range(len(self.purpose)):
            if self.purpose[slot] and self.counter[slot] == counter:
                return slot
        return -1

    def holds(self, sequence: int) -> bool:
        """Whether a record is in flight."""
        for slot in range(len(self.purpose)):
            if self.purpose[slot] and self.sequence[slot] == sequence:
                return True
        return False

    def carries(self, purpose: int) -> bool:
        """Whether a message for this purpose is in flight."""
        return self.purpose.find(bytes((purpose,))) >= 0

    def drop_all(self, purpose: int = 0) -> None:
        """Free every slot, or those for one purpose."""
        for slot in range(len(self.purpose)):
            if self.purpose[slot] and purpose in (0, self.purpose[slot]):
                self.drop(slot)

    def drop_request(self) -> None:
        """Expect no answer to the online request any more."""
        self.drop_all(ONLINE)

    def drop(self, slot: int) -> None:
        """Free a slot and zero its key."""
        zero(self.key(slot))
        self.purpose[slot] = 0
        self.count -= 1


def _hash(data: bytes | bytearray) -> bytes:
    return hashlib.sha256(data).digest()[:_ECHO]
