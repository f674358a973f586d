# SPDX-License-Identifier: MIT
"""The courier: the only sender. A state machine without clock or socket: `fill` gives bytes to send, `feed` takes bytes received.

Order: handshake, reversal, the online request, then the queue in windows, then the batch close.
"""

from struct import unpack_from

from micropython import const

from kassa.calendar import seconds
from kassa.crypto.dukpt import MAC_DOWN, MAC_UP
from kassa.crypto.wipe import zero
from kassa.errors import WireError
from kassa.money import unpack_bcd
from kassa.uplink import answers, messages
from kassa.uplink.flights import WINDOW, Flights
from kassa.uplink.iso8583 import MAX_FRAME, Answer, Writer
from kassa.uplink.queue import Queue
from kassa.vault import layout
from kassa.vault.journal import Journal
from kassa.vault.keyring import Keyring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kassa.clock import Clock
    from kassa.hardware import Bytes, Entropy
    from kassa.status import Status

_HANDSHAKE = const(1)
_REVERSAL = const(2)
_ONLINE = const(3)
_QUEUED = const(4)
_CLOSE = const(5)
_CLASS = (0, answers.MANAGEMENT, answers.REVERSAL, answers.ONLINE, answers.DEFERRED, answers.MANAGEMENT)
_BAD_MACS = const(3)


class Outcome:
    """What became of the one request a flow waits for; `kind` 0 while it is open."""

    def __init__(self) -> None:
        self.kind = 0  # answers.YES, NO, REVERSE (no answer)
        self.code = b""
        self.text = ""
        self.auth = ""
        self.rrn = ""
        self.totals = b""  # DE 48 of 0510


class Courier:
    """One per terminal; `open` is called on each new connection, `lost` when it ends."""

    def __init__(
        self, journal: Journal, keyring: Keyring, who: messages.Identity, clock: "Clock", status: "Status", entropy: "Entropy"
    ) -> None:
        self.journal = journal
        self.outcome = Outcome()
        self.request = 0  # sequence of the intent to send online, 0 = none
        self.sent = False  # a byte of the request may have left
        self.totals: "Bytes" = b""  # DE 48 of the batch close to send, b"" = none
        self.fault = ""  # "stranger", "rollback": for the screen
        self.handshaken = False
        self._keyring = keyring
        self._who = who
        self._clock = clock
        self._status = status
        self._entropy = entropy
        self._queue = Queue(journal)
        self._flights = Flights()
        self._writer = Writer()
        self._record = bytearray(256)
        self._received = bytearray(MAX_FRAME)
        self._filled = 0
        self._bad_macs = 0
        self._strikes = 0
        self._close_uid = bytearray(16)
        self._close_stan = 0
        self._ksn = bytearray(12)

    # -- the connection ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """A new connection: start with a handshake, forget what was in flight on the old one."""
        self.handshaken = False
        self._filled = 0
        self._bad_macs = 0
        self._queue.restart()

    def lost(self) -> None:
        """The connection ended: what was in flight is not answered. An online request that may have left is reversed."""
        for slot in range(WINDOW):
            if self._flights.purpose[slot]:
                self._flights.drop(slot)
        self._queue.flush()
        self.handshaken = False
        if self.request and self.sent:
            self._reverse(b"98", answers.REVERSE)
        self._publish()

    def has_work(self) -> bool:
        """Whether anything waits to be sent or answered."""
        return bool(
            self._flights.count or self.request or self.totals or self.journal.state.reversing or self._queue.has_work()
        )

    def in_flight(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._flights.count)

    # -- sending ----------------------------------------------------------------------------------------------------

    def fill(self, into: memoryview) -> int:
        """Put as many frames as fit into `into` (>= 512 B) and return their size; 0 = nothing to send now."""
        size = 0
        while len(into) - size >= MAX_FRAME:
            frame = self._next()
            if frame is None:
                break
            into[size : size + len(frame)] = frame
            size += len(frame)
        return size

    def _next(self) -> memoryview | None:
        """The next frame that may be sent now."""
        flights = self._flights
        if not self.handshaken:
            return None if flights.count else self._manage(_HANDSHAKE)
        if flights.purpose.find(bytes((_REVERSAL,))) >= 0 or flights.purpose.find(bytes((_CLOSE,))) >= 0:
            return None
        if self.journal.state.reversing:
            return self._send_reversal()
        if self.request and not self.sent:
            return self._send_request()
        if flights.count < WINDOW:
            sequence, kind, amount = self._queue.next(self._record, flights)
            if sequence:
                return self._send(_QUEUED, kind, sequence, amount)
        if flights.count == 0:
            self._queue.flush()
            if self.totals and not self._queue.has_work():
                return self._manage(_CLOSE)
        return None

    def _send_request(self) -> memoryview | None:
        if not self._queue.load(self.request, self._record):
            raise WireError("the intent cannot be read back")
        self.sent = True
        return self._send(_ONLINE, messages.SALE, self.request, 0)

    def _send_reversal(self) -> memoryview | None:
        sequence = self._queue.reversing()
        if not sequence or not self._queue.load(sequence, self._record):
            raise WireError("the reversal's payment cannot be read back")
        slot, key = self._flight(_REVERSAL, sequence, 0)
        try:
            return messages.reversal(self._writer, self._who, b"98", memoryview(self._record), self._ksn, key)
        finally:
            zero(key)

    def _send(self, purpose: int, kind: int, sequence: int, amount: int) -> memoryview:
        _, key = self._flight(purpose, sequence, amount)
        try:
            return messages.payment(self._writer, self._who, kind, memoryview(self._record), self._ksn, key)
        finally:
            zero(key)

    def _flight(self, purpose: int, sequence: int, amount: int) -> tuple[int, bytearray]:
        """Take a slot and a message KSN; the record's uid and STAN are what the answer must echo. The caller zeroes the key."""
        up, down = bytearray(16), bytearray(16)
        counter = self._keyring.take(MAC_UP, up, MAC_DOWN, down)
        slot = self._flights.add(purpose, counter, sequence, amount)
        self._flights.key(slot)[:] = down
        zero(down)
        self._keyring.ksn(counter, self._ksn, 0)
        echo = self._flights.echo(slot)
        echo[:16] = self._record[8:24]
        echo[16:19] = self._record[32:35]
        echo[19:] = self._record[24:30]
        return slot, up

    def _manage(self, purpose: int) -> memoryview:
        state = self.journal.state
        if purpose == _HANDSHAKE or not self._close_stan:
            uid, stan = bytearray(self._entropy(16)), self._keyring.next_stan()
            if purpose == _CLOSE:
                self._close_uid[:], self._close_stan = uid, stan
        else:
            uid, stan = self._close_uid, self._close_stan
        slot, key = self._flight(purpose, 0, 0)
        echo = self._flights.echo(slot)
        echo[:16] = uid
        for index in range(3):
            echo[16 + index] = stan // 100 ** (2 - index) % 100 // 10 << 4 | stan // 100 ** (2 - index) % 10
        try:
            if purpose == _HANDSHAKE:
                free = messages.handshake(state, self.journal.head)
                return messages.management(
                    self._writer, self._who, 0x0800, 900, stan, state.batch, uid, self._ksn, key, free=free
                )
            return messages.management(
                self._writer, self._who, 0x0500, 201, stan, state.batch, uid, self._ksn, key, totals=self.totals
            )
        finally:
            zero(key)

    # -- receiving --------------------------------------------------------------------------------------------------

    def feed(self, data: memoryview) -> None:
        """Take received bytes, any split. Raises WireError when they cannot be frames: the connection is given up."""
        at = 0
        while at < len(data):
            part = min(len(data) - at, MAX_FRAME - self._filled)
            self._received[self._filled : self._filled + part] = data[at : at + part]
            self._filled += part
            at += part
            self._parse()
        self._publish()

    def _parse(self) -> None:
        start = 0
        received = self._received
        while self._filled - start >= 2:
            size = 2 + (received[start] << 8 | received[start + 1])
            if size > MAX_FRAME:
                raise WireError("frame too long")
            if self._filled - start < size:
                break
            self._take(memoryview(received)[start : start + size])
            start += size
        if start:
            rest = self._filled - start
            received[:rest] = received[start : self._filled]
            self._filled = rest

    def _take(self, frame: memoryview) -> None:
        """One answer: match it, believe it, act on it; what does not match is dropped."""
        answer = Answer(frame)
        ksn = answer.get(53)
        if len(ksn) != 12:
            return
        slot = self._flights.find(unpack_from(">I", ksn, 8)[0])
        if slot < 0:
            return
        if not answer.check(self._flights.key(slot)):
            self._bad_mac(slot)
            return
        if not self._matches(answer, slot):
            return
        flights = self._flights
        purpose, sequence, amount = flights.purpose[slot], flights.sequence[slot], flights.amount[slot]
        flights.drop(slot)
        self._bad_macs = self._strikes = 0
        code = bytes(answer.get(39))
        meaning = answers.meaning(code, _CLASS[purpose])
        if purpose == _HANDSHAKE:
            self._handshake(answer, meaning)
        elif purpose == _REVERSAL:
            if meaning == answers.YES:
                self.journal.mark(layout.REVERSED, sequence, code, reversing=0)
                self._queue.advance()
        elif purpose == _ONLINE:
            self._online(answer, meaning, code)
        elif purpose == _QUEUED:
            self._queue.answered(sequence, amount, meaning, code)
            if meaning == answers.NO:
                self._status.refused_later += 1
        else:
            self._closed(answer)

    def _matches(self, answer: Answer, slot: int) -> bool:
        """MTI, terminal, STAN, uid and, for a payment, the amount are those of the request."""
        purpose = self._flights.purpose[slot]
        mti = (0, 0x0810, 0x0410, 0x0210, 0, 0x0510)[purpose]
        if purpose == _QUEUED:
            ours = answer.mti in (0x0210, 0x0230)
        else:
            ours = answer.mti == mti
        echo = self._flights.echo(slot)
        if not ours or answer.get(41) != self._who.terminal:
            return False
        if answer.get(11) != echo[16:19] or answer.get(63)[3:19] != echo[:16]:
            return False
        return purpose not in (_ONLINE, _QUEUED) or answer.get(4) == echo[19:]

    def _bad_mac(self, slot: int) -> None:
        """Count an answer whose MAC is wrong; an online request with one is reversed (A0); after three the link is given up."""
        self._bad_macs += 1
        if self._flights.purpose[slot] == _ONLINE:
            self._flights.drop(slot)
            self._reverse(b"A0", answers.REVERSE)
        if self._bad_macs >= _BAD_MACS or self._flights.purpose[slot] == _HANDSHAKE:
            self._strikes += 1
            if self._strikes >= 2:
                self.fault = "stranger"
            raise WireError("answers without a valid MAC")

    # -- what an answer does ----------------------------------------------------------------------------------------

    def _handshake(self, answer: Answer, meaning: int) -> None:
        free = answer.get(62)
        if meaning == answers.STRANGER:
            self.fault = "stranger"
            raise WireError("the host does not know this terminal")
        if meaning != answers.YES or len(free) != 23 or free[0] != 1:
            raise WireError("handshake refused")
        self.fault = "rollback" if free[1] else ""
        journal = self.journal
        now = seconds(
            unpack_bcd(free, 16, 2), unpack_bcd(free, 18, 1), unpack_bcd(free, 19, 1),
            unpack_bcd(free, 20, 1), unpack_bcd(free, 21, 1), unpack_bcd(free, 22, 1),
        )  # fmt: skip
        self._clock.trust(now)
        journal.mark(layout.HEARD, now)
        batch = unpack_bcd(answer.get(60), 1, 3)
        if batch and batch != journal.state.batch and journal.state.closed == journal.state.sequence:
            journal.mark(layout.BATCH, batch)
        self.handshaken = True
        self._status.clock_trusted = True

    def _online(self, answer: Answer, meaning: int, code: bytes) -> None:
        outcome = self.outcome
        outcome.code = code
        outcome.text = _text(answer.get(63)[19:])
        outcome.auth = _text(answer.get(38))
        outcome.rrn = _text(answer.get(37))
        sequence = self.request
        if meaning == answers.YES:
            self.request = 0
            self._queue.final(sequence, layout.YES, code)
            outcome.kind = answers.YES
        elif meaning == answers.NO:
            self.request = 0
            self._queue.final(sequence, layout.DECLINED, code)
            outcome.kind = answers.NO
        else:
            self._reverse(b"98", answers.REVERSE)

    def _reverse(self, reason: bytes, kind: int) -> None:
        """The online request got no final answer: a reversal is owed, durable before anything else happens."""
        self.journal.mark(layout.REVERSING, self.request, reason, reversing=1)
        self.request = 0
        self.outcome.kind = kind

    def give_up(self) -> None:
        """The flow's patience is over: reverse the request if it may have left. Does nothing when it was answered."""
        if self.request and self.sent:
            for slot in range(WINDOW):
                if self._flights.purpose[slot] == _ONLINE:
                    self._flights.drop(slot)
            self._reverse(b"98", answers.REVERSE)
            self._publish()

    def withdraw(self) -> int:
        """Take back a request of which nothing was sent; returns its sequence, 0 when it is too late."""
        if not self.request or self.sent:
            return 0
        sequence, self.request = self.request, 0
        return sequence

    def submit(self, sequence: int) -> None:
        """Ask for an intent to be sent online; `outcome` is cleared and filled in later."""
        self.outcome = Outcome()
        self.sent = False
        self.request = sequence
        self._status.changed()

    def submit_close(self, totals: bytearray) -> None:
        """Ask for the open batch to be closed with these totals (31 bytes of DE 48)."""
        self.outcome = Outcome()
        self.totals = totals
        self._close_stan = 0
        self._status.changed()

    def _closed(self, answer: Answer) -> None:
        outcome = self.outcome
        outcome.totals = bytes(answer.get(48))
        outcome.text = _text(answer.get(63)[19:])
        self.totals = b""
        if len(outcome.totals) == 31 and outcome.totals[15] >> 4 == 1:
            self.journal.mark(layout.CLOSED, self.journal.state.sequence)
            outcome.kind = answers.YES
        else:
            outcome.kind = answers.NO

    def _publish(self) -> None:
        self._status.queue(self.journal.state)


def _text(data: memoryview) -> str:
    """Host text for the cashier, without control characters; at most 40 characters."""
    try:
        text = str(bytes(data), "utf-8")
    except UnicodeError:
        return ""
    return "".join([letter for letter in text if letter >= " "])[:40]


