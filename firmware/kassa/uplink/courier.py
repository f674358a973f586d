# SPDX-License-Identifier: MIT
"""The courier: the only sender. It knows what has still to be sent to the host, connected or not.

The dialogue with the host is in exchange.py.
"""

from micropython import const

from kassa import overlay
from kassa.errors import WireError
from kassa.uplink import answers
from kassa.uplink.identity import Identity
from kassa.uplink.queue import Queue
from kassa.uplink.request_result import RequestResult
from kassa.vault.journal.journal import Journal
from kassa.vault.keyring.keyring import Keyring

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from kassa.clock import Clock
    from kassa.hardware import Entropy
    from kassa.status import Status
    from kassa.uplink.in_flight import InFlight
    from kassa.uplink.iso8583 import Answer
    from kassa.uplink.outbox import Outbox
    from kassa.vault.settings.settings import Settings

    class ManagementTask(Protocol):
        """Work done when no payment is waiting: a batch close, or a task of management.py.

        `closes`: it closes a batch. `changed`: it has changed settings.
        """

        closes: bool
        changed: bool

        def restart(self) -> None: ...

        def frame(self, outbox: Outbox, record: bytearray) -> memoryview | None: ...

        def take(self, answer: Answer, purpose: int, code: bytes) -> bool: ...


NO_ANSWER = b"98"  # DE 39 of a reversal
CARD_TABLES = b"\x04\x07\x05"  # processing requests: scheme keys, blocked BINs, applications


class Courier:
    """One per terminal. `open` is called on each new connection, `disconnected` when it ends or could not be made."""

    def __init__(
        self,
        journal: Journal,
        keyring: Keyring,
        identity: Identity,
        clock: "Clock",
        status: "Status",
        entropy: "Entropy",
    ) -> None:
        self.journal = journal
        self.keyring = keyring
        self.identity = identity
        self.clock = clock
        self.status = status
        self.entropy = entropy
        self.queue = Queue(journal)
        self.in_flight: "InFlight | None" = None  # of the current dialogue
        self.outcome = RequestResult()
        self.request = 0  # sequence of the intent that a flow wants sent online, 0 = none
        self.sent = False  # a byte of the request may have been sent
        self.resend = False  # send the request again: the host knows its uid and answers with the current state
        self.withdrawn = 0  # sequence of a withdrawn intent about which the flow has still to decide, 0 = none
        self.task: "ManagementTask | None" = None
        self.cards: tuple = ()  # partition and key of the card tables, for management.py
        self.settings: "Settings | None" = None  # for management.py
        self.damaged_tables = []  # processing requests for damaged tables that must be fetched again
        self.refused = {}  # 60.3 -> version of a table that was refused, for management.py
        self.fault = ""  # for the screen: "unknown terminal" (to the host), "rollback" (quarantine)
        self.strikes = 0  # consecutive connections that ended because of answers without a valid MAC
        self.reversal_postponed = False  # the host postponed the reversal: do not send it again on this connection
        self.asked = 0  # bit n: the host made processing request n on this connection
        self.bad_macs = 0  # on this connection
        self.sign_on_due = False  # the host asked for another handshake
        self.partial_frame = b""  # received on this connection while no answer was awaited
        self.handshaken = False
        self.host_epoch = self.host_batch = 0  # from the handshake
        self.counter_seen = (
            0  # highest counter that the host has seen, from a handshake; cleared once the till has been told
        )

    # -- the connection ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start again with everything unanswered, on a new connection."""
        self.handshaken = self.reversal_postponed = False
        self.asked = self.bad_macs = 0
        self.sign_on_due = False
        self.partial_frame = b""
        self.queue.restart(self.request or self.withdrawn)
        if self.task:
            self.task.restart()

    def has_work(self) -> bool:
        """Whether there may be a message to send now, on a connection with none in flight."""
        state = self.journal.state
        if self.request and (self.resend or not self.sent) or self.sign_on_due:
            return True
        if state.reversing or self.queue.has_pending():  # these come before a task
            return self.queue.has_pending() or not self.reversal_postponed
        return bool(self.task or self.may_fetch()) or self.host_epoch > state.epoch

    def may_fetch(self) -> bool:
        """Whether something of `damaged_tables` may be begun: no payment waits for it, and between payments memory is free."""
        return bool(self.damaged_tables) and overlay.phase == "idle"

    def work(self) -> tuple:
        """What decides about the next message: as long as it is the same, nothing new can be sent."""
        state = self.journal.state
        tables = len(self.damaged_tables) if self.may_fetch() else 0
        return self.request, self.resend, self.task, tables, state.sequence, state.number, state.serial

    def disconnected(self) -> None:
        """The connection has ended: drop what was in flight, and reverse an online request that may have been sent."""
        in_flight, self.in_flight = self.in_flight, None
        if in_flight:
            in_flight.close()
        self.queue.flush()
        self.handshaken = False
        if self.request and self.sent:
            self.reverse(NO_ANSWER, answers.REVERSE)
        self.status.set_pending(self.journal.state)

    def has_pending(self) -> bool:
        """Whether anything has still to be sent to the host, even if the host has postponed it."""
        return self.journal.state.reversing == 1 or self.queue.has_pending()

    def unanswered(self) -> int:
        """The number of messages in flight."""
        return self.in_flight.count if self.in_flight else 0

    def load(self, sequence: int, page: bytearray) -> None:
        """Read the record of a request or reversal into `page`. Raises WireError if it cannot be read: it blocks all sending."""
        if not sequence or not self.queue.load(sequence, page):
            raise WireError("a record to be sent cannot be read")

    # -- the online request -----------------------------------------------------------------------------------------

    def submit(self, sequence: int) -> None:
        """Ask for an intent to be sent online. `outcome` is replaced, and filled in when the answer arrives."""
        self.outcome = RequestResult(sequence)
        self.sent = self.resend = False
        self.request = sequence
        self.status.changed()

    def withdraw(self) -> int:
        """Withdraw a request that was never sent. Returns its sequence, or 0 if it is too late.

        The sequence stays in `withdrawn` until the caller has decided about the intent and sets it to 0.
        """
        if not self.request or self.sent:
            return 0
        self.withdrawn, self.request = self.request, 0
        return self.withdrawn

    def give_up(self) -> None:
        """Stop waiting: reverse the request if it may have been sent. Does nothing if it was answered."""
        if self.request and self.sent:
            if self.in_flight:
                self.in_flight.drop_request()
            self.reverse(NO_ANSWER, answers.REVERSE)
            self.status.set_pending(self.journal.state)

    def reverse(self, reason: bytes, kind: int) -> None:
        """End an online request that got no final answer. The mark is durable before anything else happens.

        `reason`: DE 39 of the reversal. `kind`: the outcome for the flow. Raises FlashFault, JournalFull.
        """
        sequence, self.request = self.request, 0  # if writing the mark fails, the next connection writes it
        self.outcome.kind = kind
        self.reversal_postponed = False
        self.queue.unanswered(sequence, reason)

    # -- tasks ------------------------------------------------------------------------------------------------------

    def begin(self, task: "ManagementTask", outcome: RequestResult) -> None:
        """Start a task that the cashier asked for. It runs when no payment is waiting, and fills in `outcome`."""
        self.outcome, self.task = outcome, task
        self.status.changed()

    def end_task(self) -> None:
        """Drop the task: it has ended, or the flow no longer waits for it."""
        self.task = None
