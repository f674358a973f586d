# SPDX-License-Identifier: MIT
"""M/Chip, American Express and UnionPay cards: terminal checks, requested cryptogram, offline authentication."""

from __future__ import annotations

from hashlib import sha1
from typing import Any

import pytest

from host_tests.harness.card.play import APPROVED, ONLINE, Play
from host_tests.harness.in_micropython.runner import InsideError
from tools.cards import certificates
from tools.cards.card import tlv
from tools.cards.certificates import INDEX
from tools.cards.chip import AmexCard, ChipCard
from tools.cards.issuer_keys import key_for
from tools.cards.payment import AAC, ARQC, TC, Profile
from tools.cards.proven import UnionPayCard
from tools.cards.tlv import leaves
from tools.cards.verify import check_cryptogram, parse

DECLINED, USE_OTHER, END = 3, 5, 6
MCHIP, AMEX, UNION = "5413330000000010", "374245000000006", "6210940000000014"
RIDS = {MCHIP: "A000000004", AMEX: "A000000025", UNION: "A000000333"}


def keys(pan: str, exponent: int = 3) -> list[list[Any]]:
    return [[RIDS[pan], INDEX, certificates.key("authority", exponent).public.hex(), exponent]]


def mchip(kind: type[ChipCard] = ChipCard, cvn: int = 17, expiry: str = "3112", **more: Any) -> ChipCard:
    return kind(Profile(MCHIP, cvn=cvn, aid="A0000000041010", expiry=expiry), **more)


def amex(**more: Any) -> AmexCard:
    return AmexCard(Profile(AMEX, cvn=1, aid="A00000002501"), **more)


def union(**more: Any) -> UnionPayCard:
    return UnionPayCard(Profile(UNION, aid="A000000333010102"), **more)


CARDS = {MCHIP: mchip, AMEX: amex, UNION: union}


@pytest.mark.parametrize("exponent", [3, 65537])
@pytest.mark.parametrize("pan", CARDS)
def test_an_authenticated_card_is_approved_offline(play: Play, pan: str, exponent: int) -> None:
    result = play.card(CARDS[pan](exponent=exponent), authorities=keys(pan, exponent))
    assert (result.kind, result.first6, result.last4, result.away) == (APPROVED, pan[:6], pan[-4:], True)
    tags = parse(result.body)
    assert tags["9F27"] == b"\x40" and check_cryptogram(tags, key_for(pan) or b"")
    signed = next(found["9F4B"] for answer in result.answers if "9F4B" in (found := leaves(answer[:-2])))
    assert tags["DF01"] == sha1(signed).digest()[:8]
    assert play.cases("card", "residue") == 0


@pytest.mark.parametrize("pan", CARDS)
def test_a_card_goes_online_above_its_own_limit(play: Play, pan: str) -> None:
    result = play.card(CARDS[pan](limit=100), authorities=keys(pan))
    tags = parse(result.body)
    assert result.kind == ONLINE and tags["9F27"] == b"\x80" and check_cryptogram(tags, key_for(pan) or b"")


@pytest.mark.parametrize("pan", CARDS)
def test_a_false_key_or_a_key_of_another_scheme_approves_nothing(play: Play, pan: str) -> None:
    fake = [[RIDS[pan], INDEX, certificates.key("stranger").public.hex(), 3]]
    other = [["A000000099", INDEX, certificates.key("authority").public.hex(), 3]]
    assert play.card(CARDS[pan](), authorities=fake).kind == DECLINED
    assert play.card(CARDS[pan](), authorities=other).kind == (DECLINED if pan == UNION else ONLINE)


@pytest.mark.parametrize("cvn", [16, 17, 20, 21])
def test_the_issuer_verifies_every_cryptogram_version_of_m_chip(play: Play, cvn: int) -> None:
    tags = parse(play.card(mchip(cvn=cvn)).body)
    assert check_cryptogram(tags, key_for(MCHIP) or b"")
    changed = {**tags, "95": bytes(5)}
    assert tags["95"] != bytes(5) and not check_cryptogram(changed, key_for(MCHIP) or b"")


def tvr(result: Any) -> str:
    return parse(result.body)["95"].hex()


def test_the_terminal_verification_results_report_each_finding(play: Play) -> None:
    assert tvr(play.card(mchip())) == "8000000000"  # no offline authentication: the host decides
    assert tvr(play.card(mchip(), risk=0x90)) == "8000009000"  # above the floor limit, and selected at random
    assert tvr(play.card(mchip(), authorities=keys(MCHIP))) == "0000000000"
    assert tvr(play.card(mchip(), authorities=[])) == "0400000000"  # CDA failed: no key
    old = play.card(mchip(expiry="2510"), authorities=keys(MCHIP))
    assert (tvr(old), old.kind, old.expired) == ("0040000000", ONLINE, True)


class _Personal(ChipCard):
    """An M/Chip card with some of its record's objects changed (None = left out)."""

    changes: dict[str, bytes | None] = {}

    def static(self) -> bytes:
        objects, data, at = b"", super().static(), 0
        while at < len(data):
            width = 2 if data[at] & 0x1F == 0x1F else 1
            tag = data[at : at + width].hex().upper()
            size = data[at + width]
            value: bytes | None = data[at + width + 1 : at + width + 1 + size]
            value = self.changes.get(tag, value)
            objects += b"" if value is None else tlv(tag, value)
            at += width + 1 + size
        return objects


def personal(**changes: bytes | None) -> ChipCard:
    made = type("_Changed", (_Personal,), {"changes": {tag.removeprefix("t"): value for tag, value in changes.items()}})
    return mchip(made)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"t9F08": b"\x00\x03"}, "0080000000"),
        ({"t5F25": b"\x26\x12\x01"}, "0020000000"),
        ({"t5F24": b"\x26\x11\x22"}, "0040000000"),
        ({"t9F07": b"\xfe\x00"}, "0010000000"),  # valid at ATMs only
        ({"t9F07": b"\x15\x00"}, "0010000000"),  # valid abroad only
        ({"t9F07": b"\x2b\x00", "t5F28": b"\x08\x40"}, "0010000000"),  # domestic use only, foreign card
        ({"t9F07": b"\x15\x00", "t5F28": b"\x08\x40"}, "0000000000"),
        ({"t8E": None}, "2000000000"),
        ({"t8E": bytes(8) + b"\x1e\x00"}, "0000800000"),  # signature always, which is not supported
        ({"t8E": bytes(8) + b"\x05\x00"}, "0000c00000"),  # an unknown method
        ({"t8E": bytes(8) + b"\x45\x00\x1f\x00"}, "0000400000"),  # an unknown method, then "no CVM"
        ({"t8E": bytes(8) + b"\x00\x00"}, "0000800000"),  # fail
        ({"t8E": bytes.fromhex("0000303800003040") + b"\x1f\x06"}, "0000800000"),  # under 12344: does not apply
        ({"t8E": bytes.fromhex("0000303A00003040") + b"\x1f\x06"}, "0000000000"),
        ({"t8E": bytes.fromhex("0000303800003039") + b"\x1f\x07"}, "0000000000"),  # over 12344: applies
        ({"t8E": bytes.fromhex("0000303800003039") + b"\x1f\x09"}, "0000800000"),  # over 12345: does not apply
        ({"t8E": bytes.fromhex("0000303800003039") + b"\x1f\x07", "t9F42": b"\x08\x40"}, "0000800000"),
        ({"t8E": bytes(8) + b"\x1f\x01"}, "0000800000"),  # cash only
    ],
)
def test_restrictions_and_cardholder_verification_set_their_tvr_bits(
    play: Play, changes: dict[str, Any], expected: str
) -> None:
    result = play.card(personal(**changes), authorities=keys(MCHIP))
    approved = not bytes.fromhex(expected)[0] & 0x60 and expected in ("0000000000", "0080000000", "0000400000")
    assert tvr(result) == expected
    assert result.kind in (ONLINE, APPROVED) and (result.kind == ONLINE or approved)


def test_the_issuer_s_action_codes_are_applied(play: Play) -> None:
    deny = play.card(personal(t9F0E=b"\x80\x00\x00\x00\x00"))
    assert deny.kind == DECLINED and deny.commands[-1][2] == AAC
    ask = play.card(personal(t9F08=b"\x00\x03", t9F0F=b"\x00\x80\x00\x00\x00"), authorities=keys(MCHIP))
    assert ask.kind == ONLINE and ask.commands[-1][2] == ARQC | 0x10
    missing = play.card(personal(t9F08=b"\x00\x03", t9F0F=None), authorities=keys(MCHIP))
    assert missing.kind == ONLINE
    yes = play.card(personal(), authorities=keys(MCHIP))
    assert yes.kind == APPROVED and yes.commands[-1][2] == TC | 0x10


def test_a_card_that_requires_a_pin_is_refused_before_generate_ac(play: Play) -> None:
    result = play.card(personal(t8E=bytes(8) + b"\x02\x00"))
    assert result.kind == USE_OTHER and not any(command[1] == 0xAE for command in result.commands)


def test_required_cardholder_verification_is_possible_only_on_the_holder_s_device(play: Play) -> None:
    class Phone(ChipCard):
        aip = "1B80"

    assert play.card(mchip(), cvm_required=True).kind == USE_OTHER
    assert play.card(amex(), cvm_required=True).kind == USE_OTHER
    phone = play.card(mchip(Phone), cvm_required=True, authorities=keys(MCHIP))
    assert (phone.kind, parse(phone.body)["9F34"].hex()) == (APPROVED, "010002")
    assert parse(play.card(mchip(Phone)).body)["9F34"].hex() == "3f0002"


def test_a_magnetic_stripe_card_is_refused(play: Play) -> None:
    class Stripe(ChipCard):
        aip = "1900"

    result = play.card(mchip(Stripe))
    assert result.kind == USE_OTHER and result.commands[-1][1] == 0xA8


def test_electronic_cash_and_a_unionpay_card_without_pdol_are_refused(play: Play) -> None:
    class NoPdol(UnionPayCard):
        pdol = ()

    assert play.card(UnionPayCard(Profile(UNION, aid="A000000333010106"))).kind == END
    assert play.card(NoPdol(Profile(UNION, aid="A000000333010101"))).kind == END


def test_fast_dda_is_offered_only_to_unionpay(play: Play) -> None:
    from tools.cards.proven import ProvenVisa

    assert play.card(union()).commands[2][7 + 3] == 0x80
    assert play.card(ProvenVisa(Profile("4761730000000011"))).commands[2][7 + 3] == 0x00


class _WrongCard(ChipCard):
    """A card that does one thing wrong; `how` names it."""

    how = ""

    def generate_ac(self, control: int, data: bytes) -> bytes:
        return super().generate_ac(TC | 0x10 if self.how == "more than asked" else control, data)

    def answer(self, terminal: dict[str, bytes], control: int, said: bytes) -> dict[str, bytes]:
        good = super().answer(terminal, control, said)
        if self.how == "no signature":
            good.pop("9F4B")
        elif self.how == "other kind in clear":
            good["9F27"] = b"\x80"
        elif self.how == "other counter":
            good["9F36"] = b"\x01\x02"
        elif self.how == "cryptogram in clear as well":
            good["9F26"] = bytes(8)
        return good

    def signature(
        self, terminal: dict[str, bytes], cryptogram: bytes, said: bytes, objects: Any, form: int = 5
    ) -> bytes:
        if self.how == "UN":
            terminal = {**terminal, "9F37": bytes(4)}
        if self.how == "amount":
            said = said.replace(bytes.fromhex("000000012345"), bytes.fromhex("000000000345"))
        if self.how == "TVR":
            said = said.replace(bytes.fromhex("0156000000000001"), bytes.fromhex("0156800000000001"))
        if self.how == "other data":
            objects = {**objects, "9F10": bytes(18)}
        if self.how == "kind signed":
            objects = {**objects, "9F27": b"\x80"}
        if self.how == "format 95":
            form = 0x95
        good = super().signature(terminal, cryptogram, said, objects, form)
        return good[:-1] if self.how == "short" else good


@pytest.mark.parametrize(
    "how",
    [
        "more than asked", "no signature", "other kind in clear", "other counter", "cryptogram in clear as well", "UN",
        "amount", "TVR", "other data", "kind signed", "format 95", "short",
    ],
)  # fmt: skip
def test_a_card_that_does_one_thing_wrong_is_never_approved(play: Play, how: str) -> None:
    wrong_card = mchip(_WrongCard)
    assert isinstance(wrong_card, _WrongCard)
    wrong_card.how = how
    known = None if how == "more than asked" else keys(MCHIP)
    try:
        assert play.card(wrong_card, authorities=known).kind in (DECLINED, END)
    except InsideError as error:
        assert error.kind == "CardError"


def test_an_unsigned_answer_in_format_1_is_read(play: Play) -> None:
    class Short(ChipCard):
        def answer(self, terminal: dict[str, bytes], control: int, said: bytes) -> dict[str, bytes]:
            made = super().answer(terminal, control, said)
            return {"80": b"".join(made[tag] for tag in ("9F27", "9F36", "9F26", "9F10"))}

        def generate_ac(self, control: int, data: bytes) -> bytes:
            return super().generate_ac(control, data)[2:]  # without the outer template

    result = play.card(mchip(Short))
    assert result.kind == ONLINE and check_cryptogram(parse(result.body), key_for(MCHIP) or b"")
