# SPDX-License-Identifier: MIT
"""Kernel 3 (Visa qVSDC, EMV Contactless Book C-3): the card gives its cryptogram in answer to GET PROCESSING OPTIONS.

Without offline data authentication a card's own approval (TC) counts for nothing here: only an ARQC for the host does.
"""

from micropython import const

from kassa.card import apdu, body, tlv, track2
from kassa.card.terms import (
    DECLINED,
    END,
    MSG_DECLINED,
    MSG_OTHER_CARD,
    MSG_READ_OK,
    MSG_SEE_PHONE,
    ONLINE,
    TRY_AGAIN,
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

# What is kept of a card's data: tag, least and most bytes.
_KEPT = (
    (0x57, 9, 19), (0x5A, 6, 10), (0x5F24, 3, 3), (0x5F34, 1, 1), (0x82, 2, 2), (0x94, 4, 64), (0x9F10, 7, 32),
    (0x9F26, 8, 8), (0x9F27, 1, 1), (0x9F36, 2, 2), (0x9F6C, 2, 2),
)  # fmt: skip
_MANDATORY = (0x82, 0x57, 0x9F10, 0x9F26, 0x9F36)
_MAX_RECORDS = const(32)
_MAX_TAGS = const(96)

_AAC, _TC, _ARQC = const(0x00), const(0x40), const(0x80)
_CTQ_ONLINE_PIN = const(0x80)  # byte 1
_CTQ_DEVICE_CVM = const(0x80)  # byte 2: the cardholder was verified on his own device
_NO_CVM = b"\x1f\x03\x02"
_DEVICE_CVM = b"\x01\x00\x02"


def run(terms: "Terms", arena: "Arena", fci: memoryview) -> "Step":
    """Take over after the final SELECT, whose answer is `fci`. Returns None when the card wants another application.

    Raises CardError for malformed, missing, repeated or contradicting data.
    """
    pdol = tlv.Tlv(fci, 0, len(fci) - 2)
    answer = yield apdu.get_processing_options(arena, terms, pdol if pdol.path(0x6F, 0xA5, 0x9F38) else None)
    status = apdu.status(answer)
    if status == apdu.SW_NEXT_APPLICATION:
        return None
    if status == apdu.SW_SEE_PHONE:
        return Outcome(TRY_AGAIN, MSG_SEE_PHONE)
    if status == apdu.SW_USE_CONTACT:
        return Outcome(USE_OTHER, MSG_OTHER_CARD)
    if status != apdu.SW_OK:
        return Outcome(END, MSG_OTHER_CARD)
    seen = []
    _take_options(answer, arena, seen)
    yield from _read_records(arena, seen)
    return _decide(terms, arena)


def _take_options(answer: memoryview, arena: "Arena", seen: "list[int]") -> None:
    """Format 2 (77: data objects) or format 1 (80: AIP, then AFL)."""
    end = len(answer) - 2
    tlv.check(answer, 0, end)
    options = tlv.Tlv(answer, 0, end)
    if not options.next() or options.end != end:
        raise CardError("processing options: not one object")
    if options.tag == 0x77:
        _take_template(options.enter(), arena, seen)
    elif options.tag == 0x80 and options.end - options.start >= 2:
        _take(0x82, answer, options.start, options.start + 2, arena, seen)
        if options.end - options.start > 2:
            _take(0x94, answer, options.start + 2, options.end, arena, seen)
    else:
        raise CardError("processing options: unknown format")


def _read_records(arena: "Arena", seen: "list[int]") -> "Generator[memoryview, memoryview, None]":
    """Read every record the AFL names (EMV Book 3, 10.2)."""
    afl = arena.kept(0x94)
    if afl is None:
        return
    count = 0
    if (afl.end - afl.start) % 4:
        raise CardError("AFL: length")
    for at in range(afl.start, afl.end, 4):
        file, first, last, signed = afl.data[at], afl.data[at + 1], afl.data[at + 2], afl.data[at + 3]
        if file & 7 or not 1 <= file >> 3 <= 30 or not 1 <= first <= last or signed > last - first + 1:
            raise CardError("AFL: entry")
        for record in range(first, last + 1):
            count += 1
            if count > _MAX_RECORDS:
                raise CardError("AFL: too many records")
            answer = yield apdu.read_record(arena, file >> 3, record)
            if apdu.status(answer) != apdu.SW_OK:
                raise CardError("a record the AFL names is not there")
            if file >> 3 <= 10:  # above, the issuer's own formats: read, not understood
                _take_record(answer, arena, seen)


def _take_record(answer: memoryview, arena: "Arena", seen: "list[int]") -> None:
    end = len(answer) - 2
    tlv.check(answer, 0, end)
    record = tlv.Tlv(answer, 0, end)
    if not record.next() or record.tag != 0x70 or record.end != end:
        raise CardError("a record is not one template")
    _take_template(record.enter(), arena, seen)


def _take_template(template: "tlv.Tlv", arena: "Arena", seen: "list[int]") -> None:
    while template.next():
        if not template.constructed():
            _take(template.tag, template.data, template.start, template.end, arena, seen)


def _take(tag: int, data: "tlv.Bytes", start: int, end: int, arena: "Arena", seen: "list[int]") -> None:
    """Note one primitive object, keep it if it matters. The same tag twice is an error (EMV Book 3, 10.2)."""
    if tag in seen or len(seen) == _MAX_TAGS:
        raise CardError("redundant or too many data objects")
    seen.append(tag)
    for kept, least, most in _KEPT:
        if kept == tag:
            if not least <= end - start <= most:
                raise CardError("a data object has a wrong length")
            arena.keep(tag, data, start, end)
            return


def _decide(terms: "Terms", arena: "Arena") -> Outcome:
    for tag in _MANDATORY:
        arena.need(tag)
    track = arena.need(0x57)
    digits = track2.pan_digits(track)
    pan = arena.kept(0x5A)
    if pan is not None and not track2.same_pan(track, digits, pan):
        raise CardError("two card numbers in one card")
    kind = _cryptogram_kind(arena)
    if kind == _AAC or kind == _TC:
        return Outcome(DECLINED, MSG_DECLINED)
    if kind != _ARQC:
        raise CardError("unknown kind of cryptogram")
    refused = _cardholder_verification(terms, arena)
    if refused is not None:
        return refused
    track2.mask(track, digits, arena)
    body.build(terms, arena)
    return Outcome(ONLINE, MSG_READ_OK, track2.expired(track, digits, terms.date))


def _cryptogram_kind(arena: "Arena") -> int:
    """From the cryptogram information data, or the issuer application data's CVR (byte 2, bits 6 and 5) without one."""
    information = arena.kept(0x9F27)
    if information is not None:
        return information.data[information.start] & 0xC0
    issuer = arena.need(0x9F10)
    kind = issuer.data[issuer.start + 4] << 2 & 0xC0
    single = bytes((kind,))
    arena.keep(0x9F27, single, 0, 1)
    return kind


def _cardholder_verification(terms: "Terms", arena: "Arena") -> "Outcome | None":
    """CTQ (9F6C), Book C-3, 5.7: None when satisfied. Online PIN is not offered yet: such a card is sent away."""
    qualifiers = arena.kept(0x9F6C)
    wants_pin = False
    if qualifiers is not None:
        if qualifiers.data[qualifiers.start + 1] & _CTQ_DEVICE_CVM:
            arena.keep(0x9F34, _DEVICE_CVM, 0, 3)
            return None
        wants_pin = bool(qualifiers.data[qualifiers.start] & _CTQ_ONLINE_PIN)
    if wants_pin:
        return Outcome(USE_OTHER, MSG_OTHER_CARD)
    if terms.cvm_required:
        return Outcome(DECLINED, MSG_DECLINED)
    arena.keep(0x9F34, _NO_CVM, 0, 3)
    return None
