# SPDX-License-Identifier: MIT
"""Gets the newest record out of the way of a lap that holds no payment."""

from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.reader import find_in


def move_newest(journal: Journal, sector: int) -> None:
    """Copy the newest record, the chain's head, out of a sector that may go otherwise; what was decided goes with it."""
    rest = find_in(journal, sector, journal.state.sequence)
    if layout.is_record(journal.buffer[0]):
        journal.rewrite(rest)
        kind = journal.disposition or layout.SEEN
        journal.mark(layout.YES if kind == layout.WATERMARK else kind, journal.state.sequence)
    else:
        journal.holder = -1  # it rotted: there is nothing to keep
