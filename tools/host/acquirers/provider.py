# SPDX-License-Identifier: MIT
"""What every wallet provider does for the host. wallets.py keeps the state; an adapter only asks and understands.

Each call is idempotent by our own reference, which comes from the payment's uid: a repeat is never a second payment.
Each call ends within DEADLINE. What is not understood is UNKNOWN, and never NO.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from tools.host.wire import answers

YES, NO, WAITING, UNKNOWN = "yes", "no", "waiting", "unknown"
DEADLINE = 12.0  # seconds for one call, its connection included; a terminal waits 30


@dataclass(frozen=True, slots=True)
class Words:
    """The same sentence in both languages, for the till and the merchant's page. Short: the till shows 60 bytes."""

    en: str = ""
    zh: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a provider says. `code`: DE 39 of a NO. `their_code`: the provider's own, for the merchant's page.

    `their_id`: the provider's number of the payment. `shown`: what the customer scans, while it is WAITING. `missing`:
    with UNKNOWN, the provider has no such order: it never came there, or is still on its way. `again`: seconds until
    the next call makes sense; 0: the provider's usual interval.
    """

    answer: str
    code: str = answers.DO_NOT_HONOUR
    words: Words = Words()
    their_code: str = ""
    their_id: str = ""
    shown: bytes = b""
    missing: bool = False
    again: float = 0.0


@dataclass(frozen=True, slots=True)
class Order:
    """A payment. `reference`: ours, 32 hex digits. `amount`: minor units of `currency` (ISO 4217 letters).

    `code`: the customer's digits, in memory only; "" where the customer scans ours (`is_shown`), and in every call but
    `pay`. `asked_at`: UTC, when it was first asked. `shown` and `their_id`: of an earlier outcome.
    """

    reference: str
    amount: int
    currency: str
    is_shown: bool
    asked_at: datetime.datetime
    code: str = field(default="", repr=False)
    shown: bytes = b""
    their_id: str = ""


@dataclass(frozen=True, slots=True)
class Refund:
    """A full or partial refund of a paid order. `reference`: the refund's own, 32 hex digits. `amount`: minor units."""

    reference: str
    order: Order
    amount: int


@dataclass(frozen=True, slots=True)
class BillLine:
    """A line of a provider's daily bill. `amount` and `fee` in minor units; a refund has a negative amount.

    `reference`: ours, of the order or the refund. A fee that was given back is negative.
    """

    reference: str
    amount: int
    fee: int
    their_id: str = ""


@dataclass(frozen=True, slots=True)
class Manners:
    """How a provider wants to be asked, in seconds. `interval`: between queries of one order.

    `patience`: how long a customer may take to confirm, and `shown_patience` to scan our code and confirm; then the order
    is undone. `undo_after`: an order is not undone sooner after it was asked.
    """

    interval: float = 5.0
    patience: float = 60.0
    shown_patience: float = 120.0
    undo_after: float = 0.0


class Provider(Protocol):
    """A wallet. Every method may raise ProviderFault: nothing is known then, which is UNKNOWN.

    `pay`: ask for it; `query`: what became of it, asking for nothing. `undo`: it comes to nothing, paid or not. Its
    outcome is YES: nothing is paid, and nothing can be any more; NO: it is paid and cannot be undone; WAITING or
    UNKNOWN: call again. `refund` and `query_refund`: YES once the money is on its way back. `bill`: what the provider
    says it did on a day of the merchant's time zone; None: the bill is not there yet. `close`: end its connections.
    """

    @property
    def manners(self) -> Manners: ...

    async def pay(self, order: Order) -> Outcome: ...

    async def query(self, order: Order) -> Outcome: ...

    async def undo(self, order: Order) -> Outcome: ...

    async def refund(self, refund: Refund) -> Outcome: ...

    async def query_refund(self, refund: Refund) -> Outcome: ...

    async def bill(self, day: datetime.date) -> Sequence[BillLine] | None: ...

    async def close(self) -> None: ...


@runtime_checkable
class Notifies(Protocol):
    """A provider that sends notifications. `hint`: the reference that one is about, of an order or a refund.

    It is only a hint to ask now: nothing that a notification says is believed. Raises ProviderFault for one that is not the
    provider's.
    """

    def hint(self, headers: Mapping[str, str], body: bytes) -> str: ...
