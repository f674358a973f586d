# SPDX-License-Identifier: MIT
"""All virtual cards by name: good ones, with colours for the panel, and one for each misbehaviour."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.cards import behaviours, false_proofs
from tools.cards.card import Card
from tools.cards.chip import AmexCard, ChipCard
from tools.cards.payment import PaymentCard, Profile
from tools.cards.proven import ProvenVisa, UnionPayCard
from tools.cards.visa import VisaCard, certificate_record, pan_record


@dataclass(frozen=True)
class Entry:
    """A card of the catalogue. `good`: a host that knows its issuer approves it."""

    name: str
    title: str
    colour: str
    good: bool
    build: Callable[[], Card]
    says: str = ""  # what is wrong with it, briefly

    @property
    def pan(self) -> str:
        """The card number; empty if it is not a payment card."""
        card = self.build()
        return card.profile.pan if isinstance(card, PaymentCard) else ""


def _with_records(profile: Profile, *more: bytes) -> Profile:
    profile.records = (pan_record(profile), *more)
    return profile


class _TypeB(VisaCard):
    technology = "B"


def _good() -> list[Entry]:
    def entry(name: str, title: str, colour: str, profile: Profile, kind: type[PaymentCard] = VisaCard) -> Entry:
        return Entry(name, title, colour, True, lambda: kind(_copy(profile)))

    return [
        entry("jade", "Jade Credit", "#1f7a5c", _with_records(Profile("4761730000000011"))),
        entry("amber", "Amber Debit", "#d18a1d", _with_records(Profile("4761730000000029", cvn=18))),
        entry("coral", "Coral Travel", "#d9594c", Profile("4012000000000016", sequence="00")),
        entry("ink", "Ink Business", "#23324f", _with_records(Profile("4012000000000024", cvn=18, kernel="03"))),
        entry("lotus", "Lotus Gold", "#b88a2b",
              _with_records(Profile("4111110000000013", cvn=18), certificate_record())),
        entry("bamboo", "Bamboo Student", "#6f9a37", Profile("4222220000000016", says_kind=False, ctq="")),
        entry("pearl", "Pearl Phone", "#7d6fb0", Profile("4532010000000016", cvn=18, ctq="0080", sequence="02")),
        entry("quartz", "Quartz Chip", "#8793a6", Profile(_luhn("401200000000003")), ProvenVisa),
        entry("maple", "Maple M/Chip", "#b5502f",
              Profile(_luhn("541333000000001"), cvn=17, aid="A0000000041010", label="MASTERCARD"), ChipCard),
        entry("birch", "Birch Business", "#3d5f8a",
              Profile(_luhn("541333000000002"), cvn=20, aid="A0000000043060", label="MAESTRO", kernel="02"), ChipCard),
        entry("slate", "Slate Express", "#5b6770",
              Profile(_luhn("37424500000000"), cvn=1, aid="A00000002501", label="AMEX"), AmexCard),
        entry("plum", "Plum UnionPay", "#8a3d6b",
              Profile(_luhn("621094000000001"), aid="A000000333010102", label="UnionPay Credit"), UnionPayCard),
        entry("tide", "Tide (type B)", "#2b7fa6", _with_records(Profile("4532010000000024")), _TypeB),
    ]  # fmt: skip


def _bad() -> list[Entry]:
    def entry(name: str, title: str, says: str, build: Callable[[], Card]) -> Entry:
        return Entry(name, title, "#8a8f98", False, build, says)

    def profile(last: int, expiry: str = "3112", sequence: str = "01", ctq: str = "0000") -> Profile:
        number = _luhn(f"47617310000000{last}")
        return _with_records(Profile(number, expiry=expiry, sequence=sequence, ctq=ctq))

    def plain(last: str) -> Profile:
        return Profile(_luhn(f"40120000000001{last}"))

    torn = [
        entry(f"torn{at}", f"Hasty, APDU {at}", f"leaves the reader at APDU {at}",
              lambda at=at: behaviours.Torn(profile(0), at))
        for at in range(1, 5)
    ]  # fmt: skip
    return [
        *torn,
        entry("once", "Hasty once", "leaves at APDU 2 the first time",
              lambda: behaviours.Torn(profile(0), 2, times=1)),
        entry("slow", "Slow", "asks for more time before each answer", lambda: behaviours.Slow(profile(1))),
        entry("forged", "Forged", "wrong cryptogram", lambda: behaviours.WrongCryptogram(profile(2))),
        entry("declines", "Declining", "the card itself says no", lambda: behaviours.Declining(profile(3))),
        entry("approves", "Self-approving", "says yes without proof", lambda: behaviours.Approving(profile(4))),
        entry("unusable", "Unusable", "conditions of use not satisfied", lambda: behaviours.NotUsable(profile(5))),
        entry("expired", "Expired", "out of date", lambda: VisaCard(profile(6, expiry="2401"))),
        entry("replay", "Recording", "its counter does not move", lambda: behaviours.Replaying(profile(7))),
        entry("oversize", "Oversize", "objects longer than the answer", lambda: behaviours.Oversize(profile(8))),
        entry("pin", "PIN please", "asks for the online PIN", lambda: VisaCard(profile(9, ctq="8000"))),
        entry("two_numbers", "Two numbers", "two card numbers in one card",
              lambda: behaviours.TwoNumbers(profile(1, sequence="07"))),
        entry("repeats", "Repeating", "says the same twice",
              lambda: behaviours.Repeating(profile(1, sequence="08"))),
        entry("unknown_issuer", "Stranger", "no host knows its issuer", lambda: _Stranger(_with_records(
            Profile(_luhn("499999000000001"))))),
        entry("noise", "Noise", "answers random bytes", behaviours.Noise),
        entry("signature", "Wrong signature", "signs wrongly, offline",
              lambda: false_proofs.WrongSignature(plain("1"))),
        entry("copied", "Copy", "another card's data without its key", lambda: false_proofs.Copied(plain("2"))),
        entry("other_amount", "Other amount", "signs another amount", lambda: false_proofs.OtherAmount(plain("3"))),
        entry("swapped", "Swapped", "claims its holder was verified", lambda: false_proofs.SwappedQualifiers(plain("4"))),
        entry("other_data", "Other data", "changes its answer after signing", lambda: false_proofs.OtherData(
            Profile(_luhn("541333000000007"), cvn=17, aid="A0000000041010"))),
        entry("fetch61", "Fetching 61", "has more to fetch (61xx)", lambda: false_proofs.Fetching(plain("5"), b"\x61\x20")),
        entry("fetch6c", "Fetching 6C", "wants another length (6Cxx)", lambda: false_proofs.Fetching(plain("6"), b"\x6c\x20")),
        entry("purse", "Electronic purse", "UnionPay e-cash, which is not taken",
              lambda: UnionPayCard(Profile(_luhn("621094000000009"), aid="A000000333010106", label="E-CASH"))),
        entry("foreign", "Other scheme", "a scheme we do not take", behaviours.Foreign),
        entry("fob", "Key fob", "not a payment card", behaviours.KeyFob),
    ]  # fmt: skip


class _Stranger(VisaCard):
    def cryptogram(self, tags: dict[str, bytes]) -> bytes:
        return bytes(8)


def _luhn(digits: str) -> str:
    """Append the check digit."""
    total = sum(sum(divmod(int(digit) * (2 - at % 2), 10)) for at, digit in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _copy(profile: Profile) -> Profile:
    return Profile(**vars(profile))


CATALOGUE = {entry.name: entry for entry in _good() + _bad()}
GOOD = [entry.name for entry in CATALOGUE.values() if entry.good]


def make(name: str) -> Card:
    """A new card with transaction counter zero. Raises KeyError for an unknown name."""
    return CATALOGUE[name].build()


class Wallet:
    """One card per name; each keeps its transaction counter, across restarts if `path` is given."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._cards: dict[str, Card] = {}

    def card(self, name: str) -> Card:
        """The card with this name. Raises KeyError for an unknown name."""
        if name not in self._cards:
            card = self._cards[name] = make(name)
            if isinstance(card, PaymentCard):
                card.atc = self._stored().get(name, 0)
        return self._cards[name]

    def save(self) -> None:
        """Store the counters. The owner calls this after each use."""
        if self._path is not None:
            counters = {name: card.atc for name, card in self._cards.items() if isinstance(card, PaymentCard)}
            self._path.write_text(json.dumps({**self._stored(), **counters}))

    def _stored(self) -> dict[str, int]:
        if self._path is None or not self._path.exists():
            return {}
        return json.loads(self._path.read_text())
