# SPDX-License-Identifier: MIT
"""Reads the card's data: the GET PROCESSING OPTIONS response and the records in the AFL (EMV Book 3, 10.1 and 10.2)."""

from micropython import const

from kassa.card import apdu, tlv
from kassa.card.tap_outcomes import END, MSG_OTHER_CARD, MSG_SEE_PHONE, TRY_AGAIN, USE_OTHER, Outcome
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from kassa.card.arena import Arena
    from kassa.card.evidence import Evidence

# The card data to store: tag, minimum and maximum length.
_KEPT = (
    (0x57, 9, 19), (0x5A, 6, 10), (0x5F24, 3, 3), (0x5F25, 3, 3), (0x5F28, 2, 2), (0x5F34, 1, 1), (0x82, 2, 2),
    (0x8C, 2, 252), (0x8E, 10, 252), (0x94, 4, 252), (0x9F07, 2, 2), (0x9F08, 2, 2), (0x9F0E, 5, 5), (0x9F0F, 5, 5),
    (0x9F10, 1, 32), (0x9F26, 8, 8), (0x9F27, 1, 1), (0x9F36, 2, 2), (0x9F42, 2, 2), (0x9F6C, 2, 2),
)  # fmt: skip
_MAX_RECORDS = const(64)  # an AFL of 252 bytes has 63 entries
_MAX_TAGS = const(192)
_LAST_OWN_FILE = const(10)  # higher SFIs hold formats of the issuer: read, but not parsed


def refused(answer: memoryview, phone: bool) -> "Outcome | None":
    """Return the outcome when GET PROCESSING OPTIONS fails; None = the card wants another application (Select Next).

    `phone`: the kernel defines status word 6986, "see phone".
    """
    status = apdu.status(answer)
    if status == apdu.SW_NEXT_APPLICATION:
        return None
    if phone and status == apdu.SW_SEE_PHONE:
        return Outcome(TRY_AGAIN, MSG_SEE_PHONE)
    return Outcome(USE_OTHER if status == apdu.SW_USE_CONTACT else END, MSG_OTHER_CARD)


def take_options(answer: memoryview, arena: "Arena", seen: "list[int]") -> None:
    """Store the processing options: format 2 (77: data objects) or format 1 (80: AIP, then AFL). Raises CardError."""
    options = tlv.single(answer, len(answer) - 2)
    if options.tag == 0x77:
        _take_template(options.enter(), arena, seen)
    elif options.tag == 0x80 and options.end - options.start >= 2:
        take(0x82, answer, options.start, options.start + 2, arena, seen)
        if options.end - options.start > 2:
            take(0x94, answer, options.start + 2, options.end, arena, seen)
    else:
        raise CardError("processing options: unknown format")


def read(arena: "Arena", seen: "list[int]") -> "Generator[memoryview, memoryview, None]":
    """Read every record in the AFL. Those it marks are static data to be authenticated. Raises CardError."""
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
                raise CardError("a record listed in the AFL is missing")
            is_signed = record - first < signed
            if file >> 3 <= _LAST_OWN_FILE:
                _take_record(answer, arena, seen, is_signed)
            elif is_signed and arena.evidence is not None:
                _add_whole_record(answer, arena.evidence)


def _take_record(answer: memoryview, arena: "Arena", seen: "list[int]", is_signed: bool) -> None:
    record = _template(answer)
    if is_signed and arena.evidence is not None:
        arena.evidence.add_static(answer, record.start, record.end)
    _take_template(record.enter(), arena, seen)


def _add_whole_record(answer: memoryview, evidence: "Evidence") -> None:
    """Add a signed record with an SFI above 10 to the static data.

    If it is not one template (70) of objects, it cannot be authenticated: the proof fails but the transaction goes on
    (EMV Book 3, 10.3). An unparsed record could otherwise hide objects taken out of another record.
    """
    try:
        if _template(answer).enter().next():
            evidence.add_static(answer, 0, len(answer) - 2)
            return
    except CardError:
        pass
    evidence.complete = False


def _template(answer: memoryview) -> "tlv.Tlv":
    """Return a cursor on the template (70) that must be the whole response. Raises CardError."""
    record = tlv.single(answer, len(answer) - 2)
    if record.tag != 0x70:
        raise CardError("a record is not one template")
    return record


def _take_template(template: "tlv.Tlv", arena: "Arena", seen: "list[int]") -> None:
    while template.next():
        if not template.constructed():
            take(template.tag, template.data, template.start, template.end, arena, seen)


def take(tag: int, data: "tlv.Bytes", start: int, end: int, arena: "Arena", seen: "list[int]") -> None:
    """Record one primitive object as seen, and store it if it is needed. An empty object counts as absent.

    Raises CardError for a duplicate tag (EMV Book 3, 10.2), too many objects or a wrong length.
    """
    if tag in seen or len(seen) == _MAX_TAGS:
        raise CardError("redundant or too many data objects")
    seen.append(tag)
    if start == end:
        return
    if arena.evidence is not None and arena.evidence.take(tag, data, start, end):
        return
    for kept, least, most in _KEPT:
        if kept == tag:
            if not least <= end - start <= most:
                raise CardError("a data object has a wrong length")
            arena.keep(tag, data, start, end)
            return
