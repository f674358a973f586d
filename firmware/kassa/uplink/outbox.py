# SPDX-License-Identifier: MIT
"""Builds each frame that leaves, under a fresh message KSN, and enters it into the table of flights."""

from micropython import const

from kassa.crypto.dukpt import MAC_DOWN, MAC_UP
from kassa.crypto.wipe import zero
from kassa.errors import WireError
from kassa.money import pack_bcd
from kassa.uplink import messages
from kassa.uplink.flights import WINDOW, Flights
from kassa.uplink.iso8583 import Writer
from kassa.uplink.messages import Identity
from kassa.vault.journal import Journal
from kassa.vault.keyring import Keyring

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Entropy

# What a flight is for.
HANDSHAKE = const(1)
REVERSAL = const(2)
ONLINE = const(3)
QUEUED = const(4)
CLOSE = const(5)
ADVICE = const(6)  # like QUEUED, in a 0220


class Outbox:
    """Frames are valid until the next one is built. Every call raises KeyringError or FlashFault when keys run out."""

    def __init__(self, journal: Journal, keyring: Keyring, who: Identity, flights: Flights, entropy: "Entropy") -> None:
        self._journal = journal
        self._keyring = keyring
        self._who = who
        self._flights = flights
        self._entropy = entropy
        self._writer = Writer()
        self._ksn = bytearray(12)
        self._key = bytearray(16)
        self._close_uid = bytearray(16)
        self._close_stan = 0  # 0: the next batch close is a new message, not a repeat

    def payment(
        self, purpose: int, kind: int, record: bytearray, sequence: int, amount: int, original: "Bytes" = b""
    ) -> memoryview:
        """A record as it is sealed, `kind` = 60.1. `amount`: what its final answer takes off the pending sum.

        `original`: batch and STAN of the payment it is about.
        """
        self._record_flight(purpose, record, sequence, amount)
        try:
            return messages.payment(self._writer, self._who, kind, memoryview(record), self._ksn, self._key, original)
        finally:
            zero(self._key)

    def reversal(self, reason: bytes, record: bytearray, sequence: int) -> memoryview:
        """0400 for a record; `reason` = DE 39."""
        self._record_flight(REVERSAL, record, sequence, 0)
        try:
            return messages.reversal(self._writer, self._who, reason, memoryview(record), self._ksn, self._key)
        finally:
            zero(self._key)

    def handshake(self) -> memoryview:
        """0800 with the journal's newest record."""
        free = messages.handshake(self._journal.state, self._journal.head)
        uid = self._entropy(16)
        return self._management(HANDSHAKE, 0x0800, 900, self._keyring.next_stan(), uid, free, b"")

    def new_close(self) -> None:
        """The next batch close is a message of its own, with a STAN and uid of its own."""
        self._close_stan = 0

    def close(self, totals: "Bytes") -> memoryview:
        """0500; sent again it keeps STAN and uid."""
        if not self._close_stan:
            self._close_uid[:] = self._entropy(16)
            self._close_stan = self._keyring.next_stan()
        return self._management(CLOSE, 0x0500, 201, self._close_stan, self._close_uid, b"", totals)

    def _management(
        self, purpose: int, mti: int, network: int, stan: int, uid: "Bytes", free: "Bytes", totals: "Bytes"
    ) -> memoryview:
        digits = bytearray(3)
        pack_bcd(stan, digits, 0, 3)
        self._flight(purpose, 0, 0, bytes(uid) + digits)
        batch = self._journal.state.batch
        try:
            return messages.management(
                self._writer, self._who, mti, network, stan, batch, uid, self._ksn, self._key, free, totals
            )
        finally:
            zero(self._key)

    def _record_flight(self, purpose: int, record: bytearray, sequence: int, amount: int) -> None:
        self._flight(purpose, sequence, amount, record[8:24] + record[32:35] + record[24:30])

    def _flight(self, purpose: int, sequence: int, amount: int, echo: bytes | bytearray) -> None:
        """Take a message KSN and a slot for an answer that carries `echo`. The caller zeroes the key."""
        if self._flights.count >= WINDOW:
            raise WireError("too many in flight")
        down = bytearray(16)
        counter = self._keyring.take(MAC_UP, self._key, MAC_DOWN, down)
        slot = self._flights.add(purpose, counter, sequence, amount)
        self._flights.key(slot)[:] = down
        zero(down)
        self._flights.expect(slot, echo)
        self._keyring.ksn(counter, self._ksn, 0)
