# SPDX-License-Identifier: MIT
"""Adopts the host's epoch after a supervisor has cleared a quarantine: a new chain and a new batch begin."""

from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal


def begin(journal: Journal, epoch: int, batch: int) -> bool:
    """Close the open batch, and begin `epoch` with `batch`. Returns False if there is nothing to begin, or not yet.

    Call it only when everything has its final answer; the host closes the old batch by itself. EPOCH is written last, so
    that after a power cut everything is done again. Raises FlashFault, JournalFull.
    """
    state = journal.state
    if epoch <= state.epoch or journal.last[0] == layout.INTENT and not journal.disposition:
        return False
    if state.closed != state.sequence:
        journal.mark(layout.CLOSED, state.sequence)
    if batch and batch != state.batch:
        journal.mark(layout.BATCH, batch)
    journal.mark(layout.EPOCH, epoch)
    return True
