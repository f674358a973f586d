# SPDX-License-Identifier: MIT
"""From frames to answers: MAC, KSN order, the right handler, one transaction for payments that arrive together.

An answer leaves this module only after everything it says is committed.
"""

import asyncio
import datetime
import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection, Row, update

from tools.host import answers, batch, handshake, payments, reversal
from tools.host.case import Case
from tools.host.issuer import Issuer
from tools.host.keys import HostKeys
from tools.host.ledger import Ledger, known
from tools.host.message import Message, read
from tools.host.schema import terminal as terminal_table

Reply = tuple[Message, dict[str, str]]


class Service:
    """The host without its sockets. Used from one event loop only."""

    def __init__(self, ledger: Ledger, keys: HostKeys, issuer: Issuer, now: Callable[[], datetime.datetime]) -> None:
        self.ledger = ledger
        self.counters: Counter[str] = Counter()
        self._keys = keys
        self._issuer = issuer
        self._now = now
        self._busy: set[tuple[str, bytes]] = set()

    def admit(self, frame: bytes) -> Message | None:
        """Decode a frame and check its MAC; None (and counted) when it is to be ignored. Raises FrameError."""
        message = read(frame)
        if message.mac_holds(self._keys.bdk):
            return message
        self.counters["bad_mac"] += 1
        return None

    async def answer(self, messages: Iterable[Message]) -> list[Reply]:
        """Answers in the order of the requests; requests at or below the KSN mark get none."""
        replies: list[Reply] = []
        for together, run in itertools.groupby(messages, key=lambda message: message.is_payment):
            alike = list(run)
            replies += await self._payments(alike) if together else self._others(alike)
        return replies

    def dress(self, reply: Reply) -> bytes:
        """The frame of an answer as it travels."""
        message, fields = reply
        self.counters[f"answer_{fields['t']}"] += 1
        return answers.dress(fields, message, self._keys.bdk)

    def _others(self, run: list[Message]) -> list[Reply]:
        replies: list[Reply] = []
        for message in run:
            with self.ledger.write() as db:
                fields = self._other(db, message)
            if fields is not None:
                replies.append((message, fields))
        return replies

    def _other(self, db: Connection, message: Message) -> dict[str, str] | None:
        terminal = self._terminal(db, message)
        if terminal is None:
            return handshake.stranger(message, self._now())
        rises = self._rises(db, terminal, message)
        if message.mti == "0800":
            return handshake.handle(self._case(db, message, terminal), stale=not rises)
        if not rises:
            return None
        handler = reversal.handle if message.mti == "0400" else batch.handle
        return handler(self._case(db, message, terminal))

    async def _payments(self, run: list[Message]) -> list[Reply]:
        """Store all, ask the issuer about those that need it, store all answers: two commits however many they are."""
        outcomes: list[tuple[Message, dict[str, str] | payments.Asked]] = []
        with self.ledger.write() as db:
            for message in run:
                outcome = self._receive(db, message)
                if outcome is not None:
                    outcomes.append((message, outcome))
        asked = [outcome for _, outcome in outcomes if isinstance(outcome, payments.Asked)]
        settled = await self._settle(asked) if asked else {}
        return [
            (message, settled[message.key] if isinstance(outcome, payments.Asked) else outcome)
            for message, outcome in outcomes
        ]

    def _receive(self, db: Connection, message: Message) -> dict[str, str] | payments.Asked | None:
        terminal = self._terminal(db, message)
        if terminal is None:
            return handshake.stranger(message, self._now())
        if not self._rises(db, terminal, message):
            return None
        outcome = payments.receive(self._case(db, message, terminal), self._keys)
        if isinstance(outcome, payments.Asked):
            self._busy.add(message.key)
        return outcome

    async def _settle(self, asked: list[payments.Asked]) -> dict[tuple[str, bytes], dict[str, str]]:
        settled: dict[tuple[str, bytes], dict[str, str]] = {}
        try:
            decisions = await asyncio.gather(*(self._issuer.decide(each.payment) for each in asked))
            with self.ledger.write() as db:
                for each, decision in zip(asked, decisions, strict=True):
                    case = self._case(db, each.message, known(db, each.message.terminal))
                    settled[each.message.key] = payments.settle(case, decision, each.payment.card)
        finally:
            self._busy.difference_update(each.message.key for each in asked)
        return settled

    def _terminal(self, db: Connection, message: Message) -> Row[Any] | None:
        """The terminal a message is from; None unless id, merchant and keys belong together."""
        row = known(db, message.terminal)
        if row is not None and row.mid == message.merchant and row.ikid == message.ksn[:8].hex():
            return row
        self.counters["stranger"] += 1
        return None

    def _rises(self, db: Connection, terminal: Row[Any], message: Message) -> bool:
        """Whether the message's KSN is above the terminal's mark; if so, it becomes the mark."""
        if message.counter <= terminal.message_mark:
            self.counters["stale_ksn"] += 1
            return False
        mine = terminal_table.c.tid == message.terminal
        db.execute(update(terminal_table).where(mine).values(message_mark=message.counter))
        return True

    def _case(self, db: Connection, message: Message, terminal: Row[Any]) -> Case:
        return Case(db, message, terminal, self._keys.bdk, self._now(), self._busy)
