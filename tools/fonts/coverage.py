# SPDX-License-Identifier: MIT
"""Finds the characters of a text that a terminal cannot show or print, and replaces by a question mark."""

from tools.fonts import asset, gbk


def missing(text: str) -> list[str]:
    """Warnings about `text`: one for the screen, one for the printer, or none if every character is available."""
    known = asset.characters()
    lacks = (
        ("the screen has no", [char for char in text if char not in known]),
        ("the printer has no", [char for char in text if not (" " <= char < "\x7f" or gbk.code(char))]),
    )
    return [f"{what} {' '.join(map(_named, dict.fromkeys(chars)))}" for what, chars in lacks if chars]


def _named(char: str) -> str:
    name = f"U+{ord(char):04X}"
    return f"{char} ({name})" if char.isprintable() else name
