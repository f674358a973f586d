# SPDX-License-Identifier: MIT
"""The records that have still to be sent to the host, in sequence order, and the marks for its answers."""

from micropython import const

from kassa import transactions
from kassa.uplink import answers
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import UNDECIDED, decided
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.reader import Reader
from kassa.vault.journal.ring import AHEAD

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.uplink.in_flight import InFlight

_NOTHING = (0, 0, 0)
_KEPT = const(128)  # at most so many answers in memory before they become durable: two windows
_TOGETHER = const(32)  # answers that fit into one mark


class Queue:
    """Walks up from the watermark. The answers of a window become durable together, the watermark last."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._reader = None
        self._yes = {}  # sequence -> amount to subtract from the pending sum: final yes, not yet durable
        self._no = {}  # sequence -> (kind of mark, amount to subtract, DE 39): refused or reported, not yet durable
        self._later = False  # an answer since the last restart was not final
        self._waiting = False  # a record was skipped since the reader started: its original has no answer yet
        self._known = False  # recovery has run

    def restart(self, request: int) -> None:
        """Start again at the watermark. `request`: the intent that a flow is handling, 0 = none.

        Any other intent without a mark counts as sent and unanswered.
        """
        journal = self._journal
        if not self._known:
            from kassa.vault.journal.recovery import recover  # runs once

            recover(journal)
            self._known = True
        lost = [
            sequence for sequence, kind in journal.dispositions.items() if kind == UNDECIDED and sequence != request
        ]
        for sequence in lost:
            self.unanswered(sequence, b"98")
        self.rewind()

    def unanswered(self, sequence: int, reason: bytes) -> None:
        """Mark an intent that may have been sent and got no answer: it will be reversed, or repeated until it is answered.

        `reason`: DE 39 of the reversal.
        """
        page = bytearray(256)
        if self.load(sequence, page) and not transactions.is_reversed(page[1]):
            record = layout.Record(page)
            self._journal.mark(layout.DEFERRED, sequence, reason, charged=(record.amount, record.time))
            self.rewind()
        else:
            self._journal.mark(layout.REVERSING, sequence, reason)

    def rewind(self) -> None:
        """Start again at the watermark, including what the host postponed."""
        self._reader = None
        self._later = self._waiting = False

    def has_work(self) -> bool:
        """Whether a record above the watermark can be sent, and the host has postponed nothing since the last restart."""
        state = self._journal.state
        return not self._later and self.has_pending() and state.watermark < state.sequence

    def has_pending(self) -> bool:
        """Whether any record waits for its final answer, postponed or not. Reversals do not count."""
        return self._journal.state.count > 0 or self._journal.dispositions.first(layout.VOIDED) > 0

    def next(self, into: bytearray, in_flight: "InFlight") -> tuple[int, int, int]:
        """Read the next record to send into `into`.

        Returns (sequence, 60.1, amount to subtract from the pending sum at the final answer); zeros if there is none.
        """
        journal = self._journal
        if self._reader is None:
            if self._later or not self.has_work():
                return _NOTHING
            self._reader = Reader(journal, journal.state.watermark + 1)
        released = False
        while True:
            sequence = self._reader.read(into)
            if not sequence:
                if released or not self._waiting or self._later or in_flight.count:
                    return _NOTHING
                self.flush()  # skipped records may be sendable now: once more from the watermark
                released, self._waiting = True, False
                self._reader = Reader(journal, journal.state.watermark + 1)
                continue
            kind = journal.dispositions.get(sequence)
            if decided(kind) or kind == layout.REVERSING or self._is_answered(sequence) or in_flight.holds(sequence):
                continue
            record = layout.Record(into)
            if kind == layout.VOIDED:
                return sequence, transactions.VOID_ENTRY, 0
            if kind == layout.DEFERRED or record.kind == layout.ACCEPTED:
                if record.original and not self._has_answer(record.original):
                    self._waiting = True
                    continue
                kind = record.type
                if kind == transactions.SALE:
                    kind = (
                        transactions.OFFLINE_SALE if record.flags & layout.FLAG_APPROVED else transactions.DEFERRED_SALE
                    )
                return sequence, kind, record.amount

    def _has_answer(self, sequence: int) -> bool:
        """Whether a record's final answer is durable."""
        return sequence <= self._journal.state.watermark or decided(self._journal.dispositions.get(sequence))

    def original_of(self, record: bytearray) -> bytes:
        """Batch and STAN (6 bytes BCD) of the original payment of a record: zeros if it cannot be read, empty if it has none."""
        sequence = layout.Record(record).original
        if not sequence:
            return b""
        page = bytearray(256)
        return bytes(page[35:38] + page[32:35]) if self.load(sequence, page) else bytes(6)

    def load(self, sequence: int, into: bytearray) -> bool:
        """Read the record with this sequence into `into`. Returns whether it could be read."""
        return Reader(self._journal, sequence).read(into) == sequence

    def reversing(self) -> int:
        """The sequence of the oldest record to be reversed, 0 if there is none."""
        return self._journal.dispositions.first(layout.REVERSING)

    def answered(self, sequence: int, amount: int, meaning: int, code: bytes) -> None:
        """Take the host's answer to a queued record. It becomes durable with `flush`."""
        if meaning == answers.YES and self._journal.dispositions.get(sequence) == layout.VOIDED:
            self._no[sequence] = layout.REPORTED, 0, code
        elif meaning == answers.YES:
            self._yes[sequence] = amount
            if len(self._yes) >= _KEPT:  # the heap has no room for those of a whole queue
                self.flush()
        elif meaning == answers.NO:
            self._no[sequence] = layout.REFUSED, amount, code
        else:
            self._later = True
        if len(self._no) >= _TOGETHER:
            self._mark_no()

    def _is_answered(self, sequence: int) -> bool:
        return sequence in self._yes or sequence in self._no

    def final(self, sequence: int, kind: int, code: bytes) -> None:
        """Store the final answer to an online request in one mark: WATERMARK if the record is the next above it, else `kind`."""
        journal = self._journal
        if kind == layout.YES and sequence == journal.state.watermark + 1:
            journal.mark(layout.WATERMARK, sequence, code)
        else:
            journal.mark(kind, sequence, code)
            self.advance()

    def advance(self) -> None:
        """Move the watermark over final records, unless answers in memory will be flushed with it."""
        if not self._yes and not self._no:
            self.flush()

    def flush(self) -> None:
        """Make the answers in memory durable: first refused and reported ones, then one watermark over the complete run,
        then each yes beyond a gap.

        In the reserve of a full journal a few answers wait for more. After a restart, the host is asked again.
        """
        journal = self._journal
        state = journal.state
        answered = len(self._yes) + len(self._no)
        if journal.free < AHEAD and answered < min(_TOGETHER, state.count):
            return
        self._mark_no()
        mark = state.watermark
        amounts = []
        while mark < state.sequence and (mark + 1 in self._yes or decided(journal.dispositions.get(mark + 1))):
            mark += 1
            if mark in self._yes:
                amounts.append(self._yes.pop(mark))
        if mark > state.watermark:
            journal.mark(layout.WATERMARK, mark, released=amounts)
        while self._yes:
            first = min(self._yes)
            run = [sequence for sequence in self._yes if sequence - first < layout.MOST_SOME]
            self._mark(layout.YES, run, [self._yes.pop(sequence) for sequence in run], b"\x00\x00")
        self._reader = None if not state.count else self._reader

    def _mark_no(self) -> None:
        """Mark refused payments and reported void entries; those with the same code that lie close together share a mark."""
        while self._no:
            first = min(self._no)
            kind, _, code = self._no[first]
            if self._journal.free < AHEAD:
                code = b"\x00\x00"  # in the reserve the codes are dropped, to save marks
            run = [
                sequence
                for sequence, (other, _, reason) in self._no.items()
                if sequence - first < layout.MOST_SOME and other == kind and code in (reason, b"\x00\x00")
            ]
            self._mark(kind, run, [self._no.pop(sequence)[1] for sequence in run], code)

    def _mark(self, kind: int, run: list, amounts: list, code: bytes) -> None:
        """Write one mark for a run of at most 32 sequences, and subtract their amounts from the pending sum."""
        first = min(run)
        several = 0
        for sequence in run:
            several |= 1 << layout.MOST_SOME - 1 - (sequence - first)
        if len(run) > 1:
            kind = layout.some(kind)
        self._journal.mark(kind, first, code, several, [amount for amount in amounts if amount])
