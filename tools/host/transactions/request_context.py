# SPDX-License-Identifier: MIT
"""One request being handled in one transaction: what every handler receives."""

import datetime
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from tools.host.books.double_entry import note
from tools.host.keys import seal
from tools.host.keys.key_store import KeyStore
from tools.host.transactions.terminals import Terminal
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message

_WAIT = 30_000  # ms; longer than the host waits for those outside (service.py)
_NEVER = 10 * _WAIT  # ms ahead: nobody waits so long; the clock was wrong, and is right again


def is_asked(row: Row[Any]) -> bool:
    """Whether some process waits right now for the decision about a payment."""
    return row.state == "RECEIVED" and 0 < (row.asked_until or 0) - time.time_ns() // 1_000_000 < _NEVER


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request with everything its handler needs.

    `terminal`: the sender. `now`: the host's local time.
    """

    db: Connection
    message: Message
    terminal: Terminal
    keys: KeyStore
    now: datetime.datetime
    counters: Counter[str]
    hand_in: int | None = None  # the hand-in that brings the payment; None: its terminal sent it
    late: bool = False  # it comes by an upload or a hand-in: nobody waits for the answer

    @property
    def asked_until(self) -> int:
        """Until when a decision from outside is waited for, ms since 1970, if it is asked for now."""
        return time.time_ns() // 1_000_000 + _WAIT

    @property
    def day(self) -> str:
        """The host's local date, YYYY-MM-DD."""
        return f"{self.now:%Y-%m-%d}"

    @property
    def tid(self) -> str:
        return self.terminal.tid

    def key_of(self, record: seal.Record) -> bytes:
        """The initial key id that a record was sealed under: the terminal's, or one that it had before."""
        return seal.sealed_under(record, self.keys, self.terminal.ikids)

    def merchant_of(self, record: seal.Record) -> str:
        """The merchant that a payment was taken for, DE 42: the terminal's under the key of the record."""
        return self.terminal.merchant_under(self.key_of(record))

    def answer(self, code: str, text: str = "", **elements: str) -> Answer:
        """The answer to this request, with DE 39 set."""
        return answers.compose(self.message, self.now, text, _39=code, **elements)

    def alarm(self, what: str) -> None:
        """Write an audit line that identifies this request."""
        message = self.message
        detail = f"{message.mti} uid {message.uid.hex()} STAN {message.stan} batch {message.batch}"
        note(self.db, self.tid, what, detail)
