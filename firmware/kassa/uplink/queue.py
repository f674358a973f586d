# SPDX-License-Identifier: MIT
"""What of the journal still owes the host a message, in sequence order, and the marks its answers leave."""

from kassa.uplink import answers, messages
from kassa.uplink.flights import Flights
from kassa.vault import layout
from kassa.vault.journal import Journal
from kassa.vault.reader import Reader, recover_marks

_FINAL = (layout.YES, layout.REFUSED, layout.DECLINED, layout.REVERSED, layout.REPORTED)
_NOTHING = (0, 0, 0)


class Queue:
    """Walks upwards from the watermark; answers within a window become durable together, the watermark last."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._reader = None
        self._yes = {}  # sequence -> amount to take off, answered yes but not yet durable
        self._later = False  # something was answered `later` since the last restart
        self._known = False

    def restart(self, request: int) -> None:
        """Begin again at the watermark. `request`: the intent that is being asked about online, 0 = none."""
        if not self._known:
            recover_marks(self._journal)
            self._reverse_orphans(request)
            self._known = True
        self._reader = None
        self._later = False

    def _reverse_orphans(self, request: int) -> None:
        """An intent whose mark was lost counts as sent, whatever stands behind it: its reversal is owed."""
        journal = self._journal
        page = bytearray(256)
        reader = Reader(journal, journal.state.watermark + 1)
        while True:
            sequence = reader.read(page)
            if not sequence:
                return
            if page[0] == layout.INTENT and sequence != request and sequence not in journal.marks:
                journal.mark(layout.REVERSING, sequence, b"98")

    def has_work(self) -> bool:
        """Whether a record above the watermark waits for the host, and was not put off in this round."""
        state = self._journal.state
        return not self._later and self.owes() and state.watermark < state.sequence

    def owes(self) -> bool:
        """Whether any record still waits for its final answer, put off or not; reversals apart."""
        if self._journal.state.count:
            return True
        for kind in self._journal.marks.values():
            if kind == layout.VOIDED:
                return True
        return False

    def next(self, into: bytearray, flights: Flights) -> tuple[int, int, int]:
        """(sequence, 60.1, amount to take off when answered) of the next record to send, loaded into `into`; zeros when none."""
        journal = self._journal
        if self._reader is None:
            if self._later or not self.has_work():
                return _NOTHING
            self._reader = Reader(journal, journal.state.watermark + 1)
        while True:
            sequence = self._reader.read(into)
            if not sequence:
                return _NOTHING
            mark = journal.marks.get(sequence, 0)
            if mark in _FINAL or mark == layout.REVERSING or sequence in self._yes or flights.holds(sequence):
                continue
            record = layout.Record(into)
            if mark == layout.VOIDED:
                return sequence, messages.VOID_ENTRY, 0
            if mark == layout.DEFERRED or record.kind == layout.ACCEPTED:
                kind = messages.CASH if record.type == layout.TYPE_CASH else messages.DEFERRED_SALE
                return sequence, kind, record.amount

    def load(self, sequence: int, into: bytearray) -> bool:
        """Read one record by its sequence."""
        return Reader(self._journal, sequence).read(into) == sequence

    def reversing(self) -> int:
        """The oldest sequence whose reversal is owed, 0 when none."""
        oldest = 0
        for sequence, kind in self._journal.marks.items():
            if kind == layout.REVERSING and (not oldest or sequence < oldest):
                oldest = sequence
        return oldest

    def answered(self, sequence: int, amount: int, meaning: int, code: bytes) -> None:
        """The host's answer to a queued record."""
        journal = self._journal
        if meaning == answers.YES:
            if journal.marks.get(sequence) == layout.VOIDED:
                journal.mark(layout.REPORTED, sequence, code)
            else:
                self._yes[sequence] = amount
        elif meaning == answers.NO:
            if amount:
                journal.release(amount)
            journal.mark(layout.REFUSED, sequence, code)
        else:
            self._later = True

    def final(self, sequence: int, kind: int, code: bytes) -> None:
        """An online request's final answer: one mark, the watermark itself when it follows on."""
        journal = self._journal
        if kind == layout.YES and sequence == journal.state.watermark + 1:
            journal.mark(layout.WATERMARK, sequence, code)
        else:
            journal.mark(kind, sequence, code)
            self.advance()

    def advance(self) -> None:
        """Move the watermark over what is final, when nothing else waits to be made durable with it."""
        if not self._yes:
            self.flush()

    def flush(self) -> None:
        """Make the answers so far durable: one watermark over the run that is complete, a mark of its own for each beyond a gap."""
        journal = self._journal
        state = journal.state
        mark = state.watermark
        while mark < state.sequence and (mark + 1 in self._yes or journal.marks.get(mark + 1, 0) in _FINAL):
            mark += 1
            amount = self._yes.pop(mark, 0)
            if amount:
                journal.release(amount)
        if mark > state.watermark:
            journal.mark(layout.WATERMARK, mark)
        for sequence in sorted(self._yes):
            journal.release(self._yes.pop(sequence))
            journal.mark(layout.YES, sequence)
        self._reader = None if not state.count else self._reader
