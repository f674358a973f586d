# SPDX-License-Identifier: MIT
"""Authenticates a card that was read: the certificates from the CA key down, then the signature over this payment."""

from hashlib import sha1

from micropython import const

from kassa.card import offline_data_authentication, track2
from kassa.card.tap_outcomes import APPROVED, ONLINE
from kassa.crypto.wipe import zero
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.evidence import Evidence
    from kassa.card.terms import Authorities, Terms
    from kassa.card.tlv import Bytes

_TC = const(0x40)
_PROOF = const(0xDF01)  # as in sealed_body.py, which is not loaded yet


def check(terms: "Terms", arena: "Arena") -> int:
    """Authenticate the card. Returns APPROVED (TC) or ONLINE (ARQC) if it is genuine, 0 if not."""
    evidence = arena.evidence
    if evidence is None or terms.authorities is None:
        return 0
    try:
        card = _card(terms, terms.authorities, arena, evidence)
        if evidence.cid < 0:
            proven = _fdda(terms, arena, evidence, card)
        else:
            proven = _cda(terms, arena, evidence, card)
        if not proven:
            return 0
        arena.keep(_PROOF, sha1(evidence.need(0x9F4B)).digest(), 0, 8)  # a digest of the signature is kept for disputes
        return APPROVED if evidence.cid < 0 or evidence.cid & 0xC0 == _TC else ONLINE
    except CardError:
        return 0


def _fdda(terms: "Terms", arena: "Arena", evidence: "Evidence", card: offline_data_authentication.Key) -> bool:
    """Check fDDA of a card that returned a TC: signature format 05; signed ATC and CTQ equal to those in clear."""
    un, amount, currency = terms.value(0x9F37), terms.value(0x9F02), terms.value(0x5F2A)
    form, number = offline_data_authentication.check_fdda(card, evidence, un, amount, currency)
    related, qualifiers = evidence.need(0x9F69), arena.kept(0x9F6C)
    if form != offline_data_authentication.SIGNED or len(related) < 7:
        return False
    clear_ctq = b"\0\0" if qualifiers is None else qualifiers.data[qualifiers.start : qualifiers.end]
    counter = arena.need(0x9F36)
    return related[5:7] == clear_ctq and number == counter.data[counter.start : counter.end]


def _cda(terms: "Terms", arena: "Arena", evidence: "Evidence", card: offline_data_authentication.Key) -> bool:
    """Check CDA. Stores the cryptogram (9F26) from the signature."""
    cryptogram = offline_data_authentication.check_cda(
        card, evidence, terms.value(0x9F37), evidence.cid, evidence.transaction_hash
    )
    if arena.kept(0x9F26) is not None:
        return False  # the standard does not allow it in clear as well
    arena.keep(0x9F26, cryptogram, 0, 8)
    return True


def _card(
    terms: "Terms", authorities: "Authorities", arena: "Arena", evidence: "Evidence"
) -> offline_data_authentication.Key:
    """Return the card's key, certified by its issuer and the issuer by the CA. Raises CardError."""
    name, aip, pan = arena.need(0x84), arena.need(0x82), bytearray(10)
    rid, index = name.data[name.start : name.start + 5], evidence.need(0x8F)[0]
    authority = _authority(authorities, rid, index, terms.date)
    track = arena.need(0x57)
    track2.pad_pan(track, track2.pan_digits(track), pan)
    try:
        issuer, serial = offline_data_authentication.issuer_key(authority, evidence, pan, terms.date)
        if authorities.revoked(rid, index, serial):
            raise CardError("proof: revoked")
        return offline_data_authentication.card_key(issuer, evidence, pan, terms.date, aip.data[aip.start : aip.end])
    finally:
        zero(pan)


def _authority(authorities: "Authorities", rid: "Bytes", index: int, date: "Bytes") -> offline_data_authentication.Key:
    found = authorities.find(rid, index, date)
    if found is None:
        raise CardError("proof: no key of the scheme")
    return offline_data_authentication.Key(*found)
