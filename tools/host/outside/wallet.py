# SPDX-License-Identifier: MIT
"""What the host asks of wallets such as WeChat Pay and Alipay. An order keeps one number, the payment's uid.

Sending it again is the status query. Revoking it undoes it, paid or not.
"""

from dataclasses import dataclass, field
from typing import Protocol

from tools.host.outside.issuer import Decision


@dataclass(frozen=True, slots=True)
class Order:
    """One payment by code. `tid`: its terminal. `amount` in minor units of `currency` (EMV tag 5F2A, 4 digits).

    `code`: the customer's digits, kept in memory only; empty if the customer scans ours, of the wallet named `wallet`
    (empty: the merchant's default).
    """

    tid: str
    uid: bytes
    amount: int
    merchant: str
    currency: str
    code: str = field(default="", repr=False)
    wallet: str = ""


@dataclass(frozen=True, slots=True)
class Return:
    """A full or partial refund of a paid order. `uid`: the refund's own number.

    `order_tid`, `order`: terminal and uid of the order, whose merchant is the same.
    """

    tid: str
    uid: bytes
    order_tid: str
    order: bytes
    amount: int
    merchant: str
    currency: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """What is to come to nothing: an order or a refund, under its terminal and uid. `amount`: minor units.

    This host may not know it: a backup that was restored may be older.
    """

    tid: str
    uid: bytes
    merchant: str
    amount: int
    type: str  # 60.1


class Wallet(Protocol):
    """Payments, refunds and revocations. A repeated request returns its current status. All may raise IssuerFault.

    `revoke` is repeated until it returns. `tend` is called every few seconds, for what nobody asks about any more.
    """

    async def pay(self, order: Order) -> Decision: ...

    async def give_back(self, back: Return) -> Decision: ...

    async def revoke(self, what: Revocation) -> None: ...

    async def tend(self) -> None: ...
