# SPDX-License-Identifier: MIT
"""Gives up payments whose records are unreadable. The host sees the gap in the sequences."""

from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import MISSING
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.reader import Reader


def give_up(journal: Journal) -> int:
    """Mark every MISSING record LOST and remove it from the pending count and sum. Returns how many there were.

    Their amount is the part of count and sum that exceeds the readable records. Raises what Journal.mark raises.
    """
    count, amount = journal.state.count, journal.state.sum
    reader, page = Reader(journal, journal.state.watermark + 1), bytearray(layout.PAGE)
    while reader.read(page):
        record = layout.Record(page)
        mark = journal.dispositions.get(record.sequence)
        if mark == layout.DEFERRED or not mark and record.kind == layout.ACCEPTED:
            count -= 1
            amount -= record.amount
    given_up = 0
    while journal.unreadable:
        released = ()
        if count > 0:
            released = (amount if count == 1 else 0,)
            count -= 1
        journal.mark(layout.LOST, journal.unreadable, released=released)
        journal.unreadable = journal.dispositions.first(MISSING)
        given_up += 1
    return given_up
