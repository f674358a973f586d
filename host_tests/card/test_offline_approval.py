# SPDX-License-Identifier: MIT
"""Offline approval: only a card that passed offline data authentication may approve."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.card.play import APPROVED, ONLINE, Play
from tools.cards import certificates
from tools.cards.catalogue import make
from tools.cards.certificates import INDEX
from tools.cards.issuer_keys import key_for
from tools.cards.payment import Profile
from tools.cards.proven import ProvenVisa
from tools.cards.verify import check_cryptogram, parse

DECLINED = 3
VISA = "A000000003"


def keys(exponent: int = 3) -> list[list[Any]]:
    return [[VISA, INDEX, certificates.key("authority", exponent).public.hex(), exponent]]


def card(**more: Any) -> ProvenVisa:
    return ProvenVisa(Profile("4761730000000011", ctq="0000"), **more)


@pytest.mark.parametrize("exponent", [3, 65537])
def test_an_authenticated_card_is_approved_offline(play: Play, exponent: int) -> None:
    result = play.card(card(exponent=exponent), authorities=keys(exponent))
    assert (result.kind, result.first6, result.last4, result.away) == (APPROVED, "476173", "0011", True)
    tags = parse(result.body)
    assert tags["9F27"] == b"\x40" and check_cryptogram(tags, key_for("4761730000000011") or b"")
    assert play.cases("card", "residue") == 0


def test_a_card_goes_online_above_its_own_limit(play: Play) -> None:
    assert play.card(card(limit=100), authorities=keys()).kind == ONLINE


def test_the_reader_asks_for_an_online_cryptogram_if_the_terms_forbid_offline_approval(play: Play) -> None:
    result = play.card(card())
    assert result.kind == ONLINE and result.commands[2][7 + 1] & 0x80


class _Wrong(ProvenVisa):
    """A card that does one thing wrong; `how` names it."""

    how = ""

    def related(self) -> bytes:
        good = super().related()
        return {
            "version 00": b"\x00" + good[1:],
            "other CTQ": good[:5] + b"\x00\x80",
            "short": good[:5],
        }.get(self.how, good)

    def dynamic(self) -> bytes:
        return b"\x02\xff\xff" if self.how == "counter" else super().dynamic()

    def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
        changed = {
            "UN": {"9F37": b"\x00\x00\x00\x00"},
            "amount": {"9F02": bytes(6)},
            "currency": {"5F2A": b"\x08\x40"},
        }.get(self.how, {})
        good = super().signature({**terminal, **changed}, 0x95 if self.how == "format 95" else form)
        return good[:-1] if self.how == "short signature" else good

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        answer = super().options(terminal)
        if self.how == "no signature":
            answer.pop("9F4B")
        if self.how == "static AIP":
            answer["82"] = b"\x60\x00"
        if self.how == "other ATC":
            answer["9F36"] = b"\x01\x02"
        return answer

    def static(self) -> bytes:
        return (
            super().static().replace(b"\x9f\x4a\x01\x82", b"\x9f\x4a\x01\x84")
            if self.how == "tag list"
            else super().static()
        )


@pytest.mark.parametrize(
    "how",
    [
        "version 00", "other CTQ", "short", "counter", "UN", "amount", "currency", "format 95", "short signature",
        "no signature", "static AIP", "other ATC", "tag list",
    ],
)  # fmt: skip
def test_a_card_that_does_one_thing_wrong_is_never_approved(play: Play, how: str) -> None:
    wrong_card = _Wrong(Profile("4761730000000011"))
    wrong_card.how = how
    wrong_card.profile.records = wrong_card.personalised()
    assert play.card(wrong_card, authorities=keys()).kind == DECLINED


def test_an_unknown_or_false_key_or_one_of_another_scheme_proves_nothing(play: Play) -> None:
    fake = [[VISA, INDEX, certificates.key("stranger").public.hex(), 3]]
    other = [["A000000004", INDEX, certificates.key("authority").public.hex(), 3]]
    for known in ([], fake, other, [[VISA, INDEX + 1, certificates.key("authority").public.hex(), 3]]):
        assert play.card(card(), authorities=known).kind == DECLINED


def test_a_card_with_a_revoked_issuer_certificate_is_declined(play: Play) -> None:
    revoked = [[VISA.lower(), INDEX, "000001"]]
    assert play.card(card(), authorities=keys(), revoked=revoked).kind == DECLINED


def test_an_expired_card_is_not_approved(play: Play) -> None:
    old = ProvenVisa(Profile("4761730000000011", expiry="2510"))
    assert play.card(old, authorities=keys()).kind == DECLINED


@pytest.mark.parametrize("name", ["signature", "copied", "other_amount", "swapped", "other_data"])
def test_dishonest_cards_of_the_catalogue_are_declined_by_offline_authentication(play: Play, name: str) -> None:
    known = [[rid, INDEX, certificates.key("authority").public.hex(), 3] for rid in (VISA, "A000000004")]
    result = play.card(make(name), authorities=known)
    assert (result.kind, result.message) == (DECLINED, 0x107)


def test_a_card_certified_by_a_published_test_authority_is_approved(play: Play, published: Path) -> None:
    """javaemvreader publishes the private keys of its test CA and issuer; they sign our card's certificate."""
    key_pairs = json.loads((published / "transcripts/javaemvreader/test_private_keys.json").read_text())
    theirs = [
        certificates.PrivateKey(int(key["n"], 16), int(key["e"], 16), int(key["d"], 16))
        for key in (key_pairs["TEST_CA_A123456789_RSA_KeyPair"], key_pairs["TEST_Issuer_RSA_KeyPair"])
    ]
    good = card()
    good.keys[:2] = theirs
    good.profile.records = good.personalised()
    assert play.card(good, authorities=[[VISA, INDEX, theirs[0].public.hex(), 3]]).kind == APPROVED
    assert play.card(good, authorities=keys()).kind == DECLINED
