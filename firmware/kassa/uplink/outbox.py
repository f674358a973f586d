# SPDX-License-Identifier: MIT
"""Builds each outgoing frame under a fresh message KSN, and enters it in the table of messages in flight."""

from micropython import const

from kassa import transactions
from kassa.crypto.dukpt import MAC_DOWN, MAC_UP
from kassa.crypto.wipe import zero
from kassa.errors import WireError
from kassa.money import pack_bcd
from kassa.uplink import build_requests
from kassa.uplink.identity import Identity
from kassa.uplink.in_flight import HANDSHAKE, REVERSAL, WINDOW, InFlight
from kassa.uplink.iso8583 import Writer
from kassa.vault.journal.journal import Journal
from kassa.vault.keyring.keyring import Keyring

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Entropy

_HANDSHAKE_CODE = const(900)  # 60.3


class Outbox:
    """A frame is valid until the next one is built. Every method that builds one can raise KeyringError and FlashFault."""

    def __init__(
        self, journal: Journal, keyring: Keyring, identity: Identity, in_flight: InFlight, entropy: "Entropy"
    ) -> None:
        self._journal = journal
        self._keyring = keyring
        self._identity = identity
        self.in_flight = in_flight
        self._entropy = entropy
        self._writer = Writer()
        self._ksn = bytearray(12)
        self._key = bytearray(16)

    def payment(
        self, purpose: int, kind: int, record: bytearray, sequence: int, amount: int, original: "Bytes" = b""
    ) -> memoryview:
        """A payment message with a sealed record. `kind`: 60.1.

        `amount`: subtracted from the pending sum at the final answer. `original`: batch and STAN of the original payment.
        """
        row = transactions.row(kind)
        return self.with_record(purpose, row[1] << 8 | row[2], kind, record, sequence, amount, original)

    def reversal(self, reason: bytes, record: bytearray, sequence: int) -> memoryview:
        """0400 for a record. `reason`: DE 39."""
        itself = record[35:38] + record[32:35]
        return self.with_record(REVERSAL, 0x0400, record[1], record, sequence, 0, itself, reason)

    def handshake(self) -> memoryview:
        """0800 with sequence and seal tag of the newest record."""
        from kassa.uplink import sign_on

        free = sign_on.form(self._journal.state, self._journal.head)
        return self.manage(HANDSHAKE, 0x0800, _HANDSHAKE_CODE, free)

    def manage(self, purpose: int, mti: int, network: int, free: "Bytes") -> memoryview:
        """08xx with a fresh STAN and uid."""
        return self.management(purpose, mti, network, self.new_stan(), self._entropy(16), free, b"", 0)

    def new_stan(self) -> int:
        """A fresh STAN, for a message without a record."""
        return self._keyring.next_stan()

    def management(
        self, purpose: int, mti: int, network: int, stan: int, uid: "Bytes", free: "Bytes", totals: "Bytes", count: int
    ) -> memoryview:
        """See messages.management. A repeated message must keep its STAN and uid."""
        digits = bytearray(3)
        pack_bcd(stan, digits, 0, 3)
        self._flight(purpose, mti, 0, 0, bytes(uid) + digits)
        batch = self._journal.state.batch
        try:
            return build_requests.management(
                self._writer, self._identity, mti, network, stan, batch, uid, self._ksn, self._key, free, totals, count
            )
        finally:
            zero(self._key)

    def with_record(
        self, purpose: int, mti: int, kind: int, record: bytearray, sequence: int, amount: int,
        original: "Bytes", reason: bytes = b"", network: int = 0,
    ) -> memoryview:  # fmt: skip
        """See messages.with_record. `sequence`: of `record`."""
        self._flight(purpose, mti, sequence, amount, record[8:24] + record[32:35] + record[24:30])
        try:
            return build_requests.with_record(
                self._writer, self._identity, mti, kind, memoryview(record), self._ksn, self._key, original, reason,
                network,
            )  # fmt: skip
        finally:
            zero(self._key)

    def _flight(self, purpose: int, mti: int, sequence: int, amount: int, echo: "Bytes") -> None:
        """Take a message KSN, and a slot for an answer that must repeat `echo`. The caller zeroes `_key`."""
        if self.in_flight.count >= WINDOW:
            raise WireError("too many in flight")
        down = bytearray(16)
        counter = self._keyring.take(MAC_UP, self._key, MAC_DOWN, down)
        slot = self.in_flight.add(purpose, counter, sequence, amount)
        self.in_flight.key(slot)[:] = down
        zero(down)
        self.in_flight.expect(slot, bytes((mti >> 8, (mti & 255) + 0x10)) + echo)
        self._keyring.ksn(counter, self._ksn, 0)
