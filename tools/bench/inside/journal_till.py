# SPDX-License-Identifier: MIT
"""A till reduced to our journal: pays, settles, closes batches, and erases ahead when it is idle."""

from tally import CHIP, Tally

from kassa.crypto.sealing import Sealer
from kassa.vault.journal import layout
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.journal import Journal

KEY = b"journal key 16 B"
WAITING = 10  # unsettled payments at any time
_RING = CHIP // layout.SECTOR * (layout.PAGES - 1)  # records that fit in a ring
_BATCH = 500  # payments per batch
_LAP_WINDOW = 64


class Shop:
    """Each method is one task of a till; `tally` counts flash operations. Without `idles` the till is never idle."""

    def __init__(self, idles: bool = True) -> None:
        self.tally = Tally()
        self.journal = Journal(self.tally.flash, bytearray(KEY))
        self._draft = Draft()
        self._idles = idles
        self._settled = 0  # sequence of the newest settled payment
        self.idle()

    def idle(self) -> None:
        """Erase sectors ahead."""
        while self._idles and self.journal.prepare():
            pass

    def pay(self) -> None:
        """Accept one deferred payment. Raises JournalFull."""
        pay(self.tally, self.journal, self._draft)
        self.idle()

    def waiting(self) -> int:
        """Number of unsettled payments."""
        return self.journal.state.sequence - self._settled

    def settle(self, payments: int) -> None:
        """Settle the oldest payments with one mark. Every 500 payments, close the batch too, with two more marks."""
        journal = self.journal
        before = self._settled
        self._settled = last = before + payments
        journal.mark(layout.WATERMARK, last, released=[self._draft.amount] * payments)
        if last // _BATCH > before // _BATCH:
            journal.mark(layout.CLOSING, last)
            journal.mark(layout.CLOSED, last)
        self.idle()

    def trade(self, payments: int, window: int) -> None:
        """Make payments and settle them a window at a time, always leaving ten unsettled."""
        for _ in range(payments):
            self.pay()
            while self.waiting() >= WAITING + window:
                self.settle(window)

    def lap(self) -> None:
        """Trade until every sector has been used, then start counting."""
        self.trade(_RING, _LAP_WINDOW)
        if self.waiting() > WAITING:
            self.settle(self.waiting() - WAITING)
        self.tally.start()


def pay(tally: Tally, journal: Journal, draft: Draft) -> None:
    """Accept one deferred payment. All payments use the same keys."""
    sealer = Sealer(b"body key of 16 B", b"seal key of 16 B", draft.nonce)
    tally.pay(lambda: journal.accept(draft, sealer, layout.ACCEPTED))
