# SPDX-License-Identifier: MIT
"""What is seldom asked of the ring: how many sectors may go, and the newest record out of the way of a lap without payments."""

from kassa.vault import layout
from kassa.vault.journal import Journal
from kassa.vault.reader import find_in


def recount(journal: Journal, prefixes: memoryview | None = None) -> None:
    """Count the sectors ahead that may go. `prefixes`: 16 B of each header, read here when not given."""
    ring = journal.ring
    prefix = memoryview(bytearray(layout.PREFIX_SIZE))
    free = 0
    sector = ring.step(ring.sector)
    while sector != ring.sector:
        following = ring.step(sector)
        if following == ring.sector:
            first = journal.state.sequence + 1
        else:
            if prefixes is None:
                ring.flash.readblocks(following, prefix, 0)
            else:
                prefix = prefixes[following * layout.PREFIX_SIZE : (following + 1) * layout.PREFIX_SIZE]
            first = layout.number(prefix, 8)
            if not layout.is_header(prefix) or layout.number(prefix, 4) != journal.serial_of(following):
                first = 0  # blank, bad, or rotted: erasing looks more closely
        if first - 1 > journal.state.closed:
            break
        free += 1
        sector = following
    for bad in ring.bad:
        free -= (bad - ring.sector - 1) % ring.sectors < free
    journal.free = free


def move_newest(journal: Journal, sector: int) -> None:
    """Copy the newest record, the chain's head, out of a sector that may go otherwise; what was decided goes with it."""
    rest = find_in(journal, sector, journal.state.sequence)
    if layout.is_record(journal.buffer[0]):
        journal.rewrite(rest)
        kind = journal.fate or layout.SEEN
        journal.mark(layout.YES if kind == layout.WATERMARK else kind, journal.state.sequence)
    else:
        journal.holder = -1  # it rotted: there is nothing to keep
