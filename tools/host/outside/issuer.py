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
    tid: str = ""  # its terminal (DE 41) and merchant (DE 42)
    merchant: str = ""


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


@dataclass(frozen=True, slots=True)
class Advice:
    """What the host has decided about an earlier payment: its void, tip or adjustment.

    `uid`: of this; `original`: of the earlier payment. `amount`: the new total of a tip or adjustment, minor units.
    """

    uid: bytes
    original: bytes
    amount: int
    type: str
    tid: str = ""  # the terminal (DE 41) and merchant (DE 42) of both
    merchant: str = ""


class Issuer(Protocol):
    """Those who decide about cards. Everything is repeated until it is answered, so each call is done once by its uid.

    `decide`: the same uid must get the same decision. `tell`: an advice; nobody is asked. `undo`: what was asked or told
    under this uid by this terminal comes to nothing, also if it never arrived and only arrives later. All may raise
    IssuerFault. Uids are unique per terminal only.
    """

    async def decide(self, payment: Payment) -> Decision: ...

    async def tell(self, advice: Advice) -> None: ...

    async def undo(self, tid: str, uid: bytes) -> None: ...
