# SPDX-License-Identifier: MIT
"""Settings of a terminal that its host may change, by table 360. Layouts: docs/keys.md."""

import re
from dataclasses import dataclass

_MOST_WALLETS = 160  # bytes, a limit of terminals


@dataclass(frozen=True)
class OfflineLimits:
    """Setting 0C: limits for payments accepted offline. Amounts in minor units."""

    payment: int = 100_000
    total: int = 500_000
    count: int = 100
    heard_hours: int = 24
    unsent_hours: int = 24
    per_card: int = 3
    untrusted_clock: bool = True

    def pack(self) -> bytes:
        numbers = [(self.payment, 6), (self.total, 6), (self.count, 2), (self.heard_hours, 2), (self.unsent_hours, 2)]
        numbers += [(self.per_card, 1), (int(self.untrusted_clock), 1)]
        return b"".join(value.to_bytes(size, "big") for value, size in numbers)


def pack_wallets(wallets: list[tuple[str, str]]) -> bytes:
    """Setting 16: the wallets whose codes the till can show, as (name, what the cashier reads), in the menu's order.

    Raises ValueError for what a terminal would refuse or could not show.
    """
    if not wallets or not all(re.fullmatch("[a-z0-9-]{1,20}", name) for name, _ in wallets):
        raise ValueError("a wallet's name has 1 to 20 of a to z, 0 to 9 and -")
    if any(not label or set(label) & set(":,") for _, label in wallets):
        raise ValueError("what the cashier reads of a wallet has no colon and no comma")
    packed = ",".join(f"{name}:{label}" for name, label in wallets).encode()
    if len(packed) > _MOST_WALLETS:
        raise ValueError(f"the wallets' names have more than {_MOST_WALLETS} bytes")
    return packed


def pack_page(address: str) -> bytes:
    """Setting 21: the address of the host's page, without a slash at its end. Raises ValueError for any other."""
    if not re.fullmatch(r"https://[A-Za-z0-9.:-]{1,52}", address):
        raise ValueError("the page of receipts is https:// and a name of at most 52 characters")
    return address.encode()


@dataclass(frozen=True)
class OfflineApproval:
    """Setting 11: when a card may approve a payment offline. Amounts in minor units.

    `floor`: the highest amount. `cvm`: from this amount on the cardholder must be verified; 0 = never. `target` and
    `most`: percentage still sent to the host at random, below `threshold` and at the floor limit.
    """

    floor: int = 20_000
    cvm: int = 0
    threshold: int = 5_000
    target: int = 5
    most: int = 20

    def pack(self) -> bytes:
        amounts = b"".join(value.to_bytes(6, "big") for value in (self.floor, self.cvm, self.threshold))
        return amounts + bytes((self.target, self.most))


@dataclass(frozen=True)
class Settling:
    """Setting 12: when the terminal settles by itself.

    `minute`: minute of the day; None = no fixed time. `count`: after this many records in a batch.
    """

    minute: int | None = None
    count: int = 900

    def pack(self) -> bytes:
        return (0xFFFF if self.minute is None else self.minute).to_bytes(2, "big") + self.count.to_bytes(2, "big")
