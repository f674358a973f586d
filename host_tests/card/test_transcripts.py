# SPDX-License-Identifier: MIT
"""Published recordings of real cards, played against the kernel."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.harness.card.play import APPROVED, Play
from host_tests.harness.card.rig import Rig
from host_tests.harness.in_micropython.runner import InsideError
from tools.cards.card import SW_OK, Card, tlv
from tools.cards.payment import PPSE
from tools.cards.verify import parse

ONLINE, DECLINED, END = 1, 3, 6
VISA = "A0000000031010"


def turns(path: Path) -> list[tuple[bytes, bytes]]:
    """The (command, answer) pairs of a recording; an empty command matches any."""
    lines = [line for line in path.read_text().splitlines() if line[:1] in "<>"]
    frames = [bytes.fromhex(line[1:].strip()) for line in lines]
    return list(zip(frames[::2], frames[1::2], strict=True))


def first(pairs: list[tuple[bytes, bytes]], start: str, default: bytes = b"\x6a\x82") -> bytes:
    """The first recorded answer to a command that starts with `start` (hex), else `default`."""
    return next((answer for command, answer in pairs if command.hex().upper().startswith(start)), default)


def directory(aid: str) -> bytes:
    return tlv("6F", tlv("84", PPSE), tlv("A5", tlv("BF0C", tlv("61", tlv("4F", bytes.fromhex(aid)))))) + SW_OK


def by_recording(pairs: list[tuple[bytes, bytes]], ppse: bytes | None = None) -> Callable[[bytes], bytes]:
    def answer(capdu: bytes) -> bytes:
        if capdu[1] == 0xB2:
            return first(pairs, capdu[:4].hex().upper(), b"\x6a\x83")
        if capdu[1] == 0xA8:
            return first(pairs, "80A8")
        if ppse is not None and capdu[5:19] == PPSE:
            return ppse
        return first(pairs, capdu[:-1].hex().upper())

    return answer


def test_a_recorded_qvsdc_card_goes_online(play: Play, published: Path) -> None:
    pairs = turns(published / "transcripts/emv-bertlv/qvsdc-visa-online.apdu")
    result = play.answers(by_recording(pairs, directory(VISA)))
    assert (result.kind, result.first6, result.last4) == (ONLINE, "476134", "0043")
    tags = parse(result.body)
    assert tags["9F26"].hex() == "271a23709bde117e" and tags["9F36"].hex() == "00e2"
    assert tags["9F27"] == b"\x80"  # not in the answer: derived from the card verification results 03 A0 ...
    recorded = next(command for command, _ in pairs if command[:2] == b"\x80\xa8")
    assert len(result.commands[2]) == len(recorded)  # the same PDOL, filled with our values


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("VisaCardPpse", ["A0000000031010"]),
        ("VisaCardPpse3", []),
        ("VisaCardPpseNoOptions", ["A0000000031010"]),
        ("MasterCardPpse", ["A0000000041010"]),
        ("MasterCardPpse3", ["A0000000041010"]),
        ("InteractPpse", []),
    ],
)
def test_recorded_directories_give_only_candidates_with_a_supported_kernel(
    play: Play, published: Path, name: str, asked: list[str]
) -> None:
    pairs = turns(published / f"transcripts/devnied/{name}.apdu")
    seen: list[str] = []

    def answer(capdu: bytes) -> bytes:
        if capdu[5:19] == PPSE:
            return first(pairs, "00A404000E325041592E")
        seen.append(capdu[5:-1].hex().upper())
        return b"\x6a\x82"

    assert play.answers(answer).kind == END
    assert seen == asked


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("VisaCardAid", "CardError"),  # format 1, and its record lacks the cryptogram
        ("VisaCardPpse", DECLINED),  # no 9F27: its card verification results say AAC
        ("VisaCardPpse3", "CardError"),
        ("VisaCardPpseNoOptions", DECLINED),
    ],
)
def test_recorded_visa_cards_without_an_online_cryptogram_do_not_go_online(
    play: Play, published: Path, name: str, expected: int | str
) -> None:
    pairs = turns(published / f"transcripts/devnied/{name}.apdu")
    answer = by_recording(pairs, directory(VISA))
    fci = tlv("6F", tlv("84", bytes.fromhex(VISA))) + SW_OK
    gpo = next(found for _, found in pairs if found[:1] in (b"\x77", b"\x80"))
    try:
        end: int | str = play.answers(
            lambda c: gpo if c[1] == 0xA8 else fci if c[:2] == b"\x00\xa4" and c[5:19] != PPSE else answer(c)
        ).kind
    except InsideError as error:
        end = error.kind
    assert end == expected


@pytest.mark.parametrize("group", ["emv-utils", "emv-bertlv", "javaemvreader"])
def test_misplaced_answers_of_contact_cards_end_the_tap(play: Play, published: Path, group: str) -> None:
    """Puts each recorded answer in the place of each expected answer. The tap ends, or is a card error."""
    count = 0
    for path in sorted((published / "transcripts" / group).glob("*.apdu")):
        for _, recorded in turns(path):
            for place in (0x00, 0xA4, 0xA8, 0xB2):

                def answer(capdu: bytes, recorded: bytes = recorded, place: int = place) -> bytes:
                    name = capdu[5:19] == PPSE
                    if (place == 0 and name) or (place == capdu[1] and not name):
                        return recorded
                    return directory(VISA) if name else first([], "")

                try:
                    assert play.answers(answer).kind == END
                except InsideError as error:
                    assert error.kind == "CardError"
                count += 1
    assert count > 20


# -- an M/Chip test card that approved offline, recorded with CDA ----------------------------------------------------

MASTERCARD = "A0000000041010"
# The recorded terminal: Australian dollars, and signature supported, which the card's CVM list then selects.
THEIRS = {
    "amount": 10_001, "currency": 36, "country": 2, "date": "120315", "unpredictable": "000eec85", "capabilities": "002800",
}  # fmt: skip


def golden(published: Path) -> tuple[Callable[[bytes], bytes], list[list[object]], list[tuple[bytes, bytes]]]:
    """The card's answers, its scheme key, and the recording. Two records in its AFL were not recorded: empty here."""
    pairs = turns(published / "transcripts/emv-bertlv/contactless-mastercard.apdu")
    by_card = by_recording(pairs, directory(MASTERCARD))

    def answer(capdu: bytes) -> bytes:
        if capdu[1] == 0xAE:
            return first([pair for pair in pairs if pair[0] == capdu], "80AE", b"\x69\x85")  # only this exact command
        found = by_card(capdu)
        return b"\x70\x00\x90\x00" if found == b"\x6a\x83" else found

    keys = json.loads((published / "ca_keys/ca_keys.json").read_text())
    key = next(one for one in keys if (one["rid"], one["index"]) == ("A000000004", "EF") and one["sha1_ok"])
    return answer, [["A000000004", 0xEF, key["modulus"], int(key["exponent"], 16)]], pairs


def test_the_recorded_m_chip_card_is_approved_offline(play: Play, published: Path) -> None:
    answer, keys, pairs = golden(published)
    result = play.answers(answer, **THEIRS, authorities=keys)
    assert (result.kind, result.first6, result.last4) == (APPROVED, "541333", "0044")
    assert result.commands[-1] == pairs[-1][0]  # byte for byte the recorded command
    tags = parse(result.body)
    assert tags["9F27"] == b"\x40" and tags["9F36"].hex() == "0035" and len(tags["9F26"]) == 8


@pytest.mark.parametrize(
    "change", [{"unpredictable": "000eec86"}, {"amount": 10_002}, {"currency": 156}, {"date": "120316"}]
)
def test_the_recording_is_declined_for_any_other_payment(
    play: Play, published: Path, change: dict[str, object]
) -> None:
    answer, keys, pairs = golden(published)
    result = play.answers(
        lambda capdu: pairs[-1][1] if capdu[1] == 0xAE else answer(capdu), **{**THEIRS, **change}, authorities=keys
    )
    assert result.kind == DECLINED


def test_the_recording_is_approved_through_the_reader_driver(rig: Rig, published: Path) -> None:
    answer, keys, _ = golden(published)

    class Recorded(Card):
        def transmit(self, capdu: bytes) -> bytes:
            return answer(capdu)

    from cases_card import Known

    from kassa.card.terms import Terms

    terms = Terms(
        10_001, 36, 2, bytes.fromhex("120315"), bytes.fromhex("000eec85"), capabilities=b"\x00\x28\x00",
        authorities=Known(keys, []),
    )  # fmt: skip
    rig.field.place(Recorded())
    assert rig.tap(terms=terms).kind == APPROVED
    assert parse(bytes(rig.arena.body))["57"].hex().startswith("5413330089600044d")
