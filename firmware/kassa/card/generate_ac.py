# SPDX-License-Identifier: MIT
"""A payment by GENERATE AC (EMV Book 3): the common part of kernels 2 and 4.

Reads the records, then does processing restrictions, cardholder verification, terminal action analysis and GENERATE AC,
with CDA if the card may approve offline.
"""

from hashlib import sha1

from micropython import const

from kassa.card import apdu, cvm, records, restrictions, tap_outcomes, tlv, track2
from kassa.card.restrictions import AAC, ARQC, TC
from kassa.card.tap_outcomes import Outcome
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from kassa.card.arena import Arena
    from kassa.card.evidence import Evidence
    from kassa.card.terms import Terms

    Step = Generator[memoryview, memoryview, Outcome | None]

_MANDATORY = (0x82, 0x57, 0x5F24, 0x8C)
_CDA = const(0x01)  # AIP, byte 1: CDA
_EMV_MODE = const(0x80)  # AIP, byte 2, kernel 2
# TVR byte 1
_ODA_NOT_PERFORMED = const(0x80)
_DATA_MISSING = const(0x20)
_CDA_FAILED = const(0x04)
# The records' data that CDA needs: CA key index, certificates and exponents of issuer and card (Book 3, 7.5).
_CDA_DATA = (0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47)
_CERTIFICATE_HEAD = const(36)  # bytes of an issuer certificate that are not part of the modulus
_WITH_CDA = const(0x10)  # reference control parameter: CDA requested
_TSI = b"\x28\x00"  # card and terminal risk management performed. Bits for CDA and a CVM:
_TSI_PROOF = const(0x80)
_TSI_CVM = const(0x40)


def run(terms: "Terms", arena: "Arena", fci: memoryview, codes: bytes, emv_mode: bool) -> "Step":
    """Run the kernel; see kernel3_visa.run.

    `codes`: terminal action codes, denial then online, 5 bytes each, used if the host's table has none. `emv_mode`: the
    card must support EMV mode, and CDCVM is accepted.
    """
    pdol = tlv.Tlv(fci, 0, len(fci) - 2)
    command = apdu.get_processing_options(arena, terms, pdol if pdol.path(0x6F, 0xA5, 0x9F38) else None)
    digest = sha1(command[7 if command[6] < 0x80 else 8 : -1])
    answer = yield command
    if apdu.status(answer) != apdu.SW_OK:
        return records.refused(answer, False)
    seen = []
    records.take_options(answer, arena, seen)
    aip = arena.need(0x82)
    if emv_mode and not aip.data[aip.start + 1] & _EMV_MODE:
        return Outcome(tap_outcomes.USE_OTHER, tap_outcomes.MSG_OTHER_CARD)  # magnetic stripe only
    yield from records.read(arena, seen)
    for tag in _MANDATORY:
        arena.need(tag)
    track2.card_number(arena)

    tvr = bytearray(5)
    known = _can_do_cda(terms, arena, tvr)
    restrictions.check(terms, arena, tvr)
    tvr[3] |= terms.risk
    refused = cvm.choose(terms, arena, tvr, emv_mode)
    if refused is not None:
        return refused
    codes = terms.codes or codes
    requested = restrictions.choose_cryptogram(
        arena, tvr, codes[:5], codes[5:], known and not tvr[1] & restrictions.UNFIT and _profile_is_signed(arena)
    )
    signed = known and requested != AAC
    _set_results(terms, tvr, signed)
    command = apdu.generate_ac(arena, terms, requested | _WITH_CDA if signed else requested, arena.need(0x8C))
    digest.update(command[5:-1])
    answer = yield command
    status = apdu.status(answer)
    if status == apdu.SW_SEE_PHONE:
        return Outcome(tap_outcomes.TRY_AGAIN, tap_outcomes.MSG_SEE_PHONE)
    if status != apdu.SW_OK:
        return Outcome(tap_outcomes.END, tap_outcomes.MSG_OTHER_CARD)
    _take_answer(answer, arena, seen, digest, signed)
    information = arena.need(0x9F27)
    cid = information.data[information.start]
    kind = cid & 0xC0
    if kind == AAC:
        return Outcome(tap_outcomes.DECLINED, tap_outcomes.MSG_DECLINED)
    if kind not in (TC, ARQC) or kind == TC and requested != TC:
        raise CardError("the card did not return the requested type of cryptogram")
    expired = tap_outcomes.EXPIRED if kind == ARQC and tvr[1] & restrictions.EXPIRED else ""
    if signed and arena.evidence is not None:
        arena.evidence.expect_cda(cid, digest.digest())
        return Outcome(tap_outcomes.TO_PROVE, tap_outcomes.MSG_READ_OK, expired)
    arena.need(0x9F26)
    return Outcome(tap_outcomes.ONLINE, tap_outcomes.MSG_READ_OK, expired)


def _can_do_cda(terms: "Terms", arena: "Arena", tvr: bytearray) -> bool:
    """Return whether the card may approve offline and CDA is possible: its data are present and the CA key is known.

    If not, `tvr` gets the reason before the action analysis (Book 3, 10.3), and CDA is not requested.
    """
    aip, evidence = arena.need(0x82), arena.evidence
    if terms.authorities is None or evidence is None or not aip.data[aip.start] & _CDA:
        tvr[0] |= _ODA_NOT_PERFORMED
        return False
    if evidence.lacks(_CDA_DATA) or _lacks_remainder(evidence):
        tvr[0] |= _DATA_MISSING | _CDA_FAILED
        return False
    name, tags = arena.need(0x84), evidence.find(0x9F4A)
    rid, index = name.data[name.start : name.start + 5], evidence.find(0x8F)[0]
    listed = not tags or bytes(tags) == b"\x82"
    if evidence.complete and listed and terms.authorities.find(rid, index, terms.date) is not None:
        return True
    tvr[0] |= _CDA_FAILED
    return False


def _lacks_remainder(evidence: "Evidence") -> bool:
    """Return whether the issuer's key does not fit in its certificate and the remainder (92) is missing."""
    return len(evidence.find(0x9F46)) > len(evidence.find(0x90)) - _CERTIFICATE_HEAD and not evidence.find(0x92)


def _profile_is_signed(arena: "Arena") -> bool:
    """Return whether the AIP, which governs cardholder verification, is signed: only if the card sends 9F4A."""
    return arena.evidence is not None and bool(arena.evidence.find(0x9F4A))


def _set_results(terms: "Terms", tvr: bytearray, signed: bool) -> None:
    """Set the TVR and TSI that the card gets."""
    done = bytearray(_TSI)
    if signed:
        done[0] |= _TSI_PROOF
    if terms.value(0x9F34) != b"\x3f\0\0":
        done[0] |= _TSI_CVM
    terms.set(0x95, tvr)
    terms.set(0x9B, done)


def _take_answer(answer: memoryview, arena: "Arena", seen: "list[int]", digest: "sha1", signed: bool) -> None:
    """Store the data objects of the response to GENERATE AC. Raises CardError.

    Format 2 (77): every object except the signature also goes into `digest`. Format 1 (80) carries no signature, so it
    is accepted only if no CDA was requested, or for an AAC.
    """
    given = tlv.single(answer, len(answer) - 2)
    if given.tag == 0x77:
        objects = given.enter()
        while objects.next():
            if objects.tag != 0x9F4B:
                digest.update(answer[objects.head : objects.end])
            records.take(objects.tag, answer, objects.start, objects.end, arena, seen)
    elif given.tag == 0x80 and 11 <= given.end - given.start <= 43 and (not signed or not answer[given.start] & 0xC0):
        at = given.start
        for tag, size in ((0x9F27, 1), (0x9F36, 2), (0x9F26, 8), (0x9F10, given.end - at - 11)):
            if size:
                records.take(tag, answer, at, at + size, arena, seen)
            at += size
    else:
        raise CardError("cryptogram: unknown format")
    for tag in (0x9F27, 0x9F36):
        arena.need(tag)
