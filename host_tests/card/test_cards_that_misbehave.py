# SPDX-License-Identifier: MIT
"""Every misbehaving card of the catalogue, and malformed and random answers, on every interpreter."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from host_tests.harness.card.play import Play, Result
from tools.cards.card import SW_OK, tlv
from tools.cards.catalogue import CATALOGUE, make
from tools.cards.issuer_keys import key_for
from tools.cards.payment import VISA_CREDIT, Profile
from tools.cards.verify import check_cryptogram, parse
from tools.cards.visa import VisaCard
from tools.host.keys.card_number import pan_of

ONLINE, DECLINED, TRY_AGAIN, USE_OTHER, END = 1, 3, 4, 5, 6
CARD_ERROR = "CardError"
QUIET = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])

# The kernel's outcome for each card. The other bad cards leave the field before the kernel has an outcome.
ENDINGS: dict[str, int | str] = {
    "slow": ONLINE, "forged": ONLINE, "declines": DECLINED, "approves": DECLINED, "unusable": END, "expired": ONLINE,
    "replay": ONLINE, "oversize": CARD_ERROR, "pin": USE_OTHER, "two_numbers": CARD_ERROR, "repeats": CARD_ERROR,
    "unknown_issuer": ONLINE, "noise": CARD_ERROR, "foreign": END, "purse": END,
    "signature": ONLINE, "copied": ONLINE, "other_amount": ONLINE, "swapped": ONLINE, "other_data": ONLINE,
    "fetch61": END, "fetch6c": END, "fob": END,
}  # fmt: skip
IN_THE_FIELD = {"torn1", "torn2", "torn3", "torn4", "once"}  # cards that leave the field: test_reader.py


def test_every_bad_card_is_listed_here() -> None:
    bad = {entry.name for entry in CATALOGUE.values() if not entry.good}
    assert bad == ENDINGS.keys() | IN_THE_FIELD
    assert len(bad) == 28


@pytest.mark.parametrize("name", ENDINGS)
def test_a_bad_card_has_the_expected_outcome(play: Play, name: str) -> None:
    assert play.ending(make(name).transmit) == ENDINGS[name]


def test_the_issuer_detects_forgery_and_replay(play: Play) -> None:
    forged = parse(play.card(make("forged")).body)
    key = key_for(pan_of(forged))
    assert key is not None and not check_cryptogram(forged, key)
    replaying = make("replay")
    first = parse(play.card(replaying, unpredictable="00000001").body)
    second = parse(play.card(replaying, unpredictable="00000002").body)
    assert check_cryptogram(first, key)
    assert not check_cryptogram(second, key) and second["9F36"] == first["9F36"]


def test_an_expired_card_is_reported(play: Play) -> None:
    assert play.card(make("expired")).expired
    assert not play.card(make("expired"), date="240131").expired
    assert play.card(make("expired"), date="240201").expired
    assert not play.card(make("expired"), date="991231").expired  # 1999


# --- one thing changed in an otherwise good card --------------------------------------------------------------------


class Edited(VisaCard):
    """A valid card whose GET PROCESSING OPTIONS answer is edited by `change`, which gets its objects by tag."""

    def __init__(self, change: Callable[[dict[str, bytes]], None] | None = None, **profile: object) -> None:
        super().__init__(Profile("4761730000000011", **profile))  # type: ignore[arg-type]
        self._change = change

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        answer = super().options(terminal)
        if self._change:
            self._change(answer)
        return answer


@pytest.mark.parametrize("tag", ["82", "57", "9F10", "9F26", "9F36"])
def test_missing_mandatory_data_are_a_card_error(play: Play, tag: str) -> None:
    assert play.ending(Edited(lambda answer: answer.pop(tag) and None).transmit) == CARD_ERROR


@pytest.mark.parametrize("tag", ["9F27", "9F6C", "5F34"])
def test_optional_data_may_be_missing(play: Play, tag: str) -> None:
    assert play.ending(Edited(lambda answer: answer.pop(tag) and None).transmit) == ONLINE


@pytest.mark.parametrize(
    ("tag", "value"),
    [
        ("57", "4761730000000011d3112201000001234500ff"),  # 19 bytes: still valid
        ("57", "47617300000000113112201000001234"),  # no separator
        ("57", "4761730000d311220100"),  # ten digits
        ("57", "47617300000000a1d31122010000"),
        ("57", "4761730000000011d31f22010000"),
        ("57", "4761730000000011d311"),
        ("57", "4761730000000011d311220100000123450000ff"),  # 20 bytes
        ("82", "00"),
        ("9F26", "00112233445566"),
        ("9F36", "000001"),
        ("9F10", "06010A03A00000" + "00" * 26),
        ("9F27", "8000"),
        ("9F27", "c0"),
        ("9F6C", "00"),
        ("5F34", "0102"),
    ],
)
def test_malformed_data_are_refused(play: Play, tag: str, value: str) -> None:
    card = Edited(lambda answer: answer.update({tag: bytes.fromhex(value)}))
    assert play.ending(card.transmit) == (ONLINE if value.endswith("4500ff") else CARD_ERROR)


@pytest.mark.parametrize(
    "afl",
    [
        "100101", "10010100" * 64, "00010100", "f8010100", "11010100", "10000100", "10020100", "10010102", "1001ff00",
        "08010100",
    ],
)  # fmt: skip
def test_an_invalid_file_locator_is_refused(play: Play, afl: str) -> None:
    card = Edited(lambda answer: answer.update({"94": bytes.fromhex(afl)}), records=(tlv("70"),))
    assert play.ending(card.transmit) == CARD_ERROR


@pytest.mark.parametrize("record", ["", "7000ff", "7100", "70029f0d00", "7003570100", "70045a025a02"])
def test_a_malformed_record_is_refused(play: Play, record: str) -> None:
    card = Edited(records=(bytes.fromhex(record),))
    assert play.ending(card.transmit) == CARD_ERROR


def test_processing_options_in_format_1_are_read(play: Play) -> None:
    """Tag 80 holds AIP and AFL only; the other data are in a record."""

    class Old(VisaCard):
        def get_processing_options(self, data: bytes) -> bytes:
            whole = super().get_processing_options(data)
            self.profile.records = (tlv("70", whole[2:-2].replace(bytes.fromhex("82020000"), b"")),)
            return tlv("80", bytes.fromhex("000010010100")) + SW_OK

    assert play.ending(Old(Profile("4761730000000011")).transmit) == ONLINE


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("", CARD_ERROR), ("90", CARD_ERROR), ("9000", CARD_ERROR), ("6985", END), ("6986", TRY_AGAIN),
        ("6984", USE_OTHER), ("6a81", END), ("6283", END), ("80009000", CARD_ERROR), ("800200009000", CARD_ERROR),
        ("770082009000", CARD_ERROR), ("6f009000", CARD_ERROR),
    ],
)  # fmt: skip
def test_error_answers_to_get_processing_options(play: Play, answer: str, expected: int | str) -> None:
    card = make("jade")
    assert play.ending(lambda c: bytes.fromhex(answer) if c[1] == 0xA8 else card.transmit(c)) == expected


# --- random answers -------------------------------------------------------------------------------------------------


@QUIET
@given(at=st.integers(0, 4), data=st.binary(max_size=258), good=st.booleans())
def test_random_answers_end_in_an_outcome_or_a_card_error(play: Play, at: int, data: bytes, good: bool) -> None:
    card, count = make("lotus"), iter(range(100))
    noise = data[:256] + SW_OK if good else data
    end = play.ending(lambda c: noise if next(count) == at else card.transmit(c))
    assert end in (CARD_ERROR, END, USE_OTHER, TRY_AGAIN, DECLINED, ONLINE)
    assert end != ONLINE or (at >= 3 and good)


@QUIET
@given(at=st.integers(0, 4), place=st.integers(0, 255), flip=st.integers(1, 255))
def test_one_wrong_byte_ends_in_an_outcome_or_a_card_error(play: Play, at: int, place: int, flip: int) -> None:
    card, count = make("lotus"), iter(range(100))

    def answer(capdu: bytes) -> bytes:
        whole = bytearray(card.transmit(capdu))
        if next(count) == at:
            whole[place % len(whole)] ^= flip
        return bytes(whole)

    assert play.ending(answer) in (CARD_ERROR, END, USE_OTHER, TRY_AGAIN, DECLINED, ONLINE)


@QUIET
@given(afl=st.binary(max_size=64))
def test_any_file_locator_ends_online_or_in_a_card_error(play: Play, afl: bytes) -> None:
    records = (tlv("70", tlv("5F24", b"\x31\x12\x31")), tlv("70", tlv("9F07", b"\xff\x00")))
    card = Edited(lambda answer: answer.update({"94": afl}), records=records)
    assert play.ending(card.transmit) in (CARD_ERROR, ONLINE)


def test_the_body_has_room_for_all_mandatory_data_at_their_longest(play: Play) -> None:
    """19 bytes of track 2, 32 bytes of issuer application data, a 16-byte AID."""

    def most(answer: dict[str, bytes]) -> None:
        answer["9F10"] = bytes.fromhex("06010A03A00000") + bytes(25)
        answer["57"] = bytes.fromhex("4761730000000000018d3112201000000000000f")[:19]

    card = Edited(most, aid=VISA_CREDIT + "AA" * 9)
    result: Result = play.card(card)
    tags = parse(result.body)
    assert result.kind == ONLINE and len(tags["9F10"]) == 32
    assert tags.keys() >= {
        "57",
        "5F34",
        "9F26",
        "9F27",
        "9F10",
        "9F37",
        "9F36",
        "95",
        "9A",
        "9C",
        "9F02",
        "5F2A",
        "82",
        "9F1A",
        "9F03",
    }
    assert "84" not in tags
