# SPDX-License-Identifier: MIT
"""A wallet for tests, the demo and the panel, modelled on the barcode payments of WeChat Pay and Alipay."""

import re

from tools.host.outside.issuer import Decision
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.wire import answers
from tools.sim.merchant_qr import payload

_PREFIXES = {
    "WeChat Pay": r"1[0-5][0-9]{16}",
    "Alipay": r"(2[5-9]|30)[0-9]{14,22}",
    "UnionPay": r"62[0-9]{17}",
}
_QUESTIONS = 2  # answers "wait" before the customer has consented or paid
ASKED = "55"  # codes with this ending need the customer's consent
POOR = "51"  # codes with this ending have no funds


class WalletSimulator:
    """Accepts codes of three wallets. Mood "asks": every customer must consent first; "never": none consents."""

    def __init__(self, merchant_name: str = "KASSA") -> None:
        self.mood = ""
        self._name = merchant_name
        self._asked: dict[bytes, int] = {}
        self._codes: set[str] = set()
        self._revoked: set[bytes] = set()
        self._returned: set[bytes] = set()
        self.paid: dict[bytes, int] = {}  # order -> amount not yet refunded
        self.picked: list[str] = []  # the wallets whose codes were to be shown; "": the host chooses

    async def pay(self, order: Order) -> Decision:
        """Pay an order, or query it; see Wallet."""
        if order.uid in self._revoked:
            return Decision(answers.INVALID, text="Order was revoked")
        if order.uid in self.paid:
            return Decision(answers.APPROVED)
        asked = self._asked.get(order.uid, 0)
        self._asked[order.uid] = asked + 1
        if not order.code and not asked:
            self.picked.append(order.wallet)
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
        """Refund an order; see Wallet. An order from before the simulator started is taken as paid."""
        if back.uid in self._returned:
            return Decision(answers.APPROVED)
        left = self.paid.get(back.order, back.amount)
        if back.order in self._revoked or back.amount > left:
            return Decision(answers.INVALID, text="Not paid, or given back already")
        if back.order in self.paid:
            self.paid[back.order] = left - back.amount
        self._returned.add(back.uid)
        return Decision(answers.APPROVED)

    async def tend(self) -> None:
        """Nothing waits here."""

    async def revoke(self, what: Revocation) -> None:
        """Undo an order, paid or not; see Wallet."""
        self._revoked.add(what.uid)
        self.paid.pop(what.uid, None)
