# SPDX-License-Identifier: MIT
"""The courier: the only sender. A state machine without clock or socket: `next_frame` gives what to send, `feed` takes what came.

Order: handshake, reversal, the online request, then the queue in windows, then the batch close.
"""

from struct import unpack_from

from micropython import const

from kassa import transactions
from kassa.errors import WireError
from kassa.uplink import answers, messages
from kassa.uplink.in_flight import InFlight
from kassa.uplink.inbox import Inbox
from kassa.uplink.iso8583 import Answer
from kassa.uplink.outbox import CLOSE, HANDSHAKE, MANAGE, ONLINE, QUEUED, REVERSAL, UPLOAD, Outbox
from kassa.uplink.outcome import Outcome
from kassa.uplink.queue import Queue
from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal
from kassa.vault.keyring.keyring import Keyring

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.clock import Clock
    from kassa.hardware import Entropy
    from kassa.status import Status
    from kassa.uplink.management import ManagementTask
    from kassa.vault.settings.settings import Settings

# The class of each purpose's messages, for the meaning of their answers.
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
_IN_PROGRESS = b"09"
_SIGN_ON = const(3)  # a processing request
CARD_TABLES = b"\x04\x07\x05"  # processing requests: keys, blocked BINs, applications
_REQUEST = const(9)  # in a frame: terminal status and processing request


class Courier:
    """One per terminal; `open` is called on each new connection, `lost` when it ends."""

    def __init__(
        self,
        journal: Journal,
        keyring: Keyring,
        who: messages.Identity,
        clock: "Clock",
        status: "Status",
        entropy: "Entropy",
    ) -> None:
        self.journal = journal
        self.outcome = Outcome()
        self.request = 0  # sequence of the intent to send online, 0 = none
        self.sent = False  # a byte of the request may have left
        self.held = 0  # sequence of an intent that was withdrawn and is still to be decided about, 0 = none
        self.task: "ManagementTask | None" = None  # a batch close, or one of management.py
        self.cards: tuple = ()  # partition and key of the card tables, for management.py
        self.settings: "Settings | None" = None  # likewise
        self.rotten = []  # processing requests for tables that must be fetched anew
        self._refused = {}  # tables that were not taken, for management.py
        self.fault = ""  # "stranger", "rollback": for the screen
        self.handshaken = False
        self.heard = False  # the host answered a handshake; the till takes note of it and clears this
        self.used = 0  # the highest transaction counter the host has seen of us
        self._epoch = 0  # the host's
        self._batch = 0  # likewise
        self._who = who
        self.keyring = keyring
        self._clock = clock
        self._status = status
        self._queue = Queue(journal)
        self.in_flight = InFlight()
        self._inbox = Inbox()
        self.outbox = Outbox(journal, keyring, who, self.in_flight, entropy)
        self._record = bytearray(256)
        self._kind = 0  # of the request
        self.again = False  # it is to be sent once more: the host, which knows it by its uid, says how it stands
        self._sign_on = False  # the host wants another handshake
        self._asked = 0  # processing requests of the host on this connection, a bit each
        self._put_off = False  # the host wants the reversal later: not again on this connection
        self._bad_macs = 0  # on this connection
        self._strikes = 0  # connections in a row that ended by them

    # -- the connection ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """A new connection: start with a handshake, forget what was in flight on the old one."""
        self.handshaken = False
        self._inbox.open()
        self._put_off = False
        self._bad_macs = self._asked = 0
        self._queue.restart(self.request or self.held)
        if self.task:
            self.task.restart()

    def lost(self) -> None:
        """The connection ended: what was in flight is not answered. An online request that may have left is reversed."""
        self._inbox.open()
        self.rest()
        self._queue.flush()
        self.handshaken = False
        if self.request and self.sent:
            self._reverse(b"98", answers.REVERSE)
        self._status.queue(self.journal.state)

    def rest(self) -> None:
        """The connection has ended, or stands idle with nothing in flight: its tables and buffers go until they are needed."""
        self.in_flight.close()
        self._inbox.close()
        self.outbox.close()

    def owes(self) -> bool:
        """Whether the host still has something to come, put off by it or not."""
        return self.journal.state.reversing == 1 or self._queue.owes()

    # -- sending ----------------------------------------------------------------------------------------------------

    def next_frame(self) -> memoryview | None:
        """The next frame that may be sent now, valid until another one is asked for; None = nothing to send now."""
        in_flight = self.in_flight
        if not self.handshaken:
            return None if in_flight.count else self.outbox.handshake()
        if not in_flight.room() or in_flight.carries(REVERSAL) or in_flight.carries(CLOSE) or in_flight.carries(MANAGE):
            return None
        if self.journal.state.reversing and not self._put_off:
            return self._reversal()
        if self.request and (self.again or not self.sent):
            self._load(self.request)
            about = self._queue.about(self._record)
            self._kind = self._record[1]
            self.sent, self.again, self.outcome.waiting = True, False, False
            return self.outbox.payment(ONLINE, self._kind, self._record, self.request, 0, about)
        sequence, kind, amount = self._queue.next(self._record, in_flight)
        if sequence:
            about = b"" if kind == transactions.VOID_ENTRY else self._queue.about(self._record)
            return self.outbox.payment(QUEUED, kind, self._record, sequence, amount, about)
        if in_flight.count == 0:
            self._queue.flush()
            self._status.queue(self.journal.state)
            if self._sign_on:
                self._sign_on = False
                return self.outbox.handshake()
            if self._epoch > self.journal.state.epoch and not self.owes():
                from kassa.uplink import new_epoch  # after a quarantine

                if new_epoch.begin(self.journal, self._epoch, self._batch) and self.task and self.task.closes:
                    self.end_task()
                    self.outcome.kind = answers.NO  # their batch was closed with its epoch
        if self._queue.owes() or self.journal.state.reversing:
            return None
        if self.rotten and not self.task:
            self._do(self.rotten.pop())
        if self.task:
            return self.task.frame(in_flight, self._record)
        return None

    def _reversal(self) -> memoryview | None:
        """The oldest reversal that is owed."""
        sequence = self._queue.reversing()
        if not sequence:  # its mark rotted after it was answered
            self.journal.state.reversing = 0
            return None
        self._load(sequence)
        return self.outbox.reversal(self.journal.reasons.get(sequence, b"98"), self._record, sequence)

    def _load(self, sequence: int) -> None:
        """Read the record of a request or a reversal. Raises WireError when it is gone: nothing can be sent then."""
        if not sequence or not self._queue.load(sequence, self._record):
            raise WireError("a record that is owed cannot be read back")

    # -- receiving --------------------------------------------------------------------------------------------------

    def feed(self, data: memoryview) -> None:
        """Take received bytes, any split. Raises WireError when they cannot be frames: the connection is given up."""
        for frame in self._inbox.frames(data):
            self._take(frame)
        self._status.queue(self.journal.state)

    def _take(self, frame: memoryview) -> None:
        """One answer: match it, believe it, act on it; what does not match is dropped."""
        answer = Answer(frame)
        ksn = answer.get(53)
        if len(ksn) != 12:
            return
        slot = self.in_flight.find(unpack_from(">I", ksn, 8)[0])
        if slot < 0:
            return
        if not answer.check(self.in_flight.key(slot)):
            self._bad_mac(slot)
            return
        code = bytes(answer.get(39))
        if not self._matches(answer, slot) or not answers.is_code(code) and answer.mti != 0x0510:
            return
        in_flight = self.in_flight
        purpose, sequence, amount = in_flight.purpose[slot], in_flight.sequence[slot], in_flight.amount[slot]
        in_flight.drop(slot)
        self._bad_macs = self._strikes = 0
        if frame[_REQUEST] & 15:
            self._asked_by_host(frame[_REQUEST] & 15)
        meaning = answers.meaning(code, _CLASS[purpose])
        if purpose == HANDSHAKE:
            self._handshake(answer, meaning)
        elif purpose == REVERSAL:
            if meaning == answers.YES:
                self.journal.mark(layout.REVERSED, sequence, code)
                self._queue.advance()
            else:
                self._put_off = True
        elif purpose == ONLINE:
            self._online(answer, meaning, code)
        elif purpose == QUEUED:
            self._queue.answered(sequence, amount, meaning, code)
        elif self.task and self.task.take(answer, purpose, code):
            self._status.renewed = self._status.renewed or self.task.changed
            self.end_task()

    def _matches(self, answer: Answer, slot: int) -> bool:
        """MTI, terminal, STAN, uid and, for a payment, the amount are those of the request."""
        if answer.get(41) != self._who.terminal:
            return False
        echo = bytes(answer.frame[13:15]) + bytes(answer.get(63)[3:19]) + bytes(answer.get(11))
        if self.in_flight.purpose[slot] in (REVERSAL, ONLINE, QUEUED, UPLOAD):
            echo += bytes(answer.get(4))
        return self.in_flight.echoes(slot, echo)

    def _bad_mac(self, slot: int) -> None:
        """Count an answer whose MAC is wrong; an online request with one is reversed (A0); after three the link is given up."""
        self._bad_macs += 1
        if self.in_flight.purpose[slot] == ONLINE:
            self.in_flight.drop(slot)
            self._reverse(b"A0", answers.REVERSE)
        if self._bad_macs >= _BAD_MACS or self.in_flight.purpose[slot] == HANDSHAKE:
            self._strikes += 1
            if self._strikes >= 2:
                self.fault = "stranger"
            raise WireError("answers without a valid MAC")

    # -- what an answer does ----------------------------------------------------------------------------------------

    def _handshake(self, answer: Answer, meaning: int) -> None:
        if meaning == answers.STRANGER:
            self.fault = "stranger"
            raise WireError("the host does not know this terminal")
        if meaning != answers.YES:
            raise WireError("handshake refused")
        from kassa.uplink import sign_on

        held, self._epoch, self._batch, now, self.used = sign_on.read(answer)
        self.fault = "rollback" if held else ""
        self._clock.trust(now)
        sign_on.heard(self.journal, now, self._batch)
        self.keyring.pass_over(self.used)
        self.handshaken = self.heard = True
        self._status.clock_trusted = True

    def _online(self, answer: Answer, meaning: int, code: bytes) -> None:
        outcome = self.outcome
        outcome.take(answer, code)
        sequence = self.request
        if meaning == answers.YES:
            self.request = 0
            self._queue.final(sequence, layout.YES, code)
            outcome.kind = answers.YES
        elif meaning == answers.NO:
            self.request = 0
            self._queue.final(sequence, layout.DECLINED, code)
            outcome.kind = answers.NO
        elif code == _IN_PROGRESS and transactions.effect(self._kind) == transactions.IN_QR:
            outcome.shown = bytes(answer.get(62))
            outcome.waiting = True  # the flow asks again, or gives up
        else:
            self._reverse(b"98", answers.REVERSE)

    def _reverse(self, reason: bytes, kind: int) -> None:
        """The online request got no final answer: what follows from that is durable before anything else happens."""
        sequence, self.request = self.request, 0  # should the mark fail, the next connection makes it
        self.outcome.kind = kind
        self._put_off = False
        self._queue.unanswered(sequence, reason)

    def give_up(self) -> None:
        """The flow's patience is over: reverse the request if it may have left. Does nothing when it was answered."""
        if self.request and self.sent:
            self.in_flight.drop_all(ONLINE)
            self._reverse(b"98", answers.REVERSE)
            self._status.queue(self.journal.state)

    def withdraw(self) -> int:
        """Take back a request of which nothing was sent; returns its sequence, 0 when it is too late.

        It is held until the caller has decided about it and sets `held` to 0.
        """
        if not self.request or self.sent:
            return 0
        self.held, self.request = self.request, 0
        return self.held

    def submit(self, sequence: int) -> None:
        """Ask for an intent to be sent online; `outcome` is cleared and filled in later."""
        self.outcome = Outcome(sequence)
        self.sent = self.again = False
        self.request = sequence
        self._status.changed()

    def begin(self, task: "ManagementTask", outcome: Outcome) -> None:
        """Do an task of the cashier's, when nothing else waits; `outcome` is what it fills in."""
        self.outcome, self.task = outcome, task
        self._status.changed()

    def _asked_by_host(self, request: int) -> None:
        """The host's processing request, obeyed once on a connection."""
        if request == _SIGN_ON and not self._asked >> request & 1:
            self._asked |= 1 << request
            self._sign_on = True
        if not self.task and not self._asked >> request & 1:
            self._asked |= 1 << request
            self._do(request)

    def _do(self, request: int) -> None:
        if self.settings is not None:
            from kassa.uplink import management

            self.task = management.task_for(
                request, self.settings, self.cards, self.journal, self.outbox, self._refused
            )

    def end_task(self) -> None:
        """It has ended, or nobody waits for it any more."""
        self.task = None
