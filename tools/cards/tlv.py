# SPDX-License-Identifier: MIT
"""Decodes BER-TLV from cards, on the host's side."""

from __future__ import annotations

from pyemv import tlv


def leaves(data: bytes) -> dict[str, bytes]:
    """The primitive objects at any depth, by hex tag. If a tag occurs twice, the first one counts."""
    found: dict[str, bytes] = {}
    _walk(tlv.decode(data), found)
    return found


def _walk(tree: dict, found: dict[str, bytes]) -> None:
    for tag, value in tree.items():
        if isinstance(value, dict):
            _walk(value, found)
        else:
            found.setdefault(tag.upper(), bytes(value))
