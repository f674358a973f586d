# SPDX-License-Identifier: MIT
"""Closes the batch: sends the totals and, if the host's differ, uploads every record. Loaded on demand.

After a power cut at any step CLOSING is in the journal. The next close starts with the same totals, and the host
repeats its answer to every record that it has already answered.
"""

from micropython import const

from kassa.errors import WireError
from kassa.money import pack_bcd
from kassa.uplink import answers
from kassa.uplink.in_flight import CLOSE
from kassa.uplink.iso8583 import Answer
from kassa.uplink.outbox import Outbox
from kassa.uplink.request_result import RequestResult, text
from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Entropy
    from kassa.uplink.courier import Courier
    from kassa.uplink.upload import Upload

_CLOSE = const(201)  # values of 60.3
_UPLOAD_END = const(202)
_BALANCED = const(1)
_NOT_BALANCED = const(2)
_TOTALS = const(0)  # steps
_RECORDS = const(1)
_END = const(2)


class BatchClose:
    """One attempt to close the open batch. `outcome` counts the uploaded records, and is completed at the end."""

    closes, changed = True, False

    def __init__(self, journal: Journal, outcome: RequestResult, totals: "Bytes", entropy: "Entropy") -> None:
        """`totals`: 31 bytes of DE 48."""
        self._journal = journal
        self._outcome = outcome
        self._totals = totals
        self._covered = journal.state.sequence  # the newest record that these totals cover
        self._step = _TOTALS
        self._upload: "Upload | None" = None
        self._stan = self._end_stan = 0
        self._uid, self._end_uid = entropy(16), entropy(16)

    def restart(self) -> None:
        """Start again with the totals, on a new connection."""
        self._step = _TOTALS

    def frame(self, outbox: Outbox, record: bytearray) -> memoryview | None:
        """The next frame to send; None while answers are awaited. `record`: buffer for one page of the journal."""
        if self._step == _RECORDS:
            frame = self._upload.record(outbox, record) if self._upload else None
            if frame is not None:
                self._outcome.uploaded += 1
                return frame
            self._step, self._upload = _END, None
        if outbox.in_flight.count:
            return None
        if self._step == _END:
            self._end_stan = self._end_stan or outbox.new_stan()
            digits = bytearray(2)
            pack_bcd(self._outcome.uploaded % 10000, digits, 0, 2)
            return outbox.management(CLOSE, 0x0320, _UPLOAD_END, self._end_stan, self._end_uid, b"", digits, 4)
        if not self._journal.state.closing:
            self._journal.mark(layout.CLOSING, self._journal.state.sequence)
        self._stan = self._stan or outbox.new_stan()
        return outbox.management(CLOSE, 0x0500, _CLOSE, self._stan, self._uid, b"", self._totals, 62)

    def take(self, answer: Answer, purpose: int, code: bytes) -> bool:
        """Process one answer. Returns True when the close has ended. Raises WireError if the host wants the rest later."""
        outcome = self._outcome
        meaning = answers.meaning(code, answers.UPLOAD)
        if purpose != CLOSE or self._step == _END:
            if meaning == answers.RETRY:
                raise WireError("batch upload postponed")
            if purpose != CLOSE:
                outcome.disputed += meaning == answers.NO
                return False
            outcome.totals = bytes(answer.get(48)) or outcome.totals
            outcome.text = text(answer.get(63)[19:])
            return self._ended(meaning == answers.YES)
        outcome.totals = bytes(answer.get(48))
        outcome.text = text(answer.get(63)[19:])
        result = outcome.totals[15] >> 4 if len(outcome.totals) == 31 else 0
        if result == _NOT_BALANCED:
            from kassa.uplink import upload

            self._upload = upload.Upload(self._journal, self._journal.state.closed)
            outcome.uploaded = outcome.disputed = 0
            self._step = _RECORDS
            return False
        return self._ended(result == _BALANCED)

    def _ended(self, closed: bool) -> bool:
        if closed:
            self._journal.mark(layout.CLOSED, self._covered)
        else:
            self._journal.mark(layout.REOPENED, self._journal.state.sequence)
        self._outcome.kind = answers.YES if closed else answers.NO
        return True


def submit(courier: "Courier", totals: "Bytes", entropy: "Entropy") -> None:
    """Ask the courier to close the open batch with these totals (31 bytes of DE 48)."""
    outcome = RequestResult()
    courier.begin(BatchClose(courier.journal, outcome, totals, entropy), outcome)
