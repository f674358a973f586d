# SPDX-License-Identifier: MIT
"""Which characters of a text a terminal cannot show or print: it puts a question mark in their place."""

from tools.fonts import asset, gbk


def missing(text: str) -> list[str]:
    """What is to be said of `text`, one sentence for the screen and one for the printer; empty when all is there."""
    known = asset.characters()
    lacks = (
        ("the screen has no", [char for char in text if char not in known]),
        ("the printer has no", [char for char in text if not (" " <= char < "\x7f" or gbk.code(char))]),
    )
    return [f"{what} {' '.join(map(_named, dict.fromkeys(chars)))}" for what, chars in lacks if chars]


def _named(char: str) -> str:
    name = f"U+{ord(char):04X}"
    return f"{char} ({name})" if char.isprintable() else name
