# SPDX-License-Identifier: MIT
"""Finds the characters of a text that a terminal cannot show or print, and replaces by a question mark."""

from functools import cache
from pathlib import Path


@cache
def shown() -> frozenset[str]:
    """The characters that a terminal's screen can show: characters.txt, and the space."""
    return frozenset(Path(__file__).with_name("characters.txt").read_text().strip() + " ")


def missing(text: str) -> list[str]:
    """Warnings about `text`: one for the screen, one for the printer, or none if every character is available."""
    lacks = (
        ("the screen has no", [char for char in text if char not in shown()]),
        ("the printer has no", [char for char in text if not _is_printed(char)]),
    )
    return [f"{what} {' '.join(map(_named, dict.fromkeys(chars)))}" for what, chars in lacks if chars]


def _is_printed(char: str) -> bool:
    """Whether a printer with the GBK character set has it. The yen sign is printed in its full-width form."""
    try:
        return " " <= char < "\x7f" or len({"¥": "￥"}.get(char, char).encode("gbk")) == 2
    except UnicodeEncodeError:
        return False


def _named(char: str) -> str:
    name = f"U+{ord(char):04X}"
    return f"{char} ({name})" if char.isprintable() else name
