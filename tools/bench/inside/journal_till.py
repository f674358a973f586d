# SPDX-License-Identifier: MIT
"""A till with our journal alone: pays, settles, closes batches, and erases ahead when it is idle."""

from tally import CHIP, Tally

from kassa.crypto.sealing import Sealer
from kassa.vault.journal import layout
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.journal import Journal

KEY = b"journal key 16 B"
WAITING = 10  # payments not settled at any time
_RING = CHIP // layout.SECTOR * (layout.PAGES - 1)  # records a ring can hold
_BATCH = 500  # payments a batch
_LAP_WINDOW = 64


class Shop:
    """Each call is one thing a till does; `tally` counts. Without `idles`, it is never idle."""

    def __init__(self, idles: bool = True) -> None:
        self.tally = Tally()
        self.journal = Journal(self.tally.flash, bytearray(KEY))
        self._draft = Draft()
        self._idles = idles
        self._settled = 0  # sequence
        self.idle()

    def idle(self) -> None:
        """Blank sectors ahead."""
        while self._idles and self.journal.prepare():
            pass

    def pay(self) -> None:
        """One deferred payment. Raises JournalFull."""
        pay(self.tally, self.journal, self._draft)
        self.idle()

    def waiting(self) -> int:
        """Payments not settled."""
        return self.journal.state.sequence - self._settled

    def settle(self, payments: int) -> None:
        """The host said yes to the oldest ones: one mark. Every 500 payments it closes the batch too: two marks."""
        journal = self.journal
        before = self._settled
        self._settled = last = before + payments
        journal.mark(layout.WATERMARK, last, released=[self._draft.amount] * payments)
        if last // _BATCH > before // _BATCH:
            journal.mark(layout.CLOSING, last)
            journal.mark(layout.CLOSED, last)
        self.idle()

    def trade(self, payments: int, window: int) -> None:
        """Pay, and settle a window at a time; ten wait in between."""
        for _ in range(payments):
            self.pay()
            while self.waiting() >= WAITING + window:
                self.settle(window)

    def lap(self) -> None:
        """Trade until every sector was used, and count from there."""
        self.trade(_RING, _LAP_WINDOW)
        if self.waiting() > WAITING:
            self.settle(self.waiting() - WAITING)
        self.tally.start()


def pay(tally: Tally, journal: Journal, draft: Draft) -> None:
    """One deferred payment, with the keys every other one has too."""
    sealer = Sealer(b"body key of 16 B", b"seal key of 16 B", draft.nonce)
    tally.pay(lambda: journal.accept(draft, sealer, layout.ACCEPTED))
