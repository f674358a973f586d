# SPDX-License-Identifier: MIT
"""Where the answer to a payment by code comes from. A real wallet's gateway would take the simulator's place.

Modelled on the barcode payments of WeChat Pay and Alipay: an order has one number for ever (the payment's uid), asking again
about it is the query, and revoking it undoes it whether it was paid or not.
"""

import re
from dataclasses import dataclass, field
from typing import Protocol

from tools.host import answers
from tools.host.issuer import Decision
from tools.host.mpm import payload

_PREFIXES = {
    "WeChat Pay": r"1[0-5][0-9]{16}",
    "Alipay": r"(2[5-9]|30)[0-9]{14,22}",
    "UnionPay": r"62[0-9]{17}",
}
_QUESTIONS = 2  # the terminal is told to wait so often; then the customer has agreed, or has scanned and paid
ASKED = "55"  # the simulator asks the holder of a code that ends so
POOR = "51"  # and this one has no money


@dataclass(frozen=True, slots=True)
class Order:
    """One payment by code. `code`: the customer's digits; empty: the customer scans ours. Lives in memory only."""

    uid: bytes
    amount: int
    merchant: str
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Return:
    """Money of a paid order back to the customer, all of it or a part; `uid`: its own number, for ever."""

    uid: bytes
    order: bytes
    amount: int


class Wallet(Protocol):
    """Asked about an order or a return again it says how it stands. Each may raise IssuerFault."""

    async def pay(self, order: Order) -> Decision: ...

    async def give_back(self, back: Return) -> Decision: ...

    async def revoke(self, uid: bytes) -> None: ...


class WalletSimulator:
    """Codes of three wallets; some customers must agree first. `mood`: "asks" makes every one do so, "never" agrees none."""

    def __init__(self, merchant_name: str = "KASSA") -> None:
        self.mood = ""
        self._name = merchant_name
        self._asked: dict[bytes, int] = {}
        self._codes: set[str] = set()
        self._revoked: set[bytes] = set()
        self._returned: set[bytes] = set()
        self.paid: dict[bytes, int] = {}  # what is left of each order

    async def pay(self, order: Order) -> Decision:
        """See Wallet."""
        if order.uid in self._revoked:
            return Decision(answers.INVALID, text="Order was revoked")
        if order.uid in self.paid:
            return Decision(answers.APPROVED)
        asked = self._asked.get(order.uid, 0)
        self._asked[order.uid] = asked + 1
        if order.code and not asked:
            if not any(re.fullmatch(form, order.code) for form in _PREFIXES.values()) or order.code in self._codes:
                return Decision(answers.BAD_CARD, text="Code not valid, or used before")
            self._codes.add(order.code)
        if order.code.endswith(POOR):
            return Decision(answers.NO_FUNDS, text="Not enough money in the wallet")
        asks = not order.code or order.code.endswith(ASKED) or self.mood in ("asks", "never")
        if asks and (self.mood == "never" or asked < _QUESTIONS):
            shown = b"" if order.code else payload(order.uid, order.amount, order.merchant, self._name)
            return Decision(answers.IN_PROGRESS, text="Customer has to agree", shown=shown)
        self.paid[order.uid] = order.amount
        return Decision(answers.APPROVED)

    async def give_back(self, back: Return) -> Decision:
        """See Wallet. An order from before the simulator was started is believed."""
        if back.uid in self._returned:
            return Decision(answers.APPROVED)
        left = self.paid.get(back.order, back.amount)
        if back.order in self._revoked or back.amount > left:
            return Decision(answers.INVALID, text="Not paid, or given back already")
        if back.order in self.paid:
            self.paid[back.order] = left - back.amount
        self._returned.add(back.uid)
        return Decision(answers.APPROVED)

    async def revoke(self, uid: bytes) -> None:
        """See Wallet."""
        self._revoked.add(uid)
        self.paid.pop(uid, None)
