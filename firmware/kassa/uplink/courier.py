# SPDX-License-Identifier: MIT
"""The courier: the only sender. It knows what the host must still be sent, connected or not.

The dialogue with the host is in exchange.py.
"""

from micropython import const

from kassa.errors import WireError
from kassa.uplink import answers
from kassa.uplink.identity import Identity
from kassa.uplink.outcome import Outcome
from kassa.uplink.queue import Queue
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
        """Work that waits until no payment does: a batch close, or one of management.py.

        `closes`: it closes a batch; `changed`: it has changed settings.
        """

        closes: bool
        changed: bool

        def restart(self) -> None: ...

        def frame(self, outbox: Outbox, record: bytearray) -> memoryview | None: ...

        def take(self, answer: Answer, purpose: int, code: bytes) -> bool: ...


NO_ANSWER = b"98"  # DE 39 of a reversal
CARD_TABLES = b"\x04\x07\x05"  # processing requests: keys, blocked BINs, applications


class Courier:
    """One per terminal. `open` is called on each new connection, `lost` when it ends or cannot be made."""

    def __init__(
        self,
        journal: Journal,
        keyring: Keyring,
        who: Identity,
        clock: "Clock",
        status: "Status",
        entropy: "Entropy",
    ) -> None:
        self.journal = journal
        self.keyring = keyring
        self.who = who
        self.clock = clock
        self.status = status
        self.entropy = entropy
        self.queue = Queue(journal)
        self.in_flight: "InFlight | None" = None  # of the dialogue that is under way
        self.outcome = Outcome()
        self.request = 0  # sequence of the intent to send online, 0 = none
        self.sent = False  # a byte of the request may have left
        self.again = False  # the request is to be sent once more: the host, which knows its uid, says how it stands
        self.held = 0  # sequence of a withdrawn intent that the caller must still decide about, 0 = none
        self.task: "ManagementTask | None" = None
        self.cards: tuple = ()  # partition and key of the card tables, for management.py
        self.settings: "Settings | None" = None  # likewise
        self.rotten = []  # processing requests for tables that must be fetched anew
        self.refused = {}  # tables that were not taken, for management.py
        self.fault = ""  # "stranger", "rollback": for the screen
        self.strikes = 0  # connections in a row that ended by answers without a valid MAC
        self.put_off = False  # the host wants the reversal later: not again on this connection
        self.asked = 0  # processing requests of the host on this connection, a bit each
        self.bad_macs = 0  # on this connection
        self.handshaken = False
        self.host_epoch = self.host_batch = 0  # as the handshake said
        self.heard = False  # the host answered a handshake; the till takes note of it and clears this
        self.used = 0  # the highest transaction counter of ours that the host has seen

    # -- the connection ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """A new connection: begin again with what is not answered."""
        self.handshaken = self.put_off = False
        self.asked = self.bad_macs = 0
        self.queue.restart(self.request or self.held)
        if self.task:
            self.task.restart()

    def has_work(self) -> bool:
        """Whether the host can be sent something now, on a connection where no answer is awaited."""
        state = self.journal.state
        return bool(
            self.request
            and (self.again or not self.sent)
            or self.task
            or self.rotten
            or state.reversing
            and not self.put_off
            or self.queue.has_work()
            or self.host_epoch > state.epoch
            and not self.owes()
        )

    def lost(self) -> None:
        """The connection ended: what was in flight is not answered. An online request that may have left is reversed."""
        in_flight, self.in_flight = self.in_flight, None
        if in_flight:
            in_flight.close()
        self.queue.flush()
        self.handshaken = False
        if self.request and self.sent:
            self.reverse(NO_ANSWER, answers.REVERSE)
        self.status.set_pending(self.journal.state)

    def owes(self) -> bool:
        """Whether the host must still be sent something, put off by it or not."""
        return self.journal.state.reversing == 1 or self.queue.owes()

    def unanswered(self) -> int:
        """How many messages are in flight."""
        return self.in_flight.count if self.in_flight else 0

    def load(self, sequence: int, page: bytearray) -> None:
        """Read the record of a request or a reversal. Raises WireError when it cannot be read: nothing can be sent then."""
        if not sequence or not self.queue.load(sequence, page):
            raise WireError("a record that is owed cannot be read back")

    # -- the online request -----------------------------------------------------------------------------------------

    def submit(self, sequence: int) -> None:
        """Ask for an intent to be sent online; `outcome` is cleared and filled in later."""
        self.outcome = Outcome(sequence)
        self.sent = self.again = False
        self.request = sequence
        self.status.changed()

    def withdraw(self) -> int:
        """Take back a request of which nothing was sent; returns its sequence, 0 when it is too late.

        It is held until the caller has decided about it and sets `held` to 0.
        """
        if not self.request or self.sent:
            return 0
        self.held, self.request = self.request, 0
        return self.held

    def give_up(self) -> None:
        """The flow's patience is over: reverse the request if it may have left. Does nothing when it was answered."""
        if self.request and self.sent:
            if self.in_flight:
                self.in_flight.drop_request()
            self.reverse(NO_ANSWER, answers.REVERSE)
            self.status.set_pending(self.journal.state)

    def reverse(self, reason: bytes, kind: int) -> None:
        """The online request got no final answer: what follows from that is durable before anything else happens."""
        sequence, self.request = self.request, 0  # should the mark fail, the next connection makes it
        self.outcome.kind = kind
        self.put_off = False
        self.queue.unanswered(sequence, reason)

    # -- tasks ------------------------------------------------------------------------------------------------------

    def begin(self, task: "ManagementTask", outcome: Outcome) -> None:
        """Do a task of the cashier's when nothing else waits; it fills in `outcome`."""
        self.outcome, self.task = outcome, task
        self.status.changed()

    def end_task(self) -> None:
        """The task has ended, or nobody waits for it any more."""
        self.task = None
