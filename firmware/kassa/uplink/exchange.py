# SPDX-License-Identifier: MIT
"""The dialogue with the host: `next_frame` returns what to send, `feed` takes what arrives. No clock and no socket.

Order: handshake, reversal, the online request, what a host that is behind wants again, the queue in windows, then a task
such as the batch close.
"""

from struct import unpack_from

from micropython import const

from kassa import overlay, transactions
from kassa.errors import WireError
from kassa.uplink import answers
from kassa.uplink import in_flight as sent  # one name instead of eight: each takes heap
from kassa.uplink.courier import NO_ANSWER
from kassa.uplink.inbox import Inbox
from kassa.uplink.iso8583 import Answer
from kassa.uplink.outbox import Outbox
from kassa.vault.journal import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.uplink.courier import Courier
    from kassa.uplink.upload import Upload

# The request class of each purpose (in_flight.py), which decides what an answer code means.
_CLASS = (
    0,
    answers.MANAGEMENT,
    answers.REVERSAL,
    answers.ONLINE,
    answers.DEFERRED,
    answers.MANAGEMENT,
    answers.UPLOAD,
    answers.MANAGEMENT,
)
_BAD_MACS = const(3)
_WRONG_MAC = const(b"A0")
_IN_PROGRESS = const(b"09")
_SIGN_ON = const(3)  # a processing request
_REQUEST = const(9)  # offset in a frame of the byte with terminal status and processing request


class Exchange:
    """In memory only while messages are exchanged; created again when an idle connection becomes active."""

    def __init__(self, courier: "Courier") -> None:
        self._courier = courier
        self._journal = courier.journal
        self.in_flight = sent.InFlight()
        self._inbox = Inbox(courier.partial_frame)
        self._outbox = Outbox(courier.journal, courier.keyring, courier.identity, self.in_flight, courier.entropy)
        self._record = bytearray(layout.PAGE)
        self._kind = 0  # transaction type of the online request
        self._upload: "Upload | None" = None  # what a host that is behind wants again
        courier.in_flight = self.in_flight

    def end(self) -> None:
        """Call it when no answer is awaited: what was received of a frame is kept for the next exchange."""
        self._courier.in_flight = None
        self._courier.partial_frame = self._inbox.partial()

    # -- sending ----------------------------------------------------------------------------------------------------

    def next_frame(self) -> memoryview | None:
        """The next frame that may be sent now, or None. It is valid until the next call."""
        courier, in_flight, state = self._courier, self.in_flight, self._journal.state
        if not courier.handshaken:
            return None if in_flight.count else self._outbox.handshake()
        if (
            not in_flight.room()
            or in_flight.carries(sent.REVERSAL)
            or in_flight.carries(sent.CLOSE)
            or in_flight.carries(sent.MANAGE)
        ):
            return None
        if state.reversing and not courier.reversal_postponed:
            reversal = self._reversal()
            if reversal is not None:
                return reversal
        queue, record = courier.queue, self._record
        if courier.request and (courier.resend or not courier.sent):
            courier.load(courier.request, record)
            original = queue.original_of(record)
            self._kind = record[1]
            courier.sent, courier.resend, courier.outcome.waiting = True, False, False
            return self._outbox.payment(sent.ONLINE, self._kind, record, courier.request, 0, original)
        if self._upload:
            return self._upload.frame(self._outbox, record)
        sequence, kind, amount = queue.next(record, in_flight)
        if sequence:
            original = b"" if kind == transactions.VOID_ENTRY else queue.original_of(record)
            return self._outbox.payment(sent.QUEUED, kind, record, sequence, amount, original)
        if in_flight.count == 0:
            queue.flush()
            courier.status.set_pending(state)
            if courier.sign_on_due:
                courier.sign_on_due = False
                return self._outbox.handshake()
            if courier.host_epoch > state.epoch and not courier.has_pending():
                self._begin_epoch()
        if queue.has_pending() or state.reversing:
            return None
        if courier.may_fetch() and not courier.task:
            self._begin_task(courier.damaged_tables.pop())
        return courier.task.frame(self._outbox, record) if courier.task else None

    def _begin_epoch(self) -> None:
        """Adopt the host's epoch after a quarantine. The host has already closed the batch of the old epoch."""
        from kassa.uplink import new_epoch

        courier = self._courier
        begun = new_epoch.begin(self._journal, courier.host_epoch, courier.host_batch)
        if begun and courier.task and courier.task.closes:
            courier.end_task()
            courier.outcome.kind = answers.NO

    def _reversal(self) -> memoryview | None:
        """The frame of the oldest reversal that has still to be answered; None if there is none."""
        courier = self._courier
        sequence = courier.queue.reversing()
        if not sequence:  # its mark became unreadable after it was answered
            self._journal.state.reversing = 0
            return None
        courier.load(sequence, self._record)
        return self._outbox.reversal(self._journal.reasons.get(sequence, NO_ANSWER), self._record, sequence)

    # -- receiving --------------------------------------------------------------------------------------------------

    def feed(self, data: memoryview) -> None:
        """Process received bytes, split anywhere. Raises WireError if the connection must be closed."""
        for frame in self._inbox.frames(data):
            self._take(frame)
        self._courier.status.set_pending(self._journal.state)

    def _take(self, frame: memoryview) -> None:
        """Match one answer to its request, check its MAC and act on it. An answer that does not match is dropped."""
        courier, in_flight = self._courier, self.in_flight
        answer = Answer(frame)
        ksn = answer.get(53)
        if len(ksn) != 12:
            return
        slot = in_flight.find(unpack_from(">I", ksn, 8)[0])
        if slot < 0:
            return
        if not answer.check(in_flight.key(slot)):
            self._bad_mac(slot)
            return
        code = bytes(answer.get(39))
        if not self._matches(answer, slot) or not answers.is_code(code) and answer.mti != 0x0510:
            return
        purpose, sequence, amount = in_flight.purpose[slot], in_flight.sequence[slot], in_flight.amount[slot]
        in_flight.drop(slot)
        courier.bad_macs = courier.strikes = 0
        if frame[_REQUEST] & 15:
            self._asked_by_host(frame[_REQUEST] & 15)
        meaning = answers.meaning(code, _CLASS[purpose])
        if purpose == sent.HANDSHAKE:
            self._handshake(answer, meaning)
        elif purpose == sent.REVERSAL:
            if meaning == answers.YES:
                self._journal.mark(layout.REVERSED, sequence, code)
                courier.queue.advance()
            else:
                courier.reversal_postponed = True
        elif purpose == sent.ONLINE:
            self._online(answer, meaning, code)
        elif purpose == sent.QUEUED:
            courier.queue.answered(sequence, amount, meaning, code)
        elif self._upload:
            self._upload = None if purpose == sent.MANAGE else self._upload
        elif courier.task and courier.task.take(answer, purpose, code):
            courier.status.renewed = courier.status.renewed or courier.task.changed
            courier.end_task()

    def _matches(self, answer: Answer, slot: int) -> bool:
        """Whether MTI, terminal, STAN, uid and, for a payment, amount are those of the request."""
        if answer.get(41) != self._courier.identity.terminal:
            return False
        echo = bytes(answer.frame[13:15]) + bytes(answer.get(63)[3:19]) + bytes(answer.get(11))
        if self.in_flight.purpose[slot] in (sent.REVERSAL, sent.ONLINE, sent.QUEUED, sent.UPLOAD):
            echo += bytes(answer.get(4))
        return self.in_flight.echoes(slot, echo)

    def _bad_mac(self, slot: int) -> None:
        """Count an answer with a wrong MAC. It reverses an online request; the third one ends the connection."""
        courier = self._courier
        courier.bad_macs += 1
        if self.in_flight.purpose[slot] == sent.ONLINE:
            self.in_flight.drop(slot)
            courier.reverse(_WRONG_MAC, answers.REVERSE)
        if courier.bad_macs >= _BAD_MACS or self.in_flight.purpose[slot] == sent.HANDSHAKE:
            courier.strikes += 1
            if courier.strikes >= 2:
                courier.fault = "unknown terminal"
            raise WireError("answers without a valid MAC")

    # -- acting on an answer ----------------------------------------------------------------------------------------

    def _handshake(self, answer: Answer, meaning: int) -> None:
        courier = self._courier
        if meaning == answers.UNKNOWN_TERMINAL:
            courier.fault = "unknown terminal"
            raise WireError("the host does not know this terminal")
        if meaning != answers.YES:
            raise WireError("handshake refused")
        from kassa.uplink import sign_on

        quarantined, courier.host_epoch, courier.host_batch, now, east, courier.counter_seen, after = sign_on.read(
            answer
        )
        courier.fault = "rollback" if quarantined else ""
        courier.clock.trust(now, east)
        sign_on.heard(self._journal, now, courier.host_batch)
        courier.keyring.skip_used(courier.counter_seen)
        courier.handshaken = True
        if after >= 0:
            from kassa.uplink import upload

            self._upload = upload.Upload(self._journal, after)
        courier.status.clock_trusted = True

    def _online(self, answer: Answer, meaning: int, code: bytes) -> None:
        courier, outcome = self._courier, self._courier.outcome
        outcome.take(answer, code)
        sequence = courier.request
        if meaning == answers.YES:
            courier.request = 0
            courier.queue.final(sequence, layout.YES, code)
            outcome.kind = answers.YES
        elif meaning == answers.NO:
            courier.request = 0
            courier.queue.final(sequence, layout.DECLINED, code)
            outcome.kind = answers.NO
        elif code == _IN_PROGRESS and transactions.effect(self._kind) == transactions.IN_QR:
            outcome.code_to_show = bytes(answer.get(62))
            outcome.waiting = True  # the flow sends it again, or gives up
        else:
            courier.reverse(NO_ANSWER, answers.REVERSE)

    def _asked_by_host(self, request: int) -> None:
        """Obey the host's processing request, once per connection."""
        courier = self._courier
        if courier.asked >> request & 1:
            return
        if request == _SIGN_ON:
            courier.sign_on_due = True
        elif courier.task or overlay.phase in ("tap", "proof"):
            return  # one task at a time, and none beside a card: the host will ask again
        else:
            self._begin_task(request)
        courier.asked |= 1 << request

    def _begin_task(self, request: int) -> None:
        """Start the task for a processing request, if there is one."""
        courier = self._courier
        if courier.settings is not None:
            from kassa.uplink import management

            courier.task = management.task_for(
                request, courier.settings, courier.cards, courier.journal, courier.refused
            )
