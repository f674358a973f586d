# SPDX-License-Identifier: MIT
"""The state of one transaction: who sent each message, and whether its KSN is higher than all before it."""

import datetime
from collections import Counter

from sqlalchemy import Connection

from tools.host.keys.key_store import KeyStore
from tools.host.transactions import key_window, terminal_keys, terminals
from tools.host.transactions.request_context import RequestContext
from tools.host.transactions.terminals import Terminal
from tools.host.wire.message import Message


class TransactionContext:
    """What all messages of one write transaction share.

    Reads each terminal once and writes its KSN mark once, however many of its messages share the transaction.
    """

    def __init__(
        self,
        db: Connection,
        keys: KeyStore,
        now: datetime.datetime,
        counters: Counter[str],
        hand_in: int | None = None,
        late: bool = False,
    ) -> None:
        self.now = now
        self.db = db
        self._keys = keys
        self._counters = counters
        self._hand_in = hand_in
        self._late = late
        self._terminals: dict[str, Terminal | None] = {}
        self._moved: set[str] = set()

    def sender(self, message: Message) -> Terminal | None:
        """The terminal that sent a message; None unless its id, merchant and key id match the registration."""
        if message.terminal not in self._terminals:
            self._terminals[message.terminal] = terminals.load(self.db, message.terminal)
        terminal = self._terminals[message.terminal]
        if terminal and terminal.mid == message.merchant:
            if terminal.next_ikid == message.ksn[:8] and message.mti == "0800":
                terminal_keys.use(self.db, terminal, message.ksn[:8])  # its MAC is right: the terminal has its new key
            if terminal.ikid == message.ksn[:8]:
                return terminal
            if self._late and message.ksn[:8] in terminal.ikids:  # made here, before the terminal got its new key
                return terminal
        self._counters["stranger"] += 1
        return None

    def advance_mark(self, terminal: Terminal, message: Message) -> str:
        """Note the KSN counter of a message: FRESH raises the terminal's mark; LATE or USED is counted (key_window.py)."""
        age, terminal.message_mark, terminal.seen = key_window.take(
            terminal.message_mark, terminal.seen, message.counter
        )
        if age != key_window.FRESH:
            self._counters["stale_ksn"] += 1
        self._moved.add(terminal.tid)
        return age

    def request(self, terminal: Terminal, message: Message) -> RequestContext:
        """A message with everything its handler needs."""
        return RequestContext(
            self.db, message, terminal, self._keys, self.now, self._counters, self._hand_in, self._late
        )

    def close(self) -> None:
        """Write the marks that changed."""
        for tid in self._moved:
            terminal = self._terminals[tid]
            if terminal:
                terminals.keep_mark(self.db, terminal)
