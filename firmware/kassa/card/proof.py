# SPDX-License-Identifier: MIT
"""Whether a card that was read is proven: its keys down from the scheme's, then the signature over this payment."""

from micropython import const

from kassa.card import oda, track2
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from kassa.card.arena import Arena
    from kassa.card.evidence import Evidence
    from kassa.card.terms import Terms
    from kassa.card.tlv import Bytes

    class Authorities(Protocol):
        """What a proof needs of the store of the schemes' keys: vault/authorities.py."""

        def find(self, rid: "Bytes", index: int, date: "Bytes") -> "tuple[bytes, int] | None": ...

        def revoked(self, rid: "Bytes", index: int, serial: "Bytes") -> bool: ...


def fast(terms: "Terms", arena: "Arena") -> bool:
    """fDDA of a card that approved by itself: signature format 05, the counter in it and in clear the same, one CTQ."""
    evidence = arena.evidence
    if evidence is None or terms.authorities is None:
        return False
    try:
        card = _card(terms, terms.authorities, arena, evidence)
        un, amount, currency = terms.value(0x9F37), terms.value(0x9F02), terms.value(0x5F2A)
        form, number = oda.check_fast(card, evidence, un, amount, currency)
        related, qualifiers = evidence.need(0x9F69), arena.kept(0x9F6C)
        if form != oda.SIGNED or len(related) < 7:
            return False
        if qualifiers is not None and related[5:7] != qualifiers.data[qualifiers.start : qualifiers.end]:
            return False
        counter = arena.need(0x9F36)
        return number == counter.data[counter.start : counter.end]
    except CardError:
        return False


def _card(terms: "Terms", authorities: "Authorities", arena: "Arena", evidence: "Evidence") -> oda.Key:
    """The card's key, proven by the scheme's. Raises CardError."""
    name, aip, pan = arena.need(0x84), arena.need(0x82), bytearray(10)
    track = arena.need(0x57)
    track2.pad_pan(track, track2.pan_digits(track), pan)
    try:
        rid = name.data[name.start : name.start + 5]
        index = evidence.need(0x8F)[0]
        found = authorities.find(rid, index, terms.date)
        if found is None:
            raise CardError("proof: unknown authority")
        issuer, serial = oda.issuer_key(oda.Key(*found), evidence, pan, terms.date)
        if authorities.revoked(rid, index, serial):
            raise CardError("proof: revoked")
        return oda.card_key(issuer, evidence, pan, terms.date, aip.data[aip.start : aip.end])
    finally:
        for at in range(10):
            pan[at] = 0
