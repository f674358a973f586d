# SPDX-License-Identifier: MIT
"""Builds each frame that leaves, under a fresh message KSN, and enters it into the table of flights."""

from micropython import const

from kassa import transactions
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
UPLOAD = const(6)
MANAGE = const(7)
_CLOSE = const(201)  # values of 60.3
_UPLOAD_END = const(202)
_PAID = const(205)
_NOT_PAID = const(206)
_HANDSHAKE = const(900)


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
        self._end_uid = bytearray(16)
        self._end_stan = 0  # likewise

    def payment(
        self, purpose: int, kind: int, record: bytearray, sequence: int, amount: int, about: "Bytes" = b""
    ) -> memoryview:
        """A record as it is sealed, `kind` = 60.1. `amount`: what its final answer takes off the pending sum.

        `about`: batch and STAN of the payment it is about.
        """
        row = transactions.row(kind)
        return self._carrying(purpose, row[1] << 8 | row[2], kind, record, sequence, amount, about)

    def reversal(self, reason: bytes, record: bytearray, sequence: int) -> memoryview:
        """0400 for a record; `reason` = DE 39."""
        itself = record[35:38] + record[32:35]
        return self._carrying(REVERSAL, 0x0400, record[1], record, sequence, 0, itself, reason)

    def upload(self, record: bytearray, sequence: int, paid: bool) -> memoryview:
        """0320 of a record of the batch that did not balance; `paid`: with a final yes."""
        itself = record[35:38] + record[32:35]
        network = _PAID if paid else _NOT_PAID
        return self._carrying(UPLOAD, 0x0320, record[1], record, sequence, 0, itself, b"", network)

    def handshake(self) -> memoryview:
        """0800 with the journal's newest record."""
        free = messages.handshake(self._journal.state, self._journal.head)
        return self.manage(HANDSHAKE, 0x0800, _HANDSHAKE, free)

    def manage(self, purpose: int, mti: int, network: int, free: "Bytes") -> memoryview:
        """08xx with a STAN and uid of its own."""
        return self._management(purpose, mti, network, self._keyring.next_stan(), self._entropy(16), free, b"", 0)

    def new_close(self) -> None:
        """The next batch close is a message of its own, with a STAN and uid of its own; so is the end of its upload."""
        self._close_stan = self._end_stan = 0

    def close(self, totals: "Bytes") -> memoryview:
        """0500; sent again it keeps STAN and uid."""
        if not self._close_stan:
            self._close_uid[:] = self._entropy(16)
            self._close_stan = self._keyring.next_stan()
        return self._management(CLOSE, 0x0500, _CLOSE, self._close_stan, self._close_uid, b"", totals, 62)

    def upload_end(self, count: int) -> memoryview:
        """0320 that ends a batch upload of `count` records; sent again it keeps STAN and uid."""
        if not self._end_stan:
            self._end_uid[:] = self._entropy(16)
            self._end_stan = self._keyring.next_stan()
        digits = bytearray(2)
        pack_bcd(count % 10000, digits, 0, 2)
        return self._management(CLOSE, 0x0320, _UPLOAD_END, self._end_stan, self._end_uid, b"", digits, 4)

    def _management(
        self, purpose: int, mti: int, network: int, stan: int, uid: "Bytes", free: "Bytes", totals: "Bytes", count: int
    ) -> memoryview:
        digits = bytearray(3)
        pack_bcd(stan, digits, 0, 3)
        self._flight(purpose, mti, 0, 0, bytes(uid) + digits)
        batch = self._journal.state.batch
        try:
            return messages.management(
                self._writer, self._who, mti, network, stan, batch, uid, self._ksn, self._key, free, totals, count
            )
        finally:
            zero(self._key)

    def _carrying(
        self, purpose: int, mti: int, kind: int, record: bytearray, sequence: int, amount: int,
        about: "Bytes", reason: bytes = b"", network: int = 0,
    ) -> memoryview:  # fmt: skip
        self._flight(purpose, mti, sequence, amount, record[8:24] + record[32:35] + record[24:30])
        try:
            return messages.carrying(
                self._writer, self._who, mti, kind, memoryview(record), self._ksn, self._key, about, reason, network
            )
        finally:
            zero(self._key)

    def _flight(self, purpose: int, mti: int, sequence: int, amount: int, echo: "Bytes") -> None:
        """Take a message KSN and a slot for an answer that carries `echo`. The caller zeroes the key."""
        if self._flights.count >= WINDOW:
            raise WireError("too many in flight")
        down = bytearray(16)
        counter = self._keyring.take(MAC_UP, self._key, MAC_DOWN, down)
        slot = self._flights.add(purpose, counter, sequence, amount)
        self._flights.key(slot)[:] = down
        zero(down)
        self._flights.expect(slot, bytes((mti >> 8, (mti & 255) + 0x10)) + echo)
        self._keyring.ksn(counter, self._ksn, 0)
