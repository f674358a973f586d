# SPDX-License-Identifier: MIT
"""Reads every record that the ring still holds, newest first, a sector at a time, with what was decided about each."""

from micropython import const

from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.reader import Reader, walk

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.vault.journal.journal import Journal

_USED = const(24)  # bytes of a mark before its tag


class NewestFirst:
    """One pass over the ring. Every mark about a record lies after it, so it is known when the pass comes to the record.

    Memory: half a byte for each record that the ring can hold, and the marks of one sector. `left`: sectors still to read.
    """

    def __init__(self, journal: "Journal") -> None:
        self.journal = journal
        ring, newest = journal.ring, journal.state.sequence
        self.left = ring.sectors if newest else 0
        self._begin = self._sector = ring.sector
        self._upper = newest + 1  # sequences from here on were read
        self._marks = Dispositions()
        self._marks.clear(max(0, newest - ring.sectors * (layout.PAGES - 1)))
        self._number = journal.state.number

    def records(self) -> "Iterator[layout.Record]":
        """The records of the next sector, oldest first; take all of them. None if its header cannot be read: then they
        come with those of the sector before. Call it while `left`."""
        lower = self._next()
        if not lower:
            return
        page, reader = bytearray(layout.PAGE), Reader(self.journal, lower)
        upper, self._upper = self._upper, lower
        if lower == 1:
            self.left = 0
        while 0 < reader.read(page) < upper:
            yield layout.Record(page)

    def mark(self, record: layout.Record) -> int:
        """The kind of the mark that decided about a record that was read; 0 = none yet."""
        kind = self._marks.get(record.sequence)
        answered = record.sequence <= self.journal.state.watermark
        return layout.WATERMARK if answered and kind not in layout.NOT_PAID else kind

    def refresh(self) -> None:
        """Read the marks that were written since the pass began."""
        if self._number != self.journal.state.number:
            self._number = self.journal.state.number
            for cell in walk(self.journal, self._begin):
                for kind, sequence in layout.marked_records(cell):
                    self._marks.set(sequence, kind)

    def _next(self) -> int:
        """Read the marks of the next sector. Returns the sequence of its first record, 0 if its header does not tell."""
        journal, sector, header = self.journal, self._sector, layout.State()
        ring = journal.ring
        self.left -= 1
        self._sector = ring.step(sector, ring.sectors - 1)
        cells = bytearray()
        for cell in walk(journal, sector, until=-1 if sector == ring.sector else ring.step(sector)):
            cells.extend(cell[:_USED])
        for at in range(len(cells) - _USED, -1, -_USED):  # the last mark about a record counts
            for kind, sequence in layout.marked_records(memoryview(cells)[at:]):
                if not self._marks.get(sequence):
                    self._marks.set(sequence, kind)
        if journal.read_header(sector, header) and header.serial == journal.serial_of(sector):
            return header.sequence + 1
        return 0 if self.left else 1
