# SPDX-License-Identifier: MIT
"""From frames to answers: checks MAC and KSN order, picks the handler, and batches payments into one transaction.

An answer leaves this module only after its effects are committed.
"""

import asyncio
import datetime
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from tools.host.errors import IssuerFault
from tools.host.keys.key_store import KeyStore
from tools.host.outside.issuer import Decision, Issuer, Payment
from tools.host.outside.wallet import Order, Return, Wallet
from tools.host.store.ledger import Ledger
from tools.host.tables import publication
from tools.host.tables.publication import Tables
from tools.host.transactions import batch, handshake, payments, reversal, terminals, upload
from tools.host.transactions.transaction_context import TransactionContext
from tools.host.wire import answers, kinds
from tools.host.wire.answers import Answer
from tools.host.wire.message import NOT_PAID, Message, read

_ISSUER_WAIT = 25.0  # seconds; a terminal waits 30

_HANDLERS = {"0400": reversal.handle, "0500": batch.handle, "0320": upload.handle}

Reply = tuple[Message, Answer]


class Service:
    """The host without its sockets. Call it from one event loop only."""

    def __init__(
        self,
        ledger: Ledger,
        keys: KeyStore,
        issuer: Issuer,
        wallet: Wallet,
        tables: Tables,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self.ledger = ledger
        self._wallet = wallet
        self.tables = tables
        self._requests: dict[str, int] = {}  # the processing request for each terminal
        self.counters: Counter[str] = Counter()
        self._keys = keys
        self._issuer = issuer
        self._now = now
        self._busy: set[tuple[str, bytes]] = set()

    def authenticated(self, frame: bytes) -> Message | None:
        """Decode a frame and check its MAC. None, and counted, if the MAC is wrong. Raises FrameError."""
        message = read(frame)
        if message.mac_holds(self._keys):
            return message
        self.counters["bad_mac"] += 1
        return None

    async def respond(self, messages: list[Message]) -> list[bytes]:
        """The frames to send in answer; see `answer`. Raises HangUp to end the connection."""
        return [self.envelope(reply) for reply in await self.answer(messages)]

    async def answer(self, messages: Iterable[Message]) -> list[Reply]:
        """Answers in the order of the requests. Requests at or below the KSN mark get none."""
        replies: list[Reply] = []
        for together, run in itertools.groupby(messages, key=lambda message: message.is_payment):
            alike = list(run)
            replies += await self._payments(alike) if together else await self._others(alike)
        return replies

    async def hand_in(self, messages: list[Message], number: int) -> list[Answer]:
        """Answers to payments that an operator hands in, as if their terminal had sent them. Uses no message key.

        `messages`: see as_sent.message; their seals are verified. `number`: the row of the hand-in.
        """
        return [fields for _, fields in await self._payments(messages, number)]

    @contextmanager
    def hand_in_transaction(self, number: int) -> Iterator[TransactionContext]:
        """A write transaction of a hand-in."""
        with self._transaction(number) as transaction:
            yield transaction

    def is_busy(self, tid: str, uid: bytes) -> bool:
        """Whether the issuer or wallet is deciding this payment right now."""
        return (tid, uid) in self._busy

    async def revoke(self, uid: bytes) -> None:
        """Have the wallet undo a code payment. Raises IssuerFault if it does not answer."""
        try:
            await asyncio.wait_for(self._wallet.revoke(uid), _ISSUER_WAIT)
        except TimeoutError:
            raise IssuerFault("the wallet does not answer") from None

    def envelope(self, reply: Reply) -> bytes:
        """The complete frame of an answer, as transmitted."""
        message, fields = reply
        self.counters[f"answer_{fields['t']}"] += 1
        return answers.add_envelope(fields, message, self._keys, self._requests.get(message.terminal, 0))

    async def _others(self, run: list[Message]) -> list[Reply]:
        """Handle everything but payments. Consecutive messages of one MTI share a transaction."""
        replies: list[Reply] = []
        for mti, alike in itertools.groupby(run, key=lambda message: message.mti):
            messages = list(alike)
            if mti in ("0400", "0320"):
                messages = [message for message in messages if await self._revoked(message)]
            with self._transaction() as transaction:
                answered = [(message, self._other(transaction, message)) for message in messages]
            replies += [(message, fields) for message, fields in answered if fields is not None]
        return replies

    async def _revoked(self, message: Message) -> bool:
        """Have the wallet revoke a code payment before the host undoes it. False: it failed; the terminal repeats.

        Does nothing for messages that undo no payment here: stale ones, or those of settled or undecided payments.
        """
        undoing = message.mti == "0400" or message.fields["60"][8:11] == NOT_PAID
        if message.type not in (kinds.QR_SCANNED, kinds.QR_SHOWN) or not undoing or message.key in self._busy:
            return True
        with self.ledger.read() as db:
            terminal = terminals.load(db, message.terminal)
            known = (
                terminal is not None and terminal.ikid == message.ksn[:8] and message.counter > terminal.message_mark
            )
            if not known or not reversal.undoes(db, message.terminal, message.uid):
                return True
        try:
            await self.revoke(message.uid)
        except IssuerFault:
            self.counters["not_revoked"] += 1
            return False
        return True

    def _other(self, transaction: TransactionContext, message: Message) -> Answer | None:
        terminal = transaction.sender(message)
        if terminal is None:
            return handshake.unknown_terminal_answer(message, transaction.now)
        advanced = transaction.advance_mark(terminal, message)
        request = transaction.request(terminal, message)
        if message.mti == "0800" and not publication.is_fetch(message):
            answer = handshake.handle(request, stale=not advanced)
            self._requests[message.terminal] = publication.wanted(self.tables, request.db, request.tid)
            return answer
        if not advanced:
            return None
        if message.mti in ("0800", "0820"):
            answer = publication.handle(request, self.tables)
            self._requests[message.terminal] = publication.wanted(self.tables, request.db, request.tid)
            return answer
        return _HANDLERS[message.mti](request)

    async def _payments(self, run: list[Message], hand_in: int | None = None) -> list[Reply]:
        """Store the payments, ask the issuer where needed, store the answers: two commits for any number of them."""
        outcomes: list[tuple[Message, Answer | payments.Booked]] = []
        mine: set[tuple[str, bytes]] = set()
        try:
            with self._transaction(hand_in) as transaction:
                for message in run:
                    outcome = self._receive(transaction, message, hand_in is None)
                    if isinstance(outcome, payments.Booked):
                        mine.add(message.key)
                        self._busy.add(message.key)
                    if outcome is not None:
                        outcomes.append((message, outcome))
            asked = [outcome for _, outcome in outcomes if isinstance(outcome, payments.Booked)]
            settled = iter(await self._settle(asked))
        finally:
            self._busy -= mine
        return [
            (message, next(settled) if isinstance(outcome, payments.Booked) else outcome)
            for message, outcome in outcomes
        ]

    def _receive(
        self, transaction: TransactionContext, message: Message, sent: bool
    ) -> Answer | payments.Booked | None:
        terminal = transaction.sender(message)
        if terminal is None:
            return handshake.unknown_terminal_answer(message, transaction.now)
        if sent and not transaction.advance_mark(terminal, message):
            return None
        return payments.receive(transaction.request(terminal, message))

    async def _settle(self, asked: list[payments.Booked]) -> list[Answer]:
        """Ask the issuer about each payment, then commit the decisions."""
        if not asked:
            return []
        decisions = await asyncio.gather(*(self._decide(each.ask) for each in asked if each.ask))
        with self.ledger.write() as db:
            return payments.settle(db, self._now(), list(zip(asked, decisions, strict=True)))

    async def _decide(self, ask: Payment | Order | Return) -> Decision:
        """The decision of issuer or wallet, before the terminal's timeout. Without one the payment stays open."""
        if isinstance(ask, Payment):
            word = self._issuer.decide(ask)
        else:
            word = self._wallet.pay(ask) if isinstance(ask, Order) else self._wallet.give_back(ask)
        try:
            return await asyncio.wait_for(word, _ISSUER_WAIT)
        except TimeoutError:
            return Decision(answers.ISSUER_SILENT, text="Issuer does not answer")
        except IssuerFault:
            return Decision(answers.ISSUER_DOWN, text="Issuer not available")

    @contextmanager
    def _transaction(self, hand_in: int | None = None) -> Iterator[TransactionContext]:
        """The context of one write transaction; changed KSN marks are written at its end."""
        with self.ledger.write() as db:
            transaction = TransactionContext(db, self._keys, self._now(), self._busy, self.counters, hand_in)
            yield transaction
            transaction.close()
