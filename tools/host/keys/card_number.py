# SPDX-License-Identifier: MIT
"""The card number in a sealed body. It exists in memory only; what is stored is its token (host_keys.py)."""

from collections.abc import Mapping


def pan_of(tags: Mapping[str, bytes]) -> str:
    """The card number in track 2 (57). Raises ValueError if there is none."""
    digits, separator, _ = tags.get("57", b"").hex().partition("d")
    if not separator or not digits.isdecimal():
        raise ValueError("body: no card number")
    return digits
