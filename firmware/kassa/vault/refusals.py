# SPDX-License-Identifier: MIT
"""What the host refused later and nobody has noted yet: read off the journal, batches that are closed too."""

from micropython import const

from kassa.vault import layout
from kassa.vault.reader import Reader, walk

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.vault.journal import Journal


def search(journal: "Journal") -> "Iterator[None]":
    """Fill `journal.state.refused` from every mark in the ring. Yields after each: a piece of work for a quiet moment.

    What is marked meanwhile the journal adds by itself. A record that was erased with its sector is not listed.
    """
    state = journal.state
    for cell in walk(journal, journal.ring.step(journal.ring.sector) if journal.ring.sector >= 0 else -1):
        for kind, sequence in layout.spoken_of(cell):
            state.refusal(kind, sequence)
        yield
    page = bytearray(layout.PAGE)
    state.refused = tuple([one for one in state.refused if Reader(journal, one).read(page) == one])
    journal.searched = True


def search_all(journal: "Journal") -> None:
    """The same at once, where it was not done yet or more may be there than fit the list."""
    if not journal.searched or len(journal.state.refused) == layout.MOST_REFUSED:
        for _ in search(journal):
            pass
