# SPDX-License-Identifier: MIT
"""Takes over the host's epoch: a supervisor there has cleared a quarantine, and a new chain and a new batch begin."""

from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal


def begin(journal: Journal, epoch: int, batch: int) -> bool:
    """Close what stands here and begin `epoch` with `batch`; False when there is nothing to begin, or not yet.

    Only when everything has its final answer: the host closes the old batch by itself. EPOCH is written last, so that
    after a power cut before it all is done again. Raises FlashFault, JournalFull.
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
