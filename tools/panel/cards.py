# SPDX-License-Identifier: MIT
"""The cards as the page draws them: title, masked number, colour, and what is wrong with a bad card."""

from typing import Any

from tools.cards.catalogue import CATALOGUE, Entry
from tools.cards.chip import ChipCard
from tools.cards.proven import ProvenVisa


def drawn() -> list[dict[str, Any]]:
    """Every card of the catalogue, good ones first, with masked numbers."""
    return [
        {
            "name": entry.name,
            "title": entry.title,
            "colour": entry.colour,
            "good": entry.good,
            "says": entry.says,
            "number": _masked(entry.pan),
            "offline": _offline(entry) if entry.good else "",
        }
        for entry in CATALOGUE.values()
    ]


def _offline(entry: Entry) -> str:
    """The text key of what becomes of a small sale while there is no network: a card that proves itself is approved."""
    return "approved_card" if isinstance(entry.build(), (ProvenVisa, ChipCard)) else "accepted"


def _masked(pan: str) -> str:
    return f"{pan[:4]} {pan[4:6]}•• •••• {pan[-4:]}" if pan else ""
