# SPDX-License-Identifier: MIT
"""What the host asks of wallets such as WeChat Pay and Alipay. An order keeps one number, the payment's uid.

Sending it again is the status query. Revoking it undoes it, paid or not.
"""

from dataclasses import dataclass, field
from typing import Protocol

from tools.host.outside.issuer import Decision


@dataclass(frozen=True, slots=True)
class Order:
    """One payment by code. `code`: the customer's digits; empty if the customer scans ours. Kept in memory only."""

    uid: bytes
    amount: int
    merchant: str
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Return:
    """A full or partial refund of a paid order. `uid`: the refund's own number."""

    uid: bytes
    order: bytes
    amount: int


class Wallet(Protocol):
    """Payments, refunds and revocations. A repeated request returns its current status. All may raise IssuerFault."""

    async def pay(self, order: Order) -> Decision: ...

    async def give_back(self, back: Return) -> Decision: ...

    async def revoke(self, uid: bytes) -> None: ...
