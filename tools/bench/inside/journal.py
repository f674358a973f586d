# SPDX-License-Identifier: MIT
"""Our journal at work: laps around the ring until every sector was used, then the payments that count."""

import json
import sys

from tally import CHIP, Tally

from kassa.crypto.sealing import Sealer
from kassa.vault import layout
from kassa.vault.journal import Draft, Journal
from kassa.vault.mount import mount
from kassa.vault.reader import recover_marks

_KEY = b"journal key 16 B"
_RING = CHIP // layout.SECTOR * (layout.PAGES - 1)  # records a ring can hold
_BATCH = 500  # payments a batch
_WINDOW = 64


class Shop:
    """Pays and settles; erases ahead between payments, as the till does when it is idle."""

    def __init__(self) -> None:
        self.tally = Tally()
        self.journal = Journal(self.tally.flash, bytearray(_KEY))
        self.draft = Draft()
        self.idle()

    def idle(self) -> None:
        """Blank sectors ahead."""
        while self.journal.prepare():
            pass

    def pay(self) -> int:
        """One deferred payment."""
        sealer = Sealer(b"body key of 16 B", b"seal key of 16 B")
        return self.tally.pay(lambda: self.journal.accept(self.draft, sealer, layout.ACCEPTED))

    def settle(self, first: int, last: int) -> None:
        """The host said yes to these: one mark."""
        for _ in range(first, last + 1):
            self.journal.release(self.draft.amount)
        self.journal.mark(layout.WATERMARK, last)
        if last // _BATCH > (first - 1) // _BATCH:
            self.journal.mark(layout.CLOSED, last)

    def trade(self, payments: int, window: int) -> None:
        """Pay and settle, a window at a time."""
        waiting = 0
        for _ in range(payments):
            sequence = self.pay()
            waiting += 1
            self.idle()
            if waiting == window:
                self.settle(sequence - window + 1, sequence)
                waiting = 0


def trade(payments: int, window: int) -> dict:
    """The figures of `payments` on a used chip."""
    shop = Shop()
    shop.trade(_RING // _WINDOW * _WINDOW + _WINDOW, _WINDOW)
    shop.tally.start()
    shop.trade(payments, window)
    return shop.tally.told()


def boot(pending: int) -> dict:
    """Bytes read until a terminal with so many payments pending can take the next one."""
    shop = Shop()
    for _ in range(pending):
        shop.pay()
        shop.idle()
    before = shop.tally.read()
    journal = Journal(shop.tally.flash, bytearray(_KEY))
    mount(journal)
    mounted = shop.tally.read()
    recover_marks(journal)
    recovered = shop.tally.read()
    while journal.page >= layout.PAGES and journal.ready < 2:
        journal.prepare()
    return {
        "mount": mounted - before,
        "marks": recovered - mounted,
        "prepare": shop.tally.read() - recovered,
        "count": journal.state.count,
    }


if sys.argv[1] == "trade":
    print(json.dumps(trade(int(sys.argv[2]), int(sys.argv[3]))))
else:
    print(json.dumps(boot(int(sys.argv[2]))))
