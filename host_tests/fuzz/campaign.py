# SPDX-License-Identifier: MIT
"""Rounds of seeded mutations inside an interpreter, until the time is over."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from host_tests.card.play import APPROVED, Play
from host_tests.inside.inside import Inside
from tools.cards import certificates
from tools.cards.certificates import INDEX
from tools.cards.chip import AmexCard, ChipCard
from tools.cards.payment import PaymentCard, Profile
from tools.cards.proven import ProvenVisa, UnionPayCard

ROUNDS = {"trees": 200, "taps": 100, "frames": 100}  # inputs of one call
_CARDS: tuple[tuple[type[PaymentCard], Profile, str], ...] = (
    (ProvenVisa, Profile("4761730000000011"), "A000000003"),
    (ChipCard, Profile("5413330000000010", cvn=17, aid="A0000000041010"), "A000000004"),
    (AmexCard, Profile("374245000000006", cvn=1, aid="A00000002501"), "A000000025"),
    (UnionPayCard, Profile("6210940000000014", aid="A000000333010102"), "A000000333"),
)


def seeds(inside: Inside) -> list[Any]:
    """A tap of each scheme that is approved offline: its answers, and the key it is proven with."""
    found = []
    for kind, profile, rid in _CARDS:
        key = [rid, INDEX, certificates.key("authority").public.hex(), 3]
        card = kind(Profile(**vars(profile)))
        result = Play(inside).card(card, authorities=[key])
        assert result.kind == APPROVED
        found.append([[answer.hex() for answer in result.answers], key])
    return found


def run(interpreter: str, seconds: float, seed: int) -> Counter[str]:
    """Inputs tried and understood by each target. Raises InsideError with the input that broke a promise."""
    tried: Counter[str] = Counter()
    end = time.monotonic() + seconds
    with Inside(interpreter) as inside:
        inside("fuzz", "load", seeds(inside))
        while time.monotonic() < end:
            for target, count in ROUNDS.items():
                number, good = inside("fuzz", target, seed, count)
                tried[target] += number
                tried[target + " understood"] += good
            seed += 1
    return tried
