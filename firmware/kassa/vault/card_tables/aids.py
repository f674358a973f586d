# SPDX-License-Identifier: MIT
"""Reads the AID table that the host has set from the cards partition. Loaded only before a tap."""

from micropython import const

from kassa.vault.card_tables import ca_public_keys
from kassa.vault.card_tables.ca_public_keys import APPLICATION, Authorities

_MOST = const(24)  # rows


def rows(cards: Authorities) -> bytes:
    """All rows, concatenated, in the format of card/aid_rules.py; empty without a table. Raises FlashFault."""
    found = b""
    end, at = cards.size(), 0
    head = bytearray(ca_public_keys.HEAD)
    while at < end and len(found) < _MOST * ca_public_keys.ROW:
        cards.read(at, head)
        if not head[0]:
            break
        size = ca_public_keys.size_of(head)
        if head[0] == APPLICATION:
            row = bytearray(size)
            cards.read(at, row)
            found += row
        at += size
    return found
