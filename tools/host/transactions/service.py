# SPDX-License-Identifier: MIT
"""From frames to answers: checks MAC and KSN order, picks the handler, and batches payments into one transaction.

An answer leaves this module only after its effects are committed. Work on the database is done in threads.
"""

import asyncio
import datetime
import functools
import itertools
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

from sqlalchemy.exc import OperationalError

from tools.host.errors import ForeignTerminal, IssuerFault
from tools.host.keys.host_keys import HostKeys
from tools.host.outside.issuer import Decision, Issuer, Payment
from tools.host.outside.messenger import Messenger
from tools.host.outside.wallet import Order, Return, Wallet
from tools.host.running import logs
from tools.host.store.ledger import Ledger
from tools.host.tables import publication
from tools.host.tables.publication import Tables
from tools.host.transactions import batch, handshake, payments, reversal, upload
from tools.host.transactions.decisions import Booked, let_go, settle
from tools.host.transactions.transaction_context import TransactionContext
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message, read

_ISSUER_WAIT = 25.0  # seconds; a terminal waits 30
_ATTEMPTS = 5
_IN_THE_WAY = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock
_THREADS = 8  # for work on PostgreSQL; SQLite has one writer

_HANDLERS = {"0400": reversal.handle, "0500": batch.handle, "0320": upload.handle}

Reply = tuple[Message, Answer]
Stored = list[tuple[Message, Answer | Booked]]
P = ParamSpec("P")
S = TypeVar("S")
T = TypeVar("T")


class Service:
    """The host without its sockets. Call it from one event loop only."""

    def __init__(
        self,
        ledger: Ledger,
        keys: HostKeys,
        issuer: Issuer,
        wallet: Wallet,
        tables: Tables,
        now: Callable[[], datetime.datetime],
    ) -> None:
        self.ledger = ledger
        self.tables = tables
        self.messenger = Messenger(ledger, issuer, wallet, self.in_thread)
        self.counters: Counter[str] = Counter()
        self._requests: dict[str, int] = {}  # the processing request for each terminal, set by its handshake
        self._keys = keys
        self._issuer, self._wallet = issuer, wallet
        self._now = now
        self._threads = ThreadPoolExecutor(1 if ledger.is_sqlite else _THREADS, "kassa-database")

    def close(self) -> None:
        """End the threads, once what they are doing is done."""
        self._threads.shutdown()

    def authenticated(self, frame: bytes, speaker: str | None = None) -> Message | None:
        """Decode a frame and check its MAC. None, and counted, if the MAC is wrong. Raises FrameError.

        `speaker`: the terminal that the connection's certificate names. Raises ForeignTerminal if DE 41 is another.
        """
        message = read(frame)
        if speaker is not None and message.terminal != speaker:
            raise ForeignTerminal(message.terminal)
        if message.mac_holds(self._keys.bdk):
            return message
        self.counters["bad_mac"] += 1
        return None

    async def respond(self, messages: list[Message]) -> list[bytes]:
        """The frames to send in answer; see `answer`. Raises HangUp to end the connection."""
        return [self.envelope(reply) for reply in await self.answer(messages)]

    async def answer(self, messages: Iterable[Message]) -> list[Reply]:
        """Answers in the order of the requests. Requests at or below the KSN mark get none.

        Raises OperationalError if the database does not work; nothing of the group is answered then.
        """
        replies: list[Reply] = []
        for together, run in itertools.groupby(messages, key=_group):
            work = self._payments if together == "payment" else self._others
            replies += await work(list(run))
        return replies

    async def hand_in(self, messages: list[Message], number: int) -> list[Answer]:
        """Answers to payments that an operator hands in, as if their terminal had sent them. Uses no message key.

        `messages`: see as_sent.message; their seals are verified. `number`: of the hand-in.
        """
        answered = {id(message): fields for message, fields in await self._payments(messages, number)}
        open_ = [answers.compose(message, self._now(), _39=answers.IN_PROGRESS) for message in messages]
        return [answered.get(id(message), fields) for message, fields in zip(messages, open_, strict=True)]

    @contextmanager
    def hand_in_transaction(self, number: int) -> Iterator[TransactionContext]:
        """A write transaction of a hand-in."""
        with self._transaction(number) as transaction:
            yield transaction

    async def in_thread(self, work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
        """Do work on the database in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args, **more))

    def envelope(self, reply: Reply) -> bytes:
        """The complete frame of an answer, as transmitted."""
        message, fields = reply
        self.counters[f"answer_{fields['t']}"] += 1
        return answers.add_envelope(fields, message, self._keys.bdk, self._requests.get(message.terminal, 0))

    async def _each(
        self, run: Sequence[S], work: Callable[[Sequence[S]], list[T]], broken: Callable[[S], list[T]]
    ) -> list[T]:
        """Do `work` in a thread, in one transaction. If one of `run` breaks it, the others are done one by one.

        `broken`: what becomes of that one. Raises OperationalError if the database does not work.
        """
        try:
            return await self._repeatedly(work, run)
        except OperationalError:
            raise
        except Exception as fault:
            if len(run) > 1:
                return [done for one in run for done in await self._each([one], work, broken)]
            self.counters["broken"] += 1
            logs.say(logging.ERROR, "a message breaks its handler", fault=logs.where(fault))
            return broken(run[0])

    async def _repeatedly(self, work: Callable[[Sequence[S]], list[T]], run: Sequence[S]) -> list[T]:
        """Do `work` in a thread; again if another process was in the way, which PostgreSQL then says."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await self.in_thread(work, run)
            except OperationalError as fault:
                if getattr(fault.orig, "sqlstate", None) not in _IN_THE_WAY:
                    raise
                self.counters["again"] += 1
        return await self.in_thread(work, run)

    def _malfunction(self, message: Message) -> list[Reply]:
        """The answer to a message that broke its handler: not final. A batch close has no such answer, and gets none."""
        if message.mti == "0500":
            return []
        return [(message, answers.compose(message, self._now(), _39=answers.MALFUNCTION))]

    def _broken(self, message: Message) -> Stored:
        return [*self._malfunction(message)]

    async def _others(self, run: list[Message]) -> list[Reply]:
        """Handle messages of one MTI, all but payments, in one transaction."""
        replies = await self._each(run, self._handle, self._malfunction)
        self.messenger.wake()
        return replies

    def _handle(self, run: Sequence[Message]) -> list[Reply]:
        with self._transaction() as transaction:
            answered = [(message, self._other(transaction, message)) for message in run]
        return [(message, fields) for message, fields in answered if fields is not None]

    def _other(self, transaction: TransactionContext, message: Message) -> Answer | None:
        terminal = transaction.sender(message)
        if terminal is None:
            return handshake.unknown_terminal_answer(message, transaction.now)
        advanced = transaction.advance_mark(terminal, message)
        request = transaction.request(terminal, message)
        if message.mti == "0800" and not publication.is_fetch(message):
            answer = handshake.handle(request, stale=not advanced)
            self._requests[message.terminal] = self.tables.wanted(request.db, request.tid)
            return answer
        if not advanced:
            return None
        if message.mti in ("0800", "0820"):
            answer = publication.handle(request, self.tables)
            self._requests[message.terminal] = self.tables.wanted(request.db, request.tid)
            return answer
        return _HANDLERS[message.mti](request)

    async def _payments(self, run: list[Message], hand_in: int | None = None) -> list[Reply]:
        """Store the payments, ask outside where needed, store the answers: two commits for any number of them."""
        receive = functools.partial(self._receive, hand_in)
        outcomes = await self._each(run, receive, self._broken)
        asked = [outcome for _, outcome in outcomes if isinstance(outcome, Booked)]
        settled = iter(await self._settle(asked))
        replies = [(message, next(settled) if isinstance(one, Booked) else one) for message, one in outcomes]
        self.messenger.wake()
        return [(message, fields) for message, fields in replies if fields is not None]

    def _receive(self, hand_in: int | None, run: Sequence[Message]) -> Stored:
        outcomes: Stored = []
        with self._transaction(hand_in) as transaction:
            for message in run:
                terminal = transaction.sender(message)
                if terminal is None:
                    outcomes.append((message, handshake.unknown_terminal_answer(message, transaction.now)))
                elif hand_in is not None or transaction.advance_mark(terminal, message):
                    outcomes.append((message, payments.receive(transaction.request(terminal, message))))
        return outcomes

    async def _settle(self, asked: list[Booked]) -> list[Answer | None]:
        """Ask outside about each payment, then commit the decisions."""
        if not asked:
            return []
        try:
            decisions = await asyncio.gather(*(self._decide(each.ask) for each in asked if each.ask))
            return await self._each(list(zip(asked, decisions, strict=True)), self._store, self._undecided)
        except BaseException:
            self._threads.submit(self._let_go, asked)  # so that the repeat need not wait
            raise

    def _undecided(self, one: tuple[Booked, Decision]) -> list[Answer | None]:
        """The answer to a payment whose decision cannot be stored: it is asked about again."""
        self._threads.submit(self._let_go, [one[0]])
        return [fields for _, fields in self._malfunction(one[0].message)]

    def _store(self, decided: Sequence[tuple[Booked, Decision]]) -> list[Answer | None]:
        with self.ledger.write() as db:
            return settle(db, self._now(), decided)

    def _let_go(self, asked: list[Booked]) -> None:
        with self.ledger.write() as db:
            let_go(db, asked)

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
        except Exception as fault:  # of an acquirer's or a wallet's connection: nothing is known, so nothing is decided
            self.counters["outside_faults"] += 1
            logs.say(logging.ERROR, "those outside cannot be asked", fault=logs.where(fault))
            return Decision(answers.ISSUER_DOWN, text="Issuer not available")

    @contextmanager
    def _transaction(self, hand_in: int | None = None) -> Iterator[TransactionContext]:
        """The context of one write transaction; changed KSN marks are written at its end."""
        with self.ledger.write() as db:
            transaction = TransactionContext(db, self._keys, self._now(), self.counters, hand_in)
            yield transaction
            transaction.close()


def _group(message: Message) -> str:
    return "payment" if message.is_payment else message.mti
