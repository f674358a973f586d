# SPDX-License-Identifier: MIT
"""A man in the middle between a genuine card and the reader changes unsigned data, or hides signed data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from host_tests.card.test_chip_cards import MCHIP, UNION, keys, mchip, personal
from host_tests.card.test_offline_approval import card
from host_tests.card.test_offline_approval import keys as visa_keys
from host_tests.harness.card.play import APPROVED, ONLINE, Play
from host_tests.harness.in_micropython.runner import InsideError
from tools.cards import certificates
from tools.cards.card import SW_OK, tlv
from tools.cards.chip import ChipCard
from tools.cards.payment import PaymentCard, Profile, packed
from tools.cards.proven import ProvenVisa, UnionPayCard

DECLINED, USE_OTHER = 3, 5
Answer = Callable[[bytes], bytes]


def recut(real: PaymentCard, first: str, then: str, afl: str, fakes: bytes = b"", track: bytes = b"") -> Answer:
    """Answers of the card with its signed record in three pieces, cut before tags `first` and `then`.

    The middle piece becomes a "record" of SFI 11, whose content is not parsed. `afl`: the file locator, in hex.
    `fakes`: record 6, unsigned. `track`: another track 2.
    """
    static = real.static()  # type: ignore[attr-defined]
    a, b = static.index(bytes.fromhex(first)), static.index(bytes.fromhex(then))
    cut_records = {
        (2, 1): tlv("70", static[:a]),
        (11, 1): static[a:b],
        (2, 5): tlv("70", static[b:]),
        (2, 6): tlv("70", fakes),
    }

    def answer(capdu: bytes) -> bytes:
        if capdu[1] == 0xB2 and (capdu[3] >> 3, capdu[2]) in cut_records:
            return cut_records[capdu[3] >> 3, capdu[2]] + SW_OK
        reply = real.transmit(capdu)
        if capdu[1] == 0xA8:
            at = reply.index(b"\x94\x04")
            inner = reply[2 if reply[1] < 0x80 else 3 : at] + tlv("94", bytes.fromhex(afl)) + reply[at + 6 : -2]
            reply = tlv("77", inner.replace(real.track2(), track or real.track2())) + SW_OK
        return reply

    real.reset()
    return answer


def ends(play: Play, answer: Answer, authorities: Any, **terms: Any) -> Any:
    """The outcome of the tap, or the name of the error it raised."""
    try:
        return play.answers(answer, authorities=authorities, **terms).kind
    except InsideError as error:
        return error.kind


def test_signed_data_cannot_be_hidden_in_a_proprietary_record(play: Play) -> None:
    old = ProvenVisa(Profile("4761730000000011", ctq="0000", expiry="2510"))
    younger = bytes.fromhex(old.track2().hex().upper().replace("D2510", "D3112"))
    answer = recut(old, "5F2403", "9F4A01", "10010101580101011005050110020400", track=younger)
    assert play.card(card(), authorities=visa_keys()).kind == APPROVED
    assert ends(play, answer, visa_keys()) == "CardError"  # the hidden expiry date is missing

    old_chip = mchip(expiry="2510", limit=100)
    fakes = tlv("5F24", b"\x31\x12\x31") + tlv("8C", packed(old_chip.cdol).replace(b"\x9f\x02\x06", b"\xdf\x7f\x06", 1))
    fakes += tlv("8E", bytes(8) + b"\x1f\x00")
    answer = recut(old_chip, "5F2403", "9F4A01", "1001010158010101100505011002030010060600", fakes)
    assert ends(play, answer, keys(MCHIP)) == ONLINE

    asks_pin = personal(t8E=bytes(8) + b"\x02\x00")
    answer = recut(
        asks_pin, "8E0A", "9F0702", "1001010158010101100505011002030010060600", tlv("8E", bytes(8) + b"\x1f\x00")
    )
    assert ends(play, answer, keys(MCHIP)) == ONLINE


@pytest.mark.parametrize(
    ("rules", "expected"),
    [("02021F00", USE_OTHER), ("02001F00", USE_OTHER), ("00021F00", ONLINE), ("1F02", APPROVED)],
)
def test_the_cvm_condition_not_cash_always_holds(play: Play, rules: str, expected: int) -> None:
    made = personal(t8E=bytes(8) + bytes.fromhex(rules))
    assert play.card(made, authorities=keys(MCHIP)).kind == expected


def test_signed_qualifiers_must_match_those_in_clear(play: Play) -> None:
    class AsksPin(ProvenVisa):
        def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
            return {tag: value for tag, value in super().options(terminal).items() if tag != "9F6C"}

        def related(self) -> bytes:
            return b"\x01" + self.number + b"\x80\x00"

    assert play.card(AsksPin(Profile("4761730000000011", ctq="8000")), authorities=visa_keys()).kind == DECLINED
    silent = ProvenVisa(Profile("4761730000000011", ctq=""))
    assert play.card(silent, authorities=visa_keys()).kind == APPROVED


@pytest.mark.parametrize("more", ["5F2503300101", "9F07020000", "5F2802084 09F0702AB00".replace(" ", "")])
def test_a_card_that_is_not_yet_effective_or_restricted_is_declined(play: Play, more: str) -> None:
    class Unfit(ProvenVisa):
        def static(self) -> bytes:
            return bytes.fromhex(more) + super().static()

    class UnfitUnion(Unfit, UnionPayCard):
        pass

    assert play.card(Unfit(Profile("4761730000000011", ctq="0000")), authorities=visa_keys()).kind == DECLINED
    union = UnfitUnion(Profile(UNION, aid="A000000333010102"))
    assert play.card(union, authorities=keys(UNION)).kind == DECLINED


def test_a_card_expires_on_the_exact_day(play: Play) -> None:
    class ToTheFirst(ProvenVisa):
        def static(self) -> bytes:
            return super().static().replace(b"\x5f\x24\x03\x26\x11\x31", b"\x5f\x24\x03\x26\x11\x01")

    made = ToTheFirst(Profile("4761730000000011", ctq="0000", expiry="2611"))
    assert play.card(made, authorities=visa_keys()).kind == DECLINED


class _Unsigned(ChipCard):
    """A card whose AIP is not signed and whose CVM list asks for a PIN."""

    cvm_list = "0000000000000000" + "0200"

    def static(self) -> bytes:
        return super().static().removesuffix(tlv("9F4A", b"\x82"))

    def personalised(self) -> tuple[bytes, ...]:
        return certificates.records(self.keys, self.profile.pan, self.static(), b"")


@pytest.mark.parametrize("profile", ["1B80", "0980"])
def test_a_card_with_a_changed_unsigned_aip_is_not_approved_offline(play: Play, profile: str) -> None:
    real = mchip(_Unsigned)

    def answer(capdu: bytes) -> bytes:
        reply = real.transmit(capdu)
        return reply.replace(b"\x82\x02\x19\x80", b"\x82\x02" + bytes.fromhex(profile)) if capdu[1] == 0xA8 else reply

    real.reset()
    assert ends(play, answer, keys(MCHIP)) == ONLINE


def test_a_decline_in_format_1_is_read(play: Play) -> None:
    class Declines(ChipCard):
        def generate_ac(self, control: int, data: bytes) -> bytes:
            return tlv("80", b"\x00\x00\x01" + bytes(8) + self.issuer_data()) + SW_OK

    assert play.card(mchip(Declines), authorities=keys(MCHIP)).kind == DECLINED
    assert play.card(mchip(Declines)).kind == DECLINED
