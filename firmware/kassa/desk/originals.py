# SPDX-License-Identifier: MIT
"""Lists the payments of the open batch that can be voided or adjusted."""

from micropython import const

from kassa import transactions
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import Record
from kassa.vault.journal.reader import Reader, dispositions_above

_MOST = const(50)


class Original:
    """The fields of an original payment that lists and messages need. `amount`: the current one, minor units."""

    def __init__(self, record: Record) -> None:
        self.sequence = record.sequence
        self.type = record.type
        self.stan = record.stan
        self.first6 = record.first6
        self.last4 = record.last4
        self.amount = record.amount


def originals(journal: Journal, which: "tuple[int, ...]", adjusting: bool = False) -> "list[Original]":
    """The newest fifty payments of the types `which` that were not voided or refunded, newest first.

    Cash can be returned before its answer. `adjusting`: include other payments that are not answered yet (the
    adjustment waits for that answer), and leave out those that were adjusted before.
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
        if record.type == transactions.CASH_REFUND:  # the cash has left the drawer, whatever the host answers
            found.pop(record.original, None)
        if mark in layout.NOT_PAID:
            continue
        final = mark == layout.YES or record.sequence <= state.watermark
        if record.original:
            if final and not adjusting and transactions.effect(record.type) == transactions.REPLACES:
                if record.original in found:
                    found[record.original].amount = record.amount
            else:  # voided, or about to be; or its amount is undecided
                found.pop(record.original, None)
        elif record.type in which and (
            final or (adjusting or record.type == transactions.CASH) and (record.kind == layout.ACCEPTED or mark)
        ):
            found[record.sequence] = Original(record)
            if len(found) > _MOST:
                found.pop(min(found))
    return [found[sequence] for sequence in sorted(found, reverse=True)]


def given_back(journal: Journal, sequence: int) -> int:
    """The type of the payment that gave payment `sequence` back, for good; 0 if none did. An adjustment gives nothing back."""
    kind = by = 0
    reader, page = Reader(journal, sequence + 1), bytearray(layout.PAGE)
    while reader.read(page):
        record = Record(page)
        if record.original == sequence and transactions.effect(record.type) != transactions.REPLACES:
            kind, by = record.type, record.sequence
    mark = 0
    for about, found in dispositions_above(journal, by - 1) if by else ():
        if about == by:
            mark = found
    cash = kind == transactions.CASH_REFUND  # it has left the drawer, whatever the host answers
    return kind if cash or mark == layout.YES or by <= journal.state.watermark and mark not in layout.NOT_PAID else 0
