# SPDX-License-Identifier: MIT
"""Application selection from the card's directory: which applications are tried, and in which order."""

import pytest

from host_tests.harness.card.play import Play
from tools.cards.card import SW_OK, tlv
from tools.cards.payment import PPSE, Profile
from tools.cards.verify import parse
from tools.cards.visa import VisaCard

END, CARD_ERROR = 6, "CardError"


def directory(*entries: bytes) -> bytes:
    return tlv("6F", tlv("84", PPSE), tlv("A5", tlv("BF0C", *entries))) + SW_OK


def entry(aid: str, priority: str = "", kernel: str | None = None) -> bytes:
    parts = [tlv("4F", bytes.fromhex(aid))]
    if priority:
        parts.append(tlv("87", bytes.fromhex(priority)))
    if kernel is not None:
        parts.append(tlv("9F2A", bytes.fromhex(kernel)))
    return tlv("61", *parts)


def selected(play: Play, *entries: bytes, refuse: bytes = b"") -> list[str]:
    """The AIDs that the reader selects, in order, when the card refuses each of them."""
    asked: list[str] = []

    def answer(capdu: bytes) -> bytes:
        if capdu[5:19] == PPSE:
            return directory(*entries)
        asked.append(capdu[5:-1].hex().upper())
        return refuse or b"\x6a\x82"

    assert play.ending(answer) == END
    return asked


VISA, ELECTRON, VPAY, OTHER = "A0000000031010", "A0000000032010", "A0000000032020", "A0000000651010"


def test_candidates_are_tried_in_order_of_priority(play: Play) -> None:
    assert selected(play, entry(VISA, "02"), entry(OTHER, "01"), entry(ELECTRON, "01")) == [ELECTRON, VISA]
    assert selected(play, entry(VISA), entry(ELECTRON, "0f")) == [ELECTRON, VISA]  # no priority: last
    assert selected(play, entry(VISA, "00"), entry(VPAY, "83")) == [VPAY, VISA]  # only the low nibble counts
    assert selected(play, entry(VISA, "01"), entry(ELECTRON, "01")) == [VISA, ELECTRON]  # ties: the card's order
    assert selected(play, entry(VISA + "0304", "02"), entry(VISA + "01", "01")) == [VISA + "01", VISA + "0304"]


def test_only_entries_for_a_supported_kernel_are_selected(play: Play) -> None:
    assert selected(play, entry(VISA, kernel="03")) == selected(play, entry(VISA, kernel="00")) == [VISA]
    assert selected(play, entry(VISA, kernel="")) == [VISA]
    for other in ("02", "83", "c30156", "04"):
        assert selected(play, entry(VISA, kernel=other)) == []


def test_malformed_entries_are_skipped(play: Play) -> None:
    wrong = [tlv("61"), tlv("61", tlv("50", b"X")), entry("A000"), entry("A0" * 17), tlv("9F4D", b"\x0b\x1e")]
    assert selected(play, *wrong, entry(VISA)) == [VISA]
    assert selected(play, *[entry(f"{VISA}{n:02X}") for n in range(12)]) == [f"{VISA}{n:02X}" for n in range(8)]
    assert selected(play) == []


def test_an_fci_with_another_aid_is_refused(play: Play) -> None:
    lying = tlv("6F", tlv("84", bytes.fromhex(ELECTRON)), tlv("A5", tlv("50", b"X"))) + SW_OK
    assert selected(play, entry(VISA, "01"), entry(ELECTRON, "02"), refuse=lying[:0] + b"\x62\x83") == [VISA, ELECTRON]
    nameless = tlv("6F", tlv("A5", tlv("50", b"X"))) + SW_OK
    assert selected(play, entry(VISA), refuse=nameless) == [VISA]
    assert selected(play, entry(VISA), refuse=lying) == [VISA]


def test_conditions_not_satisfied_selects_the_next_application(play: Play) -> None:
    card = VisaCard(Profile("4761730000000011", aid=ELECTRON))

    def answer(capdu: bytes) -> bytes:
        if capdu[5:19] == PPSE:
            return directory(entry(VISA, "01"), entry(ELECTRON, "02"))
        if capdu == bytes.fromhex(f"00a4040007{VISA}00"):
            return tlv("6F", tlv("84", bytes.fromhex(VISA)), tlv("A5", tlv("50", b"X"))) + SW_OK
        if capdu[1] == 0xA8 and capdu == bytes.fromhex("80a8000002830000"):  # no PDOL: an empty template
            return b"\x69\x85"
        return card.transmit(capdu)

    assert parse(play.answers(answer).body)["84"].hex().upper() == ELECTRON


@pytest.mark.parametrize("ppse", ["6a82", "9000", "6f009000", "6f02a5009000", "ff", "6283"])
def test_an_invalid_directory_ends_the_tap(play: Play, ppse: str) -> None:
    expected = END if ppse in ("6a82", "6283") else CARD_ERROR
    assert play.ending(lambda _: bytes.fromhex(ppse)) == expected
