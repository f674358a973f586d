# SPDX-License-Identifier: MIT
"""Which payments of the open batch can be voided: card sales with a final yes that nothing voided yet."""

from micropython import const

from kassa.vault import layout
from kassa.vault.fates import Fates
from kassa.vault.journal import Journal
from kassa.vault.reader import Reader, fates_above

_MOST = const(50)


def voidable(journal: Journal) -> "list[tuple[int, int, str, int]]":
    """(sequence, STAN, last four digits, amount), newest first, the newest fifty."""
    state = journal.state
    fates = Fates()
    fates.clear(state.closed)
    for sequence, kind in fates_above(journal, state.closed):
        fates.set(sequence, kind)
    found = {}
    reader = Reader(journal, state.closed + 1)
    page = bytearray(256)
    while reader.read(page):
        record = layout.Record(page)
        mark = fates.get(record.sequence)
        if mark in layout.NOT_PAID:
            continue
        if record.type == layout.TYPE_VOID:
            found.pop(record.original, None)
        elif record.type == layout.TYPE_SALE and (mark == layout.YES or record.sequence <= state.watermark):
            found[record.sequence] = record.sequence, record.stan, record.last4, record.amount
            if len(found) > _MOST:
                found.pop(min(found))
    return [found[sequence] for sequence in sorted(found, reverse=True)]
