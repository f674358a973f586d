# SPDX-License-Identifier: MIT
"""Finds payments that were refused later and not noted yet, in all marks of the ring, closed batches included."""

from micropython import const

from kassa.vault.journal import layout
from kassa.vault.journal.reader import Reader, walk

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.vault.journal.journal import Journal

_AT_ONCE = const(64)  # marks


class Search:
    """One pass over all marks in the ring. Keeps one bit per sequence: refused later and not noted.

    A record that was erased with its sector is not found.
    """

    def __init__(self, journal: "Journal") -> None:
        self._journal = journal
        records = journal.ring.sectors * (layout.PAGES - 1)
        self._lowest = max(1, journal.state.sequence - records + 1)
        self._bits = bytearray(records // 8 + 1)

    def steps(self) -> "Iterator[None]":
        """Read some marks per step. Starts again if `state.refused` changed in the meantime; at the end sets it."""
        state, count = self._journal.state, 0
        while True:
            before = state.refused
            for _ in self._marks():
                count += 1
                if not count % _AT_ONCE:
                    yield
            found = 0
            for _ in self.found():
                found += 1
            if state.refused in (before, found):
                state.refused = found
                return

    def found(self) -> "Iterator[int]":
        """The sequences found whose records still exist, in ascending order."""
        page = bytearray(layout.PAGE)
        for index in range(8 * len(self._bits)):
            sequence = self._lowest + index
            if self._bits[index >> 3] >> (index & 7) & 1 and Reader(self._journal, sequence).read(page) == sequence:
                yield sequence

    def _marks(self) -> "Iterator[None]":
        ring = self._journal.ring
        for cell in walk(self._journal, ring.step(ring.sector) if ring.sector >= 0 else -1):
            for kind, sequence in layout.marked_records(cell):
                index = sequence - self._lowest
                if 0 <= index < 8 * len(self._bits):
                    bit = 1 << (index & 7)
                    self._bits[index >> 3] = self._bits[index >> 3] & ~bit | (bit if kind == layout.REFUSED else 0)
            yield
