# SPDX-License-Identifier: MIT
"""Valid but unusual cards: filler bytes, objects without a value, long lists."""

from __future__ import annotations

from typing import Any

import pytest

from host_tests.card.test_cards_that_misbehave import Edited
from host_tests.card.test_chip_cards import AMEX, CARDS, MCHIP, keys, mchip, personal, tvr
from host_tests.card.test_offline_approval import keys as visa_keys
from host_tests.harness.card.play import APPROVED, ONLINE, TERMS, Play
from host_tests.harness.in_micropython.runner import InsideError
from tools.cards import certificates
from tools.cards.card import SW_OK, tlv
from tools.cards.chip import ChipCard
from tools.cards.payment import Profile, packed
from tools.cards.proven import ProvenVisa, UnionPayCard
from tools.cards.verify import parse

DECLINED, END = 3, 6
VISA = "4761730000000011"


def visa(kind: type[ProvenVisa] = ProvenVisa, ctq: str = "0000", **profile: Any) -> ProvenVisa:
    return kind(Profile(VISA, ctq=ctq, **profile))


ALL: dict[str, Any] = {"visa": visa, **CARDS}
KEYS: dict[str, Any] = {"visa": visa_keys, **{pan: lambda pan=pan: keys(pan) for pan in CARDS}}


# --- filler ---------------------------------------------------------------------------------------------------------


def stuffed(content: bytes, filler: bytes) -> bytes:
    """The objects of a template with `filler` before, between and after them."""
    made, at = filler, 0
    while at < len(content):
        start = at
        at += 2 if content[at] & 0x1F == 0x1F else 1
        size = content[at]
        at += 1
        if size > 0x80:
            size, at = int.from_bytes(content[at : at + size - 0x80], "big"), at + size - 0x80
        made += content[start : at + size] + filler
        at += size
    return made


def refilled(answer: bytes, filler: bytes) -> bytes:
    """An answer (one template and its status word) with filler inside the template."""
    width = 2 if answer[1] < 0x80 else 3
    return tlv(answer[:1].hex(), stuffed(answer[width:-2], filler)) + answer[-2:]


@pytest.mark.parametrize("filler", ["00", "0000", "ff", "00ff00"])
@pytest.mark.parametrize("name", ALL)
def test_filler_inside_unsigned_templates_is_ignored(play: Play, name: str, filler: str) -> None:
    """In the directory, FCI, processing options, cryptogram and certificate records."""
    card = ALL[name]()

    def answer(capdu: bytes) -> bytes:
        reply = card.transmit(capdu)
        signed = capdu[1] == 0xB2 and capdu[2] == 1 or reply[0] not in (0x6F, 0x77, 0x70) or len(reply) > 200
        return reply if signed else refilled(reply, bytes.fromhex(filler))

    card.reset()
    assert play.answers(answer, authorities=KEYS[name]()).kind == APPROVED


@pytest.mark.parametrize("filler", ["00", "ff00"])
@pytest.mark.parametrize("pan", [MCHIP, AMEX])
def test_filler_in_a_signed_record_is_part_of_the_signed_data(play: Play, pan: str, filler: str) -> None:
    base = type(CARDS[pan]())

    class Stuffed(base):  # type: ignore[valid-type, misc]
        def static(self) -> bytes:
            return stuffed(super().static(), bytes.fromhex(filler))

    good, plain = Stuffed(CARDS[pan]().profile), CARDS[pan]().static()
    assert play.card(good, authorities=keys(pan)).kind == APPROVED

    def without(capdu: bytes) -> bytes:
        reply = good.transmit(capdu)
        return tlv("70", plain) + SW_OK if capdu[1] == 0xB2 and capdu[2] == 1 else reply

    good.reset()
    assert play.answers(without, authorities=keys(pan)).kind == DECLINED


def test_a_published_record_with_filler_is_read(play: Play) -> None:
    card = Edited(lambda answer: answer.pop("5F34") and None, records=(bytes.fromhex("70075f340101000000"),))
    assert parse(play.card(card).body)["5F34"] == b"\x01"


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("step", range(4))
def test_filler_outside_a_template_is_refused(play: Play, step: int, place: str) -> None:
    card, count = mchip(), iter(range(99))

    def answer(capdu: bytes) -> bytes:
        reply = card.transmit(capdu)
        if next(count) != step:
            return reply
        return b"\x00" + reply if place == "before" else reply[:-2] + b"\x00" + reply[-2:]

    card.reset()
    assert play.ending(answer, authorities=keys(MCHIP)) == "CardError"


@pytest.mark.parametrize("step", [0, 1])
def test_an_object_after_the_template_of_directory_or_application_is_refused(play: Play, step: int) -> None:
    card, count = visa(), iter(range(99))

    def answer(capdu: bytes) -> bytes:
        reply = card.transmit(capdu)
        return reply[:-2] + tlv("50", b"more") + reply[-2:] if next(count) == step else reply

    card.reset()
    assert play.ending(answer) == "CardError"


# --- objects without a value ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["5F34", "9F6C", "5F24", "94", "9F27"])
def test_an_optional_object_without_a_value_counts_as_absent(play: Play, tag: str) -> None:
    card = Edited(lambda answer: answer.update({tag: b""}))
    assert play.card(card).kind == ONLINE
    chip = play.card(personal(t9F42=b"", t5F34=b"", t5F25=b""), authorities=keys(MCHIP))
    assert chip.kind == APPROVED


def test_an_empty_cvm_list_counts_as_missing(play: Play) -> None:
    assert tvr(play.card(personal(t8E=b""), authorities=keys(MCHIP))) == "2000000000"


@pytest.mark.parametrize("tag", ["57", "82", "9F10", "9F26", "9F36"])
def test_a_mandatory_object_without_a_value_is_a_card_error(play: Play, tag: str) -> None:
    assert play.ending(Edited(lambda answer: answer.update({tag: b""})).transmit) == "CardError"


def test_a_unionpay_card_with_an_empty_pdol_is_refused(play: Play) -> None:
    class EmptyPdol(UnionPayCard):
        pdol = ()

        def application(self) -> bytes:
            name = tlv("84", bytes.fromhex(self.profile.aid))
            return tlv("6F", name, tlv("A5", tlv("9F38")))

    assert play.card(EmptyPdol(Profile("6210940000000014", aid="A000000333010102"))).kind == END


# --- sizes, dates, times --------------------------------------------------------------------------------------------


def test_lists_may_be_as_long_as_the_standard_allows(play: Play) -> None:
    """A CDOL1 of 150 bytes, a CVM list of 232 bytes, and a file locator of 252 bytes that names 63 records."""
    more = tuple((f"DF{number:02X}", 1) for number in range(1, 41))

    class Long(ChipCard):
        cdol = ChipCard.cdol + more
        cvm_list = "0000000000000000" + "5F06" * 111 + "1F00"

        def static(self) -> bytes:
            whole = super().static()
            at = whole.index(bytes.fromhex("8E81"))
            self._list = whole[at : at + 3 + whole[at + 2]]
            return whole.replace(self._list, b"")

        def personalised(self) -> tuple[bytes, ...]:
            first = self.static()
            _, *rest = certificates.records(
                self.keys, self.profile.pan, first + self._list, bytes.fromhex(self.profile.aip)
            )
            fillers = (tlv("70", tlv(f"9F8{1 + number // 100}{number % 100:02d}", b"\x01")) for number in range(58))
            return tlv("70", first), tlv("70", self._list), *rest, *fillers

        def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
            made = super().options(terminal)
            places = (bytes((2 << 3, at, at, at <= 2)) for at in range(1, len(self.profile.records) + 1))
            return {**made, "94": b"".join(places)}

    card = mchip(Long)
    assert (len(packed(card.cdol)) > 128, len(card.profile.records)) == (True, 62)
    result = play.card(card, authorities=keys(MCHIP))
    assert (result.kind, tvr(result)) == (APPROVED, "0000000000")
    assert play.cases("card", "residue") == 0


def test_a_file_locator_with_too_many_records_is_refused(play: Play) -> None:
    card = Edited(lambda answer: answer.update({"94": bytes.fromhex("10014100")}), records=(tlv("70"),) * 65)
    assert play.ending(card.transmit) == "CardError"


def test_the_expiry_date_on_track_2_is_checked_as_well(play: Play) -> None:
    late = mchip().track2().hex().upper().replace("D3112", "D2510")
    result = play.card(personal(t57=bytes.fromhex(late)), authorities=keys(MCHIP))
    assert (result.kind, tvr(result), result.expired) == (ONLINE, "0040000000", True)


def test_a_card_that_asks_for_the_time_gets_it(play: Play) -> None:
    class Asks(ChipCard):
        cdol = (*ChipCard.cdol, ("9F21", 3))

    result = play.card(mchip(Asks), time="235958")
    assert result.commands[-1][-4:] == bytes.fromhex("23595800")


def test_a_transaction_starts_with_an_empty_arena(play: Play) -> None:
    play.card(mchip())
    assert play.cases("card", "kept") > 0
    with pytest.raises(InsideError, match="CardError"):
        play.answers(lambda _: b"")
    assert play.cases("card", "kept") == 0
    play.card(mchip())
    play.cases("card", "begin", {**TERMS, "amount": 1})
    assert play.cases("card", "kept") == 0
    play.cases("card", "give_up")
