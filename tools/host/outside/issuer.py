# SPDX-License-Identifier: MIT
"""What the host asks of card issuers, through an acquirer. docs/host.md says what an implementation has to promise."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tools.host.wire import kinds


@dataclass(frozen=True, slots=True)
class Payment:
    """A request to the issuer: amount in minor units, currency n4, EMV tags by hex name. Kept in memory only."""

    uid: bytes
    online: bool
    amount: int
    currency: str
    card: str  # token of the card number, see HostKeys.token
    tags: Mapping[str, bytes] = field(repr=False)
    proven: bool = False  # the terminal reports that the card approved offline and was authenticated
    type: str = kinds.SALE  # 60.1


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of an issuer or wallet: DE 39, DE 38 if approved, a text for the cashier.

    `atc`: the card's transaction counter, once the cryptogram is verified. `balance`: minor units, if requested.
    `shown`: the code for the customer to scan while the payment is still open.
    """

    code: str
    auth_code: str | None = None
    text: str = ""
    atc: int | None = None
    balance: int | None = None
    shown: bytes = b""


class Issuer(Protocol):
    """Decides one payment, or raises IssuerFault.

    The host may crash before storing a decision and ask again, so the same uid must get the same decision.
    """

    async def decide(self, payment: Payment) -> Decision: ...
