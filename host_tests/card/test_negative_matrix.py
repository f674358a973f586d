# SPDX-License-Identifier: MIT
"""Changes each byte of each answer of an approved tap. Only a change of unsigned data may still be approved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from host_tests.card.test_chip_cards import CARDS, keys
from host_tests.card.test_offline_approval import VISA, card
from host_tests.card.test_offline_approval import keys as visa_keys
from host_tests.harness.card.play import APPROVED, Play

_QUICK_UNSIGNED = ("57", "5F34", "9F10", "9F26", "9F27", "9F6C")  # in the answer to GET PROCESSING OPTIONS
_SCHEMES = {VISA: (card, visa_keys), **{pan: (make, lambda pan=pan: keys(pan)) for pan, make in CARDS.items()}}


@pytest.mark.parametrize("scheme", _SCHEMES)
def test_no_change_of_a_signed_byte_is_approved(cases: Callable[..., Any], scheme: str) -> None:
    make, known = _SCHEMES[scheme]
    play, good, authorities = Play(cases), make(), known()
    result = play.card(good, authorities=authorities)
    assert result.kind == APPROVED
    recorded = dict(zip(result.commands, result.answers, strict=True))
    harmless: list[tuple[int, int]] = []
    count = 0
    for place, (command, answer) in enumerate(recorded.items()):
        for at in range(len(answer) - 2):
            wrong = answer[:at] + bytes((answer[at] ^ 1 << (at + place) % 8,)) + answer[at + 1 :]
            count += 1

            def replay(capdu: bytes, command: bytes = command, wrong: bytes = wrong) -> bytes:
                return wrong if capdu == command else recorded.get(capdu, b"\x6a\x82")

            if play.ending(replay, authorities=authorities) == APPROVED:
                harmless.append((place, at))
    options = result.answers[2]
    quick = result.commands[-1][1] != 0xAE
    unsigned = [_span(options, tag) for tag in _QUICK_UNSIGNED if quick and bytes.fromhex(tag) in options]
    for place, at in harmless:
        assert place < 2 or place == 2 and any(at in span for span in unsigned), (place, at)
    print(f"{count} bytes changed; approved with {len(harmless)}, none of them signed")
    assert count > 700


def _span(answer: bytes, tag: str) -> range:
    """The byte range of an object (tag, length and value) in an answer."""
    at = answer.find(bytes.fromhex(tag))
    size = 2 * len(tag) // 4 + 1 + answer[at + len(tag) // 2]
    return range(at, at + size)
