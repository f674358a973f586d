# SPDX-License-Identifier: MIT
"""The issuer's side: parses a sealed body's TLV and verifies the card's cryptogram."""

from __future__ import annotations

import hmac

from tools.cards import cryptogram
from tools.host.keys.card_number import pan_of


def parse(body: bytes) -> dict[str, bytes]:
    """The data objects of a sealed body (TLV, zero padded) by hex tag, e.g. "9F26". Raises ValueError if malformed."""
    tags: dict[str, bytes] = {}
    at = 0
    while at < len(body) and body[at]:
        width = 2 if body[at] & 0x1F == 0x1F else 1
        if at + width >= len(body):
            raise ValueError("body: truncated")
        end = at + width + 1 + body[at + width]
        tag = body[at : at + width].hex().upper()
        if end > len(body) or body[at + width] > 0x7F or tag in tags:
            raise ValueError("body: malformed")
        tags[tag] = body[at + width + 1 : end]
        at = end
    if any(body[at:]):
        raise ValueError("body: not zero padded")
    return tags


def check_cryptogram(tags: dict[str, bytes], imk: bytes) -> bool:
    """Whether 9F26 is the right cryptogram over the other tags under issuer master key `imk`."""
    try:
        expected = cryptogram.compute(tags, pan_of(tags), tags.get("5F34", b"\x00").hex(), imk)
        return hmac.compare_digest(expected, tags["9F26"])
    except (KeyError, ValueError):
        return False
