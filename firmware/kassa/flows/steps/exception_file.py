# SPDX-License-Identifier: MIT
"""Checks the card against the exception file: cards that must not be accepted without the host."""

from kassa.card import tlv, track2
from kassa.crypto.wipe import zero
from kassa.flows.session import Session
from kassa.vault.card_tables import blocked_bins
from kassa.vault.card_tables.ca_public_keys import Authorities


def is_listed(session: Session) -> bool:
    """Whether the PAN of the card that was read is listed. Raises FlashFault."""
    track = tlv.Tlv(session.card().body)
    pan = bytearray(10)
    try:
        if not track.find(0x57):
            return False
        track2.pad_pan(track, track2.pan_digits(track), pan)
        return blocked_bins.is_listed(Authorities(*session.courier.cards), pan)
    finally:
        zero(pan)
