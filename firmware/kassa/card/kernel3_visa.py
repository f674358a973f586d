# SPDX-License-Identifier: MIT
"""Kernel 3 (Visa qVSDC, EMV Contactless Book C-3): the card returns its cryptogram with GET PROCESSING OPTIONS.

A TC counts only if the terms allow offline approval, and once fDDA has authenticated the card.
"""

from micropython import const

from kassa.card import apdu, records, tlv, track2
from kassa.card.tap_outcomes import (
    DECLINED,
    EXPIRED,
    MSG_DECLINED,
    MSG_OTHER_CARD,
    MSG_READ_OK,
    ONLINE,
    TO_PROVE,
    TO_PROVE_OR_ASK,
    USE_OTHER,
    Outcome,
)
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

    Step = Generator[memoryview, memoryview, Outcome | None]

_MANDATORY = (0x82, 0x57, 0x9F10, 0x9F26, 0x9F36)

_AAC = const(0x00)
_TC = const(0x40)
_ARQC = const(0x80)
# Card transaction qualifiers (9F6C), byte 1. Bits 5 and 3 ask for another interface; this terminal has none.
_CTQ_ONLINE_PIN = const(0x80)
_CTQ_ONLINE_IF_NOT_PROVEN = const(0x20)  # go online if offline data authentication fails
_CTQ_ONLINE_IF_EXPIRED = const(0x08)  # go online if the application is expired
_CTQ_DEVICE_CVM = const(0x80)  # byte 2: CDCVM performed (verification on the cardholder's own device)
_NO_CVM = b"\x1f\x03\x02"
_DEVICE_CVM = b"\x01\x00\x02"


def run(terms: "Terms", arena: "Arena", fci: memoryview) -> "Step":
    """Run the kernel after the final SELECT. Yields command APDUs; the caller sends back the responses.

    `fci`: the response to the final SELECT, status word included. Returns the outcome, or None for Select Next (the
    card wants another application). Raises CardError for malformed, missing, duplicate or contradictory data.
    """
    pdol = tlv.Tlv(fci, 0, len(fci) - 2)
    answer = yield apdu.get_processing_options(arena, terms, pdol if pdol.path(0x6F, 0xA5, 0x9F38) else None)
    if apdu.status(answer) != apdu.SW_OK:
        return records.refused(answer, True)
    seen = []
    records.take_options(answer, arena, seen)
    yield from records.read(arena, seen)
    return _decide(terms, arena)


def _decide(terms: "Terms", arena: "Arena") -> Outcome:
    for tag in _MANDATORY:
        arena.need(tag)
    track, digits = track2.card_number(arena)
    kind = _cryptogram_kind(arena)
    if kind not in (_AAC, _TC, _ARQC):
        raise CardError("unknown type of cryptogram")
    if kind == _AAC or kind == _TC and terms.authorities is None:
        return Outcome(DECLINED, MSG_DECLINED)
    refused = _cardholder_verification(terms, arena, kind)
    if refused is not None:
        return refused
    expired = track2.expired(track, digits, terms.date) or _application_expired(terms, arena)
    if kind == _TC:
        from kassa.card import restrictions

        found = bytearray(5)
        restrictions.check(terms, arena, found)
        qualifiers = arena.kept(0x9F6C)
        ctq = 0 if qualifiers is None else qualifiers.data[qualifiers.start]
        expired = expired or bool(found[1] & restrictions.EXPIRED)
        if found[1] & restrictions.UNFIT & ~restrictions.EXPIRED or expired and not ctq & _CTQ_ONLINE_IF_EXPIRED:
            return Outcome(DECLINED, MSG_DECLINED)
        if not expired:
            return Outcome(TO_PROVE_OR_ASK if ctq & _CTQ_ONLINE_IF_NOT_PROVEN else TO_PROVE, MSG_READ_OK)
    return Outcome(ONLINE, MSG_READ_OK, EXPIRED if expired else "")


def _application_expired(terms: "Terms", arena: "Arena") -> bool:
    """Return whether the application's expiry date (5F24, BCD YYMMDD) is before the terms' date."""
    until = arena.kept(0x5F24)
    return until is not None and track2.before(until.data, until.start, terms.date)


def _cryptogram_kind(arena: "Arena") -> int:
    """Return the cryptogram type from the cryptogram information data (9F27).

    Without 9F27 it comes from the CVR in the issuer application data (9F10): byte 2, bits 6 and 5.
    """
    information = arena.kept(0x9F27)
    if information is not None:
        return information.data[information.start] & 0xC0
    issuer = arena.need(0x9F10)
    if issuer.end - issuer.start < 5:
        raise CardError("unknown type of cryptogram")
    kind = issuer.data[issuer.start + 4] << 2 & 0xC0
    single = bytes((kind,))
    arena.keep(0x9F27, single, 0, 1)
    return kind


def _cardholder_verification(terms: "Terms", arena: "Arena", kind: int) -> "Outcome | None":
    """Check the CTQ (9F6C; Book C-3, 5.7). Returns None if satisfied, otherwise the outcome that refuses the card.

    Online PIN is not supported yet: a card that requires it is refused. With a TC, CDCVM counts only if the card also
    sends 9F69: there the CTQ is signed, and the proof fails if the two differ.
    """
    qualifiers = arena.kept(0x9F6C)
    wants_pin = False
    if qualifiers is not None:
        proven = kind == _ARQC or arena.evidence is not None and bool(arena.evidence.find(0x9F69))
        if qualifiers.data[qualifiers.start + 1] & _CTQ_DEVICE_CVM and proven:
            arena.keep(0x9F34, _DEVICE_CVM, 0, 3)
            return None
        wants_pin = bool(qualifiers.data[qualifiers.start] & _CTQ_ONLINE_PIN)
    if wants_pin:
        return Outcome(USE_OTHER, MSG_OTHER_CARD)
    if terms.cvm_required:
        return Outcome(DECLINED, MSG_DECLINED)
    arena.keep(0x9F34, _NO_CVM, 0, 3)
    return None
