# SPDX-License-Identifier: MIT
"""The books of the simulated WeChat Pay: orders, payments, refunds and fees, in whole fen."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

PAYS, ASKS, POOR = "pays", "asks", "poor"  # what the next customer does
RATE = 60  # basis points
_SOONEST, _WEEK = 15_000, 7 * 86_400_000  # ms
_OPEN = ("NOTPAY", "USERPAYING")


class Refusal(Exception):
    """An error as WeChat Pay gives it."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass(slots=True)
class Order:
    """`kind`: MICROPAY or NATIVE. `paid` and `back` in fen."""

    number: str
    amount: int
    kind: str
    made: int
    state: str
    id: str
    paid: int = 0
    back: int = 0


@dataclass(slots=True)
class Refund:
    number: str
    order: str
    amount: int
    status: str
    id: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the bill. `state`: SUCCESS, REFUND or REVOKED. Amounts are positive; a fee that went back is negative.

    `at`: ms.
    """

    state: str
    order: str
    amount: int
    fee: int
    id: str
    refund: str = ""
    refund_id: str = ""
    at: int = 0


def fee(amount: int) -> int:
    """Rounded half up."""
    return (amount * RATE * 2 + 10_000) // 20_000


@dataclass
class Books:
    """`now`: ms. `customer`: see above. `late`: the customer's yes comes just before the next reversal or closing; and
    `always_late`: before every one of an order that the customer has on the phone (`scanned`: orders whose code was).

    `reversed_state`: of a paid order after its reversal. `refund_status`: of new refunds. `empty`: no money for refunds.
    `rude`: what the shop should not have asked. `refusals`: (ms, fen) of codes without money behind them.
    """

    now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    customer: str = PAYS
    late: bool = False
    always_late: bool = False
    reversed_state: str = "REVOKED"
    refund_status: str = "SUCCESS"
    empty: bool = False
    orders: dict[str, Order] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    rude: list[str] = field(default_factory=list)
    payments: list[str] = field(default_factory=list)  # the number of each payment, once for each time it was paid
    refusals: list[tuple[int, int]] = field(default_factory=list)
    scanned: set[str] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)
    last_id: int = 4_200_000_000

    def held(self, number: str) -> int:
        """What is paid for an order and was not given back."""
        order = self.orders.get(number)
        return order.paid - order.back if order else 0

    def codepay(self, number: str, amount: int, code: str) -> Order:
        """A customer's code. A code is good once, and a number is good for one order."""
        if not (code.isdigit() and len(code) == 18 and "10" <= code[:2] <= "15"):
            raise Refusal(400, "AUTH_CODE_ERROR")
        if code in self.codes:
            raise Refusal(400, "AUTH_CODE_INVALID")
        known = self.orders.get(number)
        if known is not None:
            raise Refusal(400, "ORDERPAID") if known.paid else Refusal(403, "OUT_TRADE_NO_USED")
        if self.customer == POOR:
            self.refusals.append((self.now(), amount))
            raise Refusal(403, "NOT_ENOUGH")
        self.codes.add(code)
        order = self._new(number, amount, "MICROPAY", "USERPAYING")
        if self.customer == PAYS:
            self.confirm(number)
        return order

    def native(self, number: str, amount: int) -> Order:
        """A code to be shown; the same request gives the same code."""
        known = self.orders.get(number)
        if known is None:
            return self._new(number, amount, "NATIVE", "NOTPAY")
        if known.paid:
            raise Refusal(400, "ORDERPAID")
        if known.state != "NOTPAY":
            raise Refusal(400, "ORDER_CLOSED")
        if (known.amount, known.kind) != (amount, "NATIVE"):
            raise Refusal(403, "OUT_TRADE_NO_USED")
        return known

    def scan(self, order_id: str) -> Order | None:
        """The customer scans the code of an order. None: nobody can pay it, or there is none."""
        order = next((one for one in self.orders.values() if (one.id, one.kind) == (order_id, "NATIVE")), None)
        if order is None or order.state not in _OPEN:
            return None
        self.scanned.add(order.number)
        return order

    def confirm(self, number: str) -> bool:
        """The customer pays. False if it is too late for that."""
        order = self.orders[number]
        if order.state not in _OPEN:
            return False
        order.state, order.paid = "SUCCESS", order.amount
        self.payments.append(number)
        self.lines.append(Line("SUCCESS", number, order.amount, fee(order.amount), order.id, at=self.now()))
        return True

    def refuse(self, number: str) -> None:
        """The customer says no."""
        self.orders[number].state = "PAYERROR"

    def find(self, number: str) -> Order:
        if number not in self.orders:
            raise Refusal(404, "ORDER_NOT_EXIST")
        return self.orders[number]

    def close(self, number: str) -> None:
        """Nobody can pay it any more. Says nothing about numbers that it does not know."""
        order = self.orders.get(number)
        if order is None:
            return
        self._come_late(order)
        if order.paid:
            raise Refusal(400, "ORDERPAID")
        if order.state == "NOTPAY":
            order.state = "CLOSED"

    def reverse(self, number: str) -> Order:
        """A payment by a customer's code comes to nothing."""
        order = self.find(number)
        age = self.now() - order.made
        if age < _SOONEST:
            self.rude.append(f"{number} reversed after {age} ms")
        if age >= _WEEK:
            raise Refusal(400, "REVERSE_EXPIRE")
        if self._come_late(order):
            raise Refusal(500, "SYSTEM_ERROR")
        if order.state in _OPEN or order.state == "PAYERROR":
            order.state = "REVOKED"
        elif order.state == "SUCCESS":
            self.lines.append(Line("REVOKED", number, order.amount, -fee(order.amount), order.id, at=self.now()))
            order.state, order.back = self.reversed_state, order.paid
        return order

    def refund(self, number: str, of: str, amount: int, total: int) -> Refund:
        order = self.orders.get(of)
        if order is None:
            raise Refusal(404, "RESOURCE_NOT_EXISTS")
        known = self.refunds.get(number)
        if known is not None:
            if (known.order, known.amount) != (of, amount):
                raise Refusal(400, "INVALID_REQUEST")
            return known
        if self.empty:
            raise Refusal(403, "NOT_ENOUGH")
        if total != order.amount or not 0 < amount <= order.paid - order.back:
            raise Refusal(400, "INVALID_REQUEST")
        refund = Refund(number, of, amount, self.refund_status, f"50{self._id()}")
        order.back += amount
        order.state = "REFUND"
        self.refunds[number] = refund
        self.lines.append(Line("REFUND", of, amount, -fee(amount), order.id, number, refund.id, self.now()))
        return refund

    def find_refund(self, number: str) -> Refund:
        if number not in self.refunds:
            raise Refusal(404, "RESOURCE_NOT_EXISTS")
        return self.refunds[number]

    def end_refund(self, number: str, status: str) -> None:
        """A refund that was under way becomes SUCCESS, or CLOSED: the money stays."""
        refund = self.refunds[number]
        refund.status = status
        if status == "CLOSED":
            self.orders[refund.order].back -= refund.amount

    def _come_late(self, order: Order) -> bool:
        has_it = order.kind == "MICROPAY" or order.number in self.scanned
        late, self.late = self.late or self.always_late and has_it, False
        return late and self.confirm(order.number)

    def _new(self, number: str, amount: int, kind: str, state: str) -> Order:
        self.orders[number] = Order(number, amount, kind, self.now(), state, f"42{self._id()}")
        return self.orders[number]

    def _id(self) -> int:
        self.last_id += 1
        return self.last_id
