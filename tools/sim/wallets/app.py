# SPDX-License-Identifier: MIT
"""What a wallet's app on a customer's phone can do, and the payments that it shows."""

from dataclasses import dataclass
from typing import Protocol

PAYS, ASKS, REFUSES, SILENT, LATE = MOODS = ("pays", "asks", "refuses", "silent", "late")
WAITING, SENDING, PAID, REFUSED, CANCELLED, BACK = "waiting", "sending", "paid", "refused", "cancelled", "back"
NEWEST = 8  # payments of a wallet


class PhoneError(Exception):
    """What the phone cannot do. The text says why."""


@dataclass(frozen=True, slots=True)
class Item:
    """A payment as the phone shows it. `at`: ms. `amount`, and `back` that was given back: fen; `satoshi`: of Lightning.

    `state`: WAITING for the customer, SENDING money, PAID, REFUSED by customer or wallet, CANCELLED by the shop, given BACK.
    """

    wallet: str
    id: str
    at: int
    amount: int
    state: str
    back: int = 0
    satoshi: int = 0


class App(Protocol):
    """One wallet on the phone. `mood`: one of MOODS. Every method may raise PhoneError.

    `code`: a fresh payment code, digits; "" if the wallet has none. `scan`: the till's code; the id of the payment that
    then waits for the customer, or None if the code is not this wallet's. `items`: newest first.
    """

    @property
    def mood(self) -> str: ...

    def set_mood(self, mood: str) -> None: ...

    def code(self) -> str: ...

    def scan(self, text: str) -> str | None: ...

    def pay(self, payment: str) -> None: ...

    def refuse(self, payment: str) -> None: ...

    def items(self) -> list[Item]: ...

    def close(self) -> None: ...
