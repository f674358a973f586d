# SPDX-License-Identifier: MIT
"""Valid cards, read by the kernel on every interpreter. The issuer verifies their data."""

import pytest

from host_tests.harness.card.play import TERMS, Play
from tools.cards import cryptogram
from tools.cards.catalogue import CATALOGUE, GOOD, Wallet, make
from tools.cards.issuer_keys import key_for
from tools.cards.payment import PaymentCard
from tools.cards.verify import check_cryptogram, parse
from tools.host.keys.card_number import pan_of

ONLINE, MSG_READ_OK = 1, 0x17
MANDATORY = {"57", "9F26", "9F27", "9F10", "9F37", "9F36", "95", "9A", "9C", "9F02", "5F2A", "82", "9F1A", "9F03"}


@pytest.mark.parametrize("name", GOOD)
def test_a_valid_card_goes_online_and_its_cryptogram_verifies(play: Play, name: str) -> None:
    card = make(name)
    assert isinstance(card, PaymentCard)
    result = play.card(card)
    assert (result.kind, result.message, result.expired) == (ONLINE, MSG_READ_OK, False)
    assert (result.first6, result.last4) == (card.profile.pan[:6], card.profile.pan[-4:])
    tags = parse(result.body)
    assert len(result.body) == 160 and tags.keys() >= MANDATORY
    assert pan_of(tags) == card.profile.pan
    assert tags["9F02"] == bytes.fromhex("000000012345") and tags["9A"] == bytes.fromhex("261123")
    assert (tags["9F27"], tags["9F36"], tags["9F37"]) == (b"\x80", b"\x00\x01", bytes.fromhex("a1b2c3d4"))
    key = key_for(card.profile.pan)
    assert key is not None and check_cryptogram(tags, key)


def test_the_catalogue_has_all_cryptogram_versions_and_both_technologies() -> None:
    cards = [make(name) for name in GOOD]
    assert {card.profile.cvn for card in cards if isinstance(card, PaymentCard)} == {10, 18, 17, 20, 1}
    assert {card.technology for card in cards} == {"A", "B"}
    assert len({CATALOGUE[name].pan for name in GOOD}) == len(GOOD) == 13


def test_the_reader_selects_the_directory_first_and_sends_the_payment_terms(play: Play) -> None:
    result = play.card(make("coral"), amount=999_999_999_999, cvm_required=False)
    assert result.commands[0] == bytes.fromhex("00a404000e325041592e5359532e444446303100")
    assert result.commands[1] == bytes.fromhex("00a4040007a000000003101000")
    options = result.commands[2].hex()
    values = "20804000 999999999999 000000000000 0156 0000000000 0156 261123 00 a1b2c3d4"
    assert options == "80a80000238321" + values.replace(" ", "") + "00"


def test_the_card_s_counter_increases_with_each_tap(play: Play) -> None:
    card = make("amber")
    assert [parse(play.card(card).body)["9F36"] for _ in range(3)] == [b"\x00\x01", b"\x00\x02", b"\x00\x03"]


def test_a_record_of_256_bytes_is_read(play: Play) -> None:
    result = play.card(make("lotus"))
    assert max(len(answer) for answer in result.answers) == 256
    assert result.kind == ONLINE


def test_no_card_data_except_the_body_is_left_in_the_arena(play: Play) -> None:
    play.card(make("jade"))
    assert play.cases("card", "residue") == 0


def test_an_abandoned_transaction_leaves_no_data(play: Play) -> None:
    step = play.cases("card", "begin", TERMS)
    card = make("jade")
    for _ in range(3):
        step = play.cases("card", "answer", card.transmit(bytes.fromhex(step["command"])).hex())
    play.cases("card", "give_up")
    assert (play.cases("card", "residue"), play.cases("card", "kept")) == (0, 0)


def test_a_phone_verifies_its_holder_and_other_cards_cannot(play: Play) -> None:
    phone = play.card(make("pearl"), cvm_required=True)
    assert (phone.kind, parse(phone.body)["9F34"]) == (ONLINE, bytes.fromhex("010002"))
    assert play.card(make("pearl")).kind == ONLINE
    assert play.card(make("jade"), cvm_required=True).kind == 3
    assert parse(play.card(make("jade")).body)["9F34"] == bytes.fromhex("1f0302")


def test_published_cryptograms_are_reproduced() -> None:
    """pyemv's worked example for CVN 18, and the hardware-verified example for CVN 10."""
    common = {"9F03": bytes(6), "95": bytes.fromhex("8000048000"), "9C": b"\x00", "9F37": bytes.fromhex("52BF4585")}
    ten = {**common, "9F02": bytes.fromhex("000000004000"), "9F1A": b"\x01\x24", "5F2A": b"\x01\x24",
           "9A": bytes.fromhex("191105"), "9C": b"\x01", "82": b"\x18\x00", "9F36": b"\x00\x1c",
           "9F10": bytes.fromhex("06010A03A06010")}  # fmt: skip
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    assert cryptogram.compute(ten, "1234567890123456", "00", key).hex() == "29cca15ae665fa2e"
    eighteen = {**common, "9F02": bytes.fromhex("000000009999"), "9F1A": b"\x08\x40", "5F2A": b"\x08\x40",
                "9A": bytes.fromhex("991231"), "9C": b"\x01", "82": b"\x18\x00", "9F36": b"\x0f\xff",
                "9F10": bytes.fromhex("06011203A0B800")}  # fmt: skip
    assert cryptogram.compute(eighteen, "1234567890123456", "00", b"\xaa" * 16).hex() == "769577b5abe9fe62"


@pytest.mark.parametrize("tag", ["9F02", "9F36", "9F37", "5F2A", "9A", "9F10", "9F26", "57", "82"])
def test_the_issuer_detects_any_change(play: Play, tag: str) -> None:
    tags = parse(play.card(make("ink")).body)
    key = key_for(pan_of(tags))
    assert key is not None and check_cryptogram(tags, key)
    changed = bytes((tags[tag][0], tags[tag][1] ^ 0x10, *tags[tag][2:]))
    assert not check_cryptogram({**tags, tag: changed}, key)
    assert not check_cryptogram({name: value for name, value in tags.items() if name != tag}, key)


def test_a_wallet_saves_its_counters(tmp_path) -> None:
    pocket = Wallet(tmp_path / "cards.json")
    card = pocket.card("jade")
    assert isinstance(card, PaymentCard) and pocket.card("jade") is card
    card.atc = 41
    pocket.save()
    again = Wallet(tmp_path / "cards.json").card("jade")
    assert isinstance(again, PaymentCard) and again.atc == 41
