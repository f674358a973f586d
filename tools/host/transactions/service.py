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

from tools.host.errors import ForeignTerminal, IssuerFault, StateError
from tools.host.keys.key_store import KeyStore
from tools.host.outside.issuer import Decision, Issuer, Payment
from tools.host.outside.messenger import Messenger
from tools.host.outside.wallet import Order, Return, Wallet
from tools.host.running import logs
from tools.host.store.ledger import Ledger
from tools.host.tables import publication
from tools.host.tables.publication import Tables
from tools.host.transactions import batch, handshake, key_window, restore, reversal, together, upload
from tools.host.transactions.decisions import Booked, let_go, settle
from tools.host.transactions.request_context import RequestContext
from tools.host.transactions.transaction_context import TransactionContext
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import ALL_SENT, Message, read

_ISSUER_WAIT = 25.0  # seconds; a terminal waits 30
_SIGN_ON = 3  # the processing request for another handshake
_ATTEMPTS = 5
_IN_THE_WAY = ("40001", "40P01")  # PostgreSQL: serialization failure, deadlock
_THREADS = 8  # for work on PostgreSQL; SQLite has one writer

_HANDLERS = {"0400": reversal.handle, "0500": batch.handle}

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
        keys: KeyStore,
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
        if message.mac_holds(self._keys):
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
        for kind, run in itertools.groupby(messages, key=_group):
            work = self._payments if kind == "payment" else self._others
            replies += await work(list(run))
        return replies

    async def hand_in(self, messages: list[Message], number: int) -> list[Answer]:
        """Answers to payments that an operator hands in, as if their terminal had sent them. Uses no message key.

        `messages`: see as_sent.message; their seals are verified. `number`: of the hand-in.
        """
        return await self._decided(messages, number)

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
        return answers.add_envelope(fields, message, self._keys, self._requests.get(message.terminal, 0))

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
        """Handle messages of one MTI, all but payments."""
        if run[0].mti == "0320":
            replies = [reply for some in upload.together(run) for reply in await self._uploads(some)]
        else:
            replies = await self._each(run, self._handle, self._malfunction)
        self.messenger.wake()
        return replies

    def _handle(self, run: Sequence[Message]) -> list[Reply]:
        with self._transaction() as transaction:
            answered = [(message, self._other(transaction, message)) for message in run]
        return [(message, fields) for message, fields in answered if fields is not None]

    async def _uploads(self, messages: list[Message]) -> list[Reply]:
        """Answers to uploaded records. Payments that are missing here are decided as if the terminal had sent them."""
        taken = await self._each(messages, self._upload, lambda message: [*self._malfunction(message)])
        wanted = [outcome for _, outcome in taken if isinstance(outcome, Message)]
        decided = iter(await self._decided(wanted))
        ended = [(message, next(decided)) for message, outcome in taken if isinstance(outcome, Message)]
        finished = {
            id(message): fields for message, fields in await self._each(ended, self._finish_upload, self._later)
        }
        answered = [(message, finished.get(id(message)) if isinstance(one, Message) else one) for message, one in taken]
        return [(message, fields) for message, fields in answered if fields is not None]

    def _upload(self, run: Sequence[Message]) -> list[tuple[Message, Answer | Message | None]]:
        with self._transaction() as transaction:
            return [(message, self._taken(transaction, message)) for message in run]

    def _taken(self, transaction: TransactionContext, message: Message) -> Answer | Message | None:
        terminal = transaction.sender(message)
        if terminal is None:
            return handshake.unknown_terminal_answer(message, transaction.now)
        if transaction.advance_mark(terminal, message) != key_window.FRESH:
            return None
        return upload.handle(transaction.request(terminal, message))

    def _finish_upload(self, run: Sequence[Reply]) -> list[Reply]:
        with self._transaction() as transaction:
            return [(message, self._finished(transaction, message, answer)) for message, answer in run]

    def _finished(self, transaction: TransactionContext, message: Message, answer: Answer) -> Answer:
        terminal = transaction.sender(message)
        if terminal is None:
            raise StateError("the terminal is gone")
        return upload.finish(transaction.request(terminal, message), answer)

    def _later(self, reply: Reply) -> list[Reply]:
        return self._malfunction(reply[0])

    def _other(self, transaction: TransactionContext, message: Message) -> Answer | None:
        terminal = transaction.sender(message)
        if terminal is None:
            return handshake.unknown_terminal_answer(message, transaction.now)
        age = transaction.advance_mark(terminal, message)
        request = transaction.request(terminal, message)
        if message.mti == "0800" and not publication.is_fetch(message):
            answer = handshake.handle(request, age)
            wanted = self.tables.wanted(request.db, request.tid)
            self._requests[message.terminal] = _SIGN_ON if age == key_window.LATE else wanted
            return answer
        if age != key_window.FRESH:
            return None
        if message.fields["60"][8:11] == ALL_SENT:
            return restore.end(request)
        if message.mti in ("0800", "0820"):
            answer = publication.handle(request, self.tables)
            self._requests[message.terminal] = self.tables.wanted(request.db, request.tid)
            return answer
        return _HANDLERS[message.mti](request)

    async def _payments(self, run: list[Message]) -> list[Reply]:
        """Answers to payments that their terminal sent."""
        return [(message, fields) for message, fields in await self._received(run) if fields is not None]

    async def _decided(self, run: list[Message], hand_in: int | None = None) -> list[Answer]:
        """Answers to payments that came in another way, as if their terminal had sent them now."""
        answered = {id(message): fields for message, fields in await self._received(run, hand_in, late=True) if fields}
        pending = (answers.compose(message, self._now(), _39=answers.IN_PROGRESS) for message in run)
        return [answered.get(id(message), fields) for message, fields in zip(run, pending, strict=True)]

    async def _received(
        self, run: list[Message], hand_in: int | None = None, late: bool = False
    ) -> list[tuple[Message, Answer | None]]:
        """Store the payments, ask outside where needed, store the answers: two commits for any number of them.

        `late`: nobody waits for the answers, and the messages' keys were not used. None: no answer now.
        """
        if not run:
            return []
        outcomes = await self._each(run, functools.partial(self._receive, hand_in, late), self._broken)
        asked = [outcome for _, outcome in outcomes if isinstance(outcome, Booked)]
        settled = iter(await self._settle(asked))
        self.messenger.wake()
        return [(message, next(settled) if isinstance(one, Booked) else one) for message, one in outcomes]

    def _receive(self, hand_in: int | None, late: bool, run: Sequence[Message]) -> Stored:
        outcomes: list[tuple[Message, Answer | None]] = []
        fresh: list[RequestContext] = []
        with self._transaction(hand_in, late) as transaction:
            for message in run:
                terminal = transaction.sender(message)
                if terminal is None:
                    outcomes.append((message, handshake.unknown_terminal_answer(message, transaction.now)))
                elif late or transaction.advance_mark(terminal, message) == key_window.FRESH:
                    outcomes.append((message, None))
                    fresh.append(transaction.request(terminal, message))
            received = iter(together.receive(fresh))
        return [(message, next(received) if fields is None else fields) for message, fields in outcomes]

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
            decision = await asyncio.wait_for(word, _ISSUER_WAIT)
            if answers.is_decision(decision.code):
                return decision
            fault = "a code that is none"
        except TimeoutError:
            return Decision(answers.ISSUER_SILENT, text="Issuer does not answer")
        except IssuerFault:
            return Decision(answers.ISSUER_DOWN, text="Issuer not available")
        except Exception as error:  # of an acquirer's or a wallet's connection: nothing is known, so nothing is decided
            fault = logs.where(error)
        self.counters["outside_faults"] += 1
        logs.say(logging.ERROR, "those outside cannot be asked", fault=fault)
        return Decision(answers.ISSUER_DOWN, text="Issuer not available")

    @contextmanager
    def _transaction(self, hand_in: int | None = None, late: bool = False) -> Iterator[TransactionContext]:
        """The context of one write transaction; changed KSN marks are written at its end."""
        with self.ledger.write() as db:
            transaction = TransactionContext(db, self._keys, self._now(), self.counters, hand_in, late)
            yield transaction
            transaction.close()


def _group(message: Message) -> str:
    return "payment" if message.is_payment else message.mti
