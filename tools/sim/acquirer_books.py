# SPDX-License-Identifier: MIT
"""The books of the acquirer simulator: what it approved, took back and settled, in minor units. It checks cards too."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass, field

from tools.cards.issuer_keys import ISSUER_MASTER_KEYS
from tools.cards.verify import check_cryptogram
from tools.host.keys.seal import read_tlv

CREDIT_LINE = 10_000_000  # spending limit of each card, minor units
DEBIT, CREDIT, CHANGE, NONE = "debit", "credit", "change", "none"
Key = tuple[str, str, str]  # terminal, STAN, time


@dataclass
class Entry:
    """A transaction. `effect` on the merchant: debit (the card pays), credit, change (`amount` replaces), none."""

    key: Key
    mid: str
    effect: str
    amount: int
    currency: str
    day: datetime.date
    rrn: str
    worth: int = 0
    auth_code: str = ""
    original: Key | None = None
    reversed_on: datetime.date | None = None


@dataclass
class Card:
    """What a message says of a card: track 2 with D, sequence number, DE 55 in hex, expiry YYMM."""

    track2: str
    sequence: str
    emv: str = field(repr=False)

    def tags(self) -> dict[str, bytes]:
        """As a terminal sealed them."""
        odd = "F" if len(self.track2) % 2 else ""
        tags = read_tlv(bytes.fromhex(self.emv)) | {"57": bytes.fromhex(self.track2 + odd)}
        return tags | ({"5F34": bytes.fromhex(self.sequence[-2:])} if self.sequence else {})


class Books:
    """`today`: the acquirer's day, which a test may change. `refuse_with`: an answer of our own set that refuses all."""

    def __init__(self) -> None:
        self.today = datetime.date.today()
        self.entries: dict[Key, Entry] = {}
        self.gone: set[Key] = set()  # reversed before they came
        self.counters: dict[str, dict[int, Key]] = {}  # card number -> ATC
        self.blocked: set[str] = set()
        self.refuse_with: str | None = None
        self.fee = 4  # minor units for each sale

    def judge(self, key: Key, card: Card, amount: int, currency: str, spends: bool) -> str:
        """What an issuer says, as DE 39 of the terminal's dialect: "00" or a reason."""
        tags = card.tags()
        number, _, rest = card.track2.partition("D")
        master = ISSUER_MASTER_KEYS.get(number[:6])
        if master is None:
            return "14"
        if not check_cryptogram(tags, master):
            return "59"
        seen = self.counters.setdefault(number, {})
        if seen.setdefault(int.from_bytes(tags["9F36"], "big"), key) != key:
            return "59"
        if tags["9F02"].hex() != f"{amount:012}" or tags["5F2A"].hex()[-3:] != currency:
            return "64"
        if number in self.blocked:
            return "62"
        if rest[:4] < f"{self.today:%y%m}":
            return "54"
        if self.refuse_with:
            return self.refuse_with
        return "51" if spends and amount > CREDIT_LINE else "00"

    def take(self, entry: Entry) -> Entry:
        """Book an approved transaction."""
        about = self.entries.get(entry.original) if entry.original else None
        before = about.amount if about else 0
        entry.worth = {DEBIT: entry.amount, CREDIT: -entry.amount, CHANGE: entry.amount - before, NONE: 0}[entry.effect]
        entry.auth_code = f"{int.from_bytes(hashlib.sha256(repr(entry.key).encode()).digest()) % 10**6:06}"
        self.entries[entry.key] = entry
        return entry

    def reverse(self, key: Key) -> bool:
        """Take a transaction back. False if there is none: it is refused if it still comes."""
        entry = self.entries.get(key)
        if entry is None:
            self.gone.add(key)
            return False
        if entry.reversed_on is None:
            entry.reversed_on = self.today
        return True

    def standing(self) -> list[Entry]:
        """What was approved and not reversed."""
        return [entry for entry in self.entries.values() if entry.reversed_on is None]

    def owed(self) -> int:
        """What the acquirer owes for all of it, before fees."""
        return sum(entry.worth for entry in self.standing())

    def totals(self, day: datetime.date, currency: str) -> dict[str, int]:
        """A day's totals. What was reversed on its own day counts in neither; on a later day, as a reversal there."""
        found = dict.fromkeys(
            f"{side}{which}_{what}"
            for side in ("credit", "debit")
            for which in ("", "_reversed")
            for what in ("count", "amount")
        )
        sums = {name: 0 for name in found}
        for entry in self.entries.values():
            if entry.currency != currency or entry.effect == NONE:
                continue
            if entry.day == day and entry.reversed_on != day:
                self._add(sums, entry, "")
            elif entry.reversed_on == day and entry.day != day:
                self._add(sums, entry, "_reversed")
        return sums

    def report(self, day: datetime.date) -> list[tuple[Entry, int, int]]:
        """The lines of a day's file: entry, amount, fee. A reversal of an earlier day is a line with the sign turned."""
        lines = []
        for entry in self.entries.values():
            fee = self.fee if entry.effect == DEBIT else 0
            if not entry.worth:
                continue
            if entry.day == day and entry.reversed_on != day:
                lines.append((entry, entry.worth, fee))
            elif entry.reversed_on == day and entry.day != day:
                lines.append((entry, -entry.worth, -fee))
        return lines

    def _add(self, sums: dict[str, int], entry: Entry, which: str) -> None:
        side = "credit" if entry.effect == CREDIT else "debit"
        sums[f"{side}{which}_count"] += entry.effect != CHANGE
        sums[f"{side}{which}_amount"] += abs(entry.worth) if entry.effect == CREDIT else entry.worth
