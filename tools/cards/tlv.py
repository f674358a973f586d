# SPDX-License-Identifier: MIT
"""BER-TLV as cards write it, on the host's side."""

from __future__ import annotations

from pyemv import tlv


def leaves(data: bytes) -> dict[str, bytes]:
    """The primitive objects of any depth by hex tag; of two with one tag the first."""
    found: dict[str, bytes] = {}
    _walk(tlv.decode(data), found)
    return found


def _walk(tree: dict, found: dict[str, bytes]) -> None:
    for tag, value in tree.items():
        if isinstance(value, dict):
            _walk(value, found)
        else:
            found.setdefault(tag.upper(), bytes(value))
