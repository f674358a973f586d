# SPDX-License-Identifier: MIT
"""The cards as the page draws them: title, masked number, colour, and what is wrong with a bad card."""

from typing import Any

from tools.cards.catalogue import CATALOGUE


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
        }
        for entry in CATALOGUE.values()
    ]


def _masked(pan: str) -> str:
    return f"{pan[:4]} {pan[4:6]}•• •••• {pan[-4:]}" if pan else ""
