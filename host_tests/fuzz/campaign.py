# SPDX-License-Identifier: MIT
"""Runs seeded mutations in an interpreter until the time is up."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from host_tests.harness.card.play import APPROVED, Play
from host_tests.harness.in_micropython.runner import Inside
from tools.cards import certificates
from tools.cards.certificates import INDEX
from tools.cards.chip import AmexCard, ChipCard
from tools.cards.payment import PaymentCard, Profile
from tools.cards.proven import ProvenVisa, UnionPayCard
from tools.host.wire import codec

ROUNDS = {"trees": 200, "taps": 100, "frames": 100, "wire": 100}  # inputs per call
_CARDS: tuple[tuple[type[PaymentCard], Profile, str], ...] = (
    (ProvenVisa, Profile("4761730000000011"), "A000000003"),
    (ChipCard, Profile("5413330000000010", cvn=17, aid="A0000000041010"), "A000000004"),
    (AmexCard, Profile("374245000000006", cvn=1, aid="A00000002501"), "A000000025"),
    (UnionPayCard, Profile("6210940000000014", aid="A000000333010102"), "A000000333"),
)


def seeds(inside: Inside) -> list[Any]:
    """An offline-approved tap of each scheme: the card's answers, and the scheme key."""
    found = []
    for kind, profile, rid in _CARDS:
        key = [rid, INDEX, certificates.key("authority").public.hex(), 3]
        card = kind(Profile(**vars(profile)))
        result = Play(inside).card(card, authorities=[key])
        assert result.kind == APPROVED
        found.append([[answer.hex() for answer in result.answers], key])
    return found


def answers() -> list[str]:
    """One host answer of each kind, in hex with its length prefix."""
    who = {"h": "6000000003613100000100", "41": "KASSA001", "42": "898000000000001", "53": "00" * 12, "64": "00" * 8}
    common = {**who, "11": "000123", "12": "120000", "13": "1127", "63": "303120" + "AB" * 24}
    paid = {"3": "000000", "4": "000000001250", "25": "00", "39": "00", "49": "156", "60": "22000001000600"}
    shapes = [
        {"t": "0210", **paid, "37": "633100000001", "38": "123456"},
        {"t": "0210", **paid, "37": "633100000001", "54": "31" * 20},
        {"t": "0210", **paid, "39": "09", "62": "30" * 140},
        {"t": "0410", **paid},
        {"t": "0330", **paid},
        {"t": "0510", "48": "0" * 62, "49": "156", "60": "00000001201"},
        {"t": "0810", "39": "00", "60": "00000001900", "62": "01" * 28},
        {"t": "0810", "39": "00", "60": "00000001360", "62": "01" * 200},
        {"t": "0830", "39": "00", "60": "00000001301"},
    ]
    return [codec.with_length(codec.encode({**common, **shape})).hex() for shape in shapes]


def run(interpreter: str, seconds: float, seed: int) -> Counter[str]:
    """Fuzz for `seconds`. Returns the number of inputs tried and understood by each target.

    Raises InsideError with the input that broke a rule.
    """
    tried: Counter[str] = Counter()
    end = time.monotonic() + seconds
    with Inside(interpreter) as inside:
        inside("fuzz", "load", seeds(inside))
        inside("fuzz", "load_answers", answers())
        while time.monotonic() < end:
            for target, count in ROUNDS.items():
                number, good = inside("fuzz", target, seed, count)
                tried[target] += number
                tried[target + " understood"] += good
            seed += 1
    return tried
