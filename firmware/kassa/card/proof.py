# SPDX-License-Identifier: MIT
"""Whether a card that was read is proven: its keys down from the scheme's, then the signature over this payment."""

from hashlib import sha1

from micropython import const

from kassa.card import oda, track2
from kassa.card.body import PROOF
from kassa.crypto.wipe import zero
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
        authority_key = authority(terms, arena)
        if authority_key is None:
            return False
        card = _card(terms, terms.authorities, authority_key, arena, evidence)
        un, amount, currency = terms.value(0x9F37), terms.value(0x9F02), terms.value(0x5F2A)
        form, number = oda.check_fast(card, evidence, un, amount, currency)
        related, qualifiers = evidence.need(0x9F69), arena.kept(0x9F6C)
        if form != oda.SIGNED or len(related) < 7:
            return False
        said = b"\0\0" if qualifiers is None else qualifiers.data[qualifiers.start : qualifiers.end]
        if related[5:7] != said:
            return False
        counter = arena.need(0x9F36)
        if number != counter.data[counter.start : counter.end]:
            return False
        _note(arena, evidence)
        return True
    except CardError:
        return False


def combined(terms: "Terms", arena: "Arena", authority_key: oda.Key, said: int, transaction: bytes) -> bool:
    """CDA of a cryptogram that was asked for with it: `said` is its kind in clear. Keeps the signed cryptogram (9F26)."""
    evidence = arena.evidence
    if evidence is None or terms.authorities is None:
        return False
    try:
        card = _card(terms, terms.authorities, authority_key, arena, evidence)
        cryptogram = oda.check_combined(card, evidence, terms.value(0x9F37), said, transaction)
        if arena.kept(0x9F26) is not None:
            return False  # in clear as well: not what the standard says
        arena.keep(0x9F26, cryptogram, 0, 8)
        _note(arena, evidence)
        return True
    except CardError:
        return False


def _note(arena: "Arena", evidence: "Evidence") -> None:
    """What is kept of the signature, for a dispute."""
    arena.keep(PROOF, sha1(evidence.need(0x9F4B)).digest(), 0, 8)


def authority(terms: "Terms", arena: "Arena") -> "oda.Key | None":
    """The scheme's key that the card names, if it is known, right and not over."""
    name, evidence = arena.need(0x84), arena.evidence
    index = evidence.find(0x8F) if evidence is not None else b""
    if terms.authorities is None or not index:
        return None
    found = terms.authorities.find(name.data[name.start : name.start + 5], index[0], terms.date)
    return None if found is None else oda.Key(*found)


def _card(
    terms: "Terms", authorities: "Authorities", authority_key: oda.Key, arena: "Arena", evidence: "Evidence"
) -> oda.Key:
    """The card's key, proven by the scheme's. Raises CardError."""
    name, aip, pan = arena.need(0x84), arena.need(0x82), bytearray(10)
    track = arena.need(0x57)
    track2.pad_pan(track, track2.pan_digits(track), pan)
    try:
        issuer, serial = oda.issuer_key(authority_key, evidence, pan, terms.date)
        rid, index = name.data[name.start : name.start + 5], evidence.need(0x8F)[0]
        if authorities.revoked(rid, index, serial):
            raise CardError("proof: revoked")
        return oda.card_key(issuer, evidence, pan, terms.date, aip.data[aip.start : aip.end])
    finally:
        zero(pan)
