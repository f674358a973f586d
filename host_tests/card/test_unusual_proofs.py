# SPDX-License-Identifier: MIT
"""Valid cards whose offline authentication is unusual or impossible: proprietary records, missing or long data, and
card qualifiers that ask to go online."""

from __future__ import annotations

from typing import Any

import pytest

from host_tests.card.test_cards_that_misbehave import Edited
from host_tests.card.test_chip_cards import AMEX, CARDS, MCHIP, keys, mchip, personal, tvr
from host_tests.card.test_offline_approval import keys as visa_keys
from host_tests.card.test_unusual_cards import ALL, KEYS, VISA, visa
from host_tests.harness.card.play import APPROVED, ONLINE, Play
from tools.cards import certificates
from tools.cards.card import SW_OK, tlv
from tools.cards.chip import ChipCard
from tools.cards.issuer_keys import key_for
from tools.cards.payment import ARQC, PaymentCard, Profile
from tools.cards.proven import ProvenVisa, UnionPayCard
from tools.cards.verify import check_cryptogram, parse

DECLINED = 3


# --- proprietary records --------------------------------------------------------------------------------------------


def with_own_file(card: PaymentCard, record: str) -> PaymentCard:
    """The card with an additional signed record in SFI 12, which no certificate covers."""

    class OwnFile(type(card)):  # type: ignore[misc]
        def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
            made = super().options(terminal)
            return {**made, "94": made.get("94", b"") + bytes.fromhex("60010101")}

        def read_record(self, number: int, reference: int) -> bytes:
            if reference == 12 << 3 | 4:
                return bytes.fromhex(record) + SW_OK
            return super().read_record(number, reference)

    card.__class__ = OwnFile
    return card


@pytest.mark.parametrize("record", ["ff", "5303010203", "7003ffffff", "7000", ""])
@pytest.mark.parametrize("name", ALL)
def test_a_proprietary_record_that_is_no_template_fails_the_proof_but_not_the_tap(
    play: Play, name: str, record: str
) -> None:
    """EMV Book 3, 10.3. Kernels 2 and 4 report it in the TVR; kernels 3 and 7 decline unless CTQ asks to go online."""
    nothing_to_prove = play.card(with_own_file(ALL[name](), record))
    assert nothing_to_prove.kind == ONLINE
    card = with_own_file(ALL[name](), record)
    result = play.card(card, authorities=KEYS[name]())
    if isinstance(card, ChipCard):
        assert (result.kind, tvr(result)) == (ONLINE, "0400000000")
        assert result.commands[-1][2] == ARQC
    else:
        assert result.kind == DECLINED
        card.profile.ctq = "2000"
        assert play.card(card, authorities=KEYS[name]()).kind == ONLINE


# --- proofs ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["8F", "90", "92", "9F32", "9F46", "9F47"])
@pytest.mark.parametrize("pan", [MCHIP, AMEX])
def test_cda_is_not_requested_if_its_data_are_missing(play: Play, pan: str, missing: str) -> None:
    base = type(CARDS[pan]())

    class Lacking(base):  # type: ignore[valid-type, misc]
        def personalised(self) -> tuple[bytes, ...]:
            first, *rest = super().personalised()
            return first, *(self._without(record) for record in rest)

        def _without(self, record: bytes) -> bytes:
            content, kept, at = record[2 if record[1] < 0x80 else 3 :], b"", 0
            while at < len(content):
                width = 2 if content[at] & 0x1F == 0x1F else 1
                long = content[at + width] == 0x81
                end = at + width + 1 + long + content[at + width + long]
                if content[at : at + width].hex().upper() != missing:
                    kept += content[at:end]
                at = end
            return tlv("70", kept)

    issuer = certificates.key("issuer").size > certificates.key("authority").size - 36
    if missing == "92" and not issuer:
        # no remainder is needed
        assert play.card(Lacking(CARDS[pan]().profile), authorities=keys(pan)).kind == APPROVED
        return
    result = play.card(Lacking(CARDS[pan]().profile), authorities=keys(pan))
    assert (result.kind, tvr(result), result.commands[-1][2]) == (ONLINE, "2400000000", ARQC)
    assert check_cryptogram(parse(result.body), key_for(pan) or b"")


class _Signing(ChipCard):
    """A card that signs `pieces` records of 240 bytes in addition to the first record."""

    pieces = 0

    def personalised(self) -> tuple[bytes, ...]:
        more = [tlv(f"DF{number:02X}", bytes(236)) for number in range(1, self.pieces + 1)]
        whole = self.static() + b"".join(more)
        _, *rest = certificates.records(self.keys, self.profile.pan, whole, bytes.fromhex(self.profile.aip))
        return tlv("70", self.static()), *(tlv("70", piece) for piece in more), *rest

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        made = super().options(terminal)
        return {**made, "94": bytes((2 << 3, 1, len(self.profile.records), 1 + self.pieces))}


@pytest.mark.parametrize(("pieces", "kind"), [(4, APPROVED), (7, APPROVED), (9, ONLINE)])
def test_static_data_up_to_two_kilobytes_are_verified_and_more_go_online(play: Play, pieces: int, kind: int) -> None:
    """Static data of 1,000 to 2,048 bytes are verified. With more, the TVR sent to the card says that CDA failed."""
    signing = type("_Pieces", (_Signing,), {"pieces": pieces})
    result = play.card(mchip(signing), authorities=keys(MCHIP))
    assert (result.kind, tvr(result)) == (kind, "0000000000" if kind == APPROVED else "0400000000")


def test_a_static_data_tag_list_with_more_than_the_aip_fails_cda(play: Play) -> None:
    result = play.card(personal(t9F4A=b"\x94"), authorities=keys(MCHIP))
    assert (result.kind, tvr(result)) == (ONLINE, "0400000000")


def test_dynamic_data_may_be_longer_than_the_known_fields(play: Play) -> None:
    class LongCda(ChipCard):
        def signature(self, terminal: Any, cryptogram: bytes, said: bytes, objects: Any, form: int = 5) -> bytes:
            real = certificates.dynamic_signature
            try:
                certificates.dynamic_signature = lambda card, dynamic, *more: real(card, dynamic + b"more", *more)
                return super().signature(terminal, cryptogram, said, objects, form)
            finally:
                certificates.dynamic_signature = real

    class LongFdda(ProvenVisa):
        def dynamic(self) -> bytes:
            return super().dynamic() + b"\x55\x66"

    assert play.card(mchip(LongCda), authorities=keys(MCHIP)).kind == APPROVED
    assert play.card(visa(LongFdda), authorities=visa_keys()).kind == APPROVED


@pytest.mark.parametrize("length", [0, 2, 119, 120, 255])
def test_a_wrong_length_of_dynamic_data_fails_the_proof(play: Play, length: int) -> None:
    """A key of 144 bytes has room for 119."""

    class Wrong(ProvenVisa):
        def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
            over = terminal["9F37"] + terminal["9F02"] + terminal["5F2A"] + self.related()
            head = bytes((form, 1, length)) + self.dynamic()
            return certificates._signed(self.keys[2], head, over)

    kind = APPROVED if length == 119 else DECLINED
    assert play.card(visa(Wrong), authorities=visa_keys()).kind == kind


# --- cryptograms ----------------------------------------------------------------------------------------------------


def test_issuer_application_data_are_optional_in_the_answer_to_generate_ac(play: Play) -> None:
    class Published(ChipCard):
        def generate_ac(self, control: int, data: bytes) -> bytes:
            return bytes.fromhex("800b8000011122334455667788") + SW_OK

    class Silent(ChipCard):
        def answer(self, terminal: dict[str, bytes], control: int, said: bytes) -> dict[str, bytes]:
            return {tag: value for tag, value in super().answer(terminal, control, said).items() if tag != "9F10"}

    tags = parse(play.card(mchip(Published)).body)
    assert (tags["9F26"].hex(), tags.get("9F10")) == ("1122334455667788", None)
    assert play.card(mchip(Silent)).kind == ONLINE


def test_without_9f27_the_issuer_data_must_be_long_enough_to_give_the_cryptogram_type(play: Play) -> None:
    card = Edited(lambda answer: answer.pop("9F27") and answer.update({"9F10": bytes.fromhex("06010a03")}))
    assert play.ending(card.transmit) == "CardError"


# --- the card's qualifiers ------------------------------------------------------------------------------------------


class _Unproven(ProvenVisa):
    def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
        good = super().signature(terminal, form)
        return good[:-1] + bytes((good[-1] ^ 1,))


class _UnprovenUnion(_Unproven, UnionPayCard):
    pass


@pytest.mark.parametrize(
    ("ctq", "kind"), [("0000", DECLINED), ("2000", ONLINE), ("1000", DECLINED), ("3000", ONLINE), ("0800", DECLINED)]
)
def test_a_tc_without_a_proof_goes_online_only_if_the_qualifiers_ask_for_it(play: Play, ctq: str, kind: int) -> None:
    """CTQ byte 1: bit 6 asks to go online, bit 5 to switch to the contact interface, which this terminal lacks."""
    result = play.card(visa(_Unproven, ctq), authorities=visa_keys())
    assert result.kind == kind
    if kind == ONLINE:
        tags = parse(result.body)
        assert tags["9F27"] == b"\x40" and "DF01" not in tags and result.refusal == "declined_proof"
        assert check_cryptogram(tags, key_for(VISA) or b"")
    union = _UnprovenUnion(Profile("6210940000000014", aid="A000000333010102", ctq=ctq))
    assert play.card(union, authorities=keys("6210940000000014")).kind == kind


def test_a_tc_that_cannot_be_verified_offline_goes_online_without_a_refusal(play: Play) -> None:
    """The scheme key or the card's data are missing, which is no evidence against the card."""

    class Bare(ProvenVisa):
        def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
            return b""

    for card, known in ((visa(ctq="2000"), []), (visa(Bare, "2000"), visa_keys())):
        result = play.card(card, authorities=known)
        assert (result.kind, result.refusal) == (ONLINE, "")


@pytest.mark.parametrize("known", [True, False])
def test_an_unproven_claim_of_cardholder_verification_is_ignored(play: Play, known: bool) -> None:
    """A man in the middle changes the signed qualifiers to "go online, holder verified on the device"."""
    card = visa()

    def answer(capdu: bytes) -> bytes:
        return card.transmit(capdu).replace(bytes.fromhex("9F6C020000"), bytes.fromhex("9F6C022080"))

    authorities = visa_keys() if known else []
    card.reset()
    assert play.answers(answer, authorities=authorities, cvm_required=True).kind == DECLINED
    card.reset()
    result = play.answers(answer, authorities=authorities)
    assert (result.kind, parse(result.body)["9F34"].hex()) == (ONLINE, "1f0302")


@pytest.mark.parametrize(("ctq", "kind"), [("0000", DECLINED), ("0800", ONLINE), ("2000", DECLINED)])
def test_an_expired_card_with_a_tc_goes_online_only_if_the_qualifiers_ask_for_it(
    play: Play, ctq: str, kind: int
) -> None:
    result = play.card(visa(ctq=ctq, expiry="2510"), authorities=visa_keys())
    assert (result.kind, result.expired) == (kind, kind == ONLINE)
