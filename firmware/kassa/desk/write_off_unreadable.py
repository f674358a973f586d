# SPDX-License-Identifier: MIT
"""Gives up a payment whose record is unreadable. The host sees the gap in the sequences."""

from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import MISSING
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.reader import Reader


def give_up(journal: Journal) -> int:
    """Mark the first MISSING record LOST and remove it from the pending count. Returns its sequence.

    The amount of all that are MISSING is the part of the sum that exceeds the readable records; it is removed with the last
    of them. Raises what Journal.mark raises.
    """
    count, amount = journal.state.count, journal.state.sum
    reader, page = Reader(journal, journal.state.watermark + 1), bytearray(layout.PAGE)
    while reader.read(page):
        record = layout.Record(page)
        mark = journal.dispositions.get(record.sequence)
        if mark == layout.DEFERRED or not mark and record.kind == layout.ACCEPTED:
            count -= 1
            amount -= record.amount
    released = (amount if count == 1 else 0,) if count > 0 else ()
    lost = journal.unreadable
    journal.mark(layout.LOST, lost, released=released)
    journal.unreadable = journal.dispositions.first(MISSING)
    return lost
