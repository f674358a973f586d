# SPDX-License-Identifier: MIT
"""One request being handled in one transaction: what every handler receives."""

import datetime
from dataclasses import dataclass

from sqlalchemy import Connection

from tools.host.books.double_entry import note
from tools.host.keys import seal
from tools.host.keys.key_store import KeyStore
from tools.host.transactions.terminals import Terminal
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request with everything its handler needs.

    `terminal`: the sender. `now`: the host's local time. `busy`: payments the issuer is deciding right now.
    """

    db: Connection
    message: Message
    terminal: Terminal
    keys: KeyStore
    now: datetime.datetime
    busy: set[tuple[str, bytes]]
    hand_in: int | None = None  # the hand-in that brings the payment; None: its terminal sent it

    @property
    def tid(self) -> str:
        return self.terminal.tid

    def key_of(self, record: seal.Record) -> bytes:
        """The initial key id that a record was sealed under: the terminal's, or one that it had before."""
        return seal.sealed_under(record, self.keys, self.terminal.ikids)

    def answer(self, code: str, text: str = "", **elements: str) -> Answer:
        """The answer to this request, with DE 39 set."""
        return answers.compose(self.message, self.now, text, _39=code, **elements)

    def alarm(self, what: str) -> None:
        """Write an audit line that identifies this request."""
        message = self.message
        detail = f"{message.mti} uid {message.uid.hex()} STAN {message.stan} batch {message.batch}"
        note(self.db, self.tid, what, detail)
