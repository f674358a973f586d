# SPDX-License-Identifier: MIT
"""Which payments of the open batch another one may name: to be voided, or to be adjusted."""

from micropython import const

from kassa import transactions
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import Record
from kassa.vault.journal.reader import Reader, dispositions_above

_MOST = const(50)


class Original:
    """What a list shows of a payment, and what a message about it needs; `amount` as it stands now, minor units."""

    def __init__(self, record: Record) -> None:
        self.sequence = record.sequence
        self.type = record.type
        self.stan = record.stan
        self.first6 = record.first6
        self.last4 = record.last4
        self.amount = record.amount


def originals(journal: Journal, which: "tuple[int, ...]", adjusting: bool = False) -> "list[Original]":
    """The newest fifty of these kinds that nothing took back, newest first.

    Cash needs no answer to be given back. `adjusting`: also others without an answer yet, which what names them waits for;
    but none that was adjusted before.
    """
    state = journal.state
    dispositions = Dispositions()
    dispositions.clear(state.closed)
    for sequence, kind in dispositions_above(journal, state.closed):
        dispositions.set(sequence, kind)
    found = {}
    reader = Reader(journal, state.closed + 1)
    page = bytearray(layout.PAGE)
    while reader.read(page):
        record = Record(page)
        mark = dispositions.get(record.sequence)
        if record.type == transactions.CASH_REFUND:  # it has left the drawer, whatever the host says
            found.pop(record.original, None)
        if mark in layout.NOT_PAID:
            continue
        final = mark == layout.YES or record.sequence <= state.watermark
        if record.original:
            if final and not adjusting and transactions.effect(record.type) == transactions.INSTEAD:
                if record.original in found:
                    found[record.original].amount = record.amount
            else:  # taken back, or about to be; or its amount is open
                found.pop(record.original, None)
        elif record.type in which and (
            final or (adjusting or record.type == transactions.CASH) and (record.kind == layout.ACCEPTED or mark)
        ):
            found[record.sequence] = Original(record)
            if len(found) > _MOST:
                found.pop(min(found))
    return [found[sequence] for sequence in sorted(found, reverse=True)]
