# SPDX-License-Identifier: MIT
"""Sends records once more (0320), each with whether it was paid: a batch that did not balance, or to a host that is behind.

Loaded on demand.
"""

from micropython import const

from kassa.uplink.in_flight import MANAGE, UPLOAD
from kassa.uplink.management import status
from kassa.uplink.outbox import Outbox
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions, decided
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.reader import Reader, dispositions_above

_PAID = const(205)  # values of 60.3
_NOT_PAID = const(206)
_ALL_SENT = const(901)


class Upload:
    """The records above `after` that the journal still holds and that have their final answer. `count`: those sent so far."""

    def __init__(self, journal: Journal, after: int) -> None:
        state = journal.state
        after = max(after, state.sequence - journal.ring.sectors * layout.PAGES, 0)  # older ones are erased
        self.count = 0
        self._journal = journal
        self._last = state.sequence
        self._reader = Reader(journal, after + 1)
        self._dispositions = Dispositions()
        self._dispositions.clear(after)
        for sequence, kind in dispositions_above(journal, after):
            self._dispositions.set(sequence, kind)

    def record(self, outbox: Outbox, page: bytearray) -> memoryview | None:
        """The frame of the next record; None when there are no more. `page`: buffer for one page of the journal."""
        while True:
            sequence = self._reader.read(page)
            if not sequence or sequence > self._last:
                return None
            kind = self._dispositions.get(sequence)
            if sequence <= self._journal.state.watermark or decided(kind):
                self.count += 1
                network = _NOT_PAID if kind in layout.NOT_PAID else _PAID
                itself = page[35:38] + page[32:35]
                return outbox.with_record(UPLOAD, 0x0320, page[1], page, sequence, 0, itself, b"", network)

    def frame(self, outbox: Outbox, page: bytearray) -> memoryview | None:
        """The next frame to a host that is behind: each record, then the state of the journal, up to where all is final."""
        record = self.record(outbox, page)
        if record is not None or outbox.in_flight.count:
            return record
        return outbox.manage(MANAGE, 0x0820, _ALL_SENT, status(self._journal))
