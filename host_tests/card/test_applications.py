# SPDX-License-Identifier: MIT
"""The host's AID table: which applications are accepted, their limits, and when their cards may approve offline."""

from __future__ import annotations

from typing import Any

import pytest

from host_tests.card.test_authorities import KEY, chip
from host_tests.card.test_chip_cards import AMEX, CARDS, DECLINED, END, MCHIP, UNION, keys, personal
from host_tests.harness.card.play import APPROVED, ONLINE, Play
from tools.cards.payment import Profile
from tools.cards.proven import UnionPayCard
from tools.host.tables.card_entries import Application, Entry, Excepted
from tools.provision.ca_public_keys import TEST

OTHER_CARD, OVER_LIMIT = 0x1C, 0x11C
AIDS = {MCHIP: ("A000000004", 2), AMEX: ("A00000002501", 4), UNION: ("A000000333010102", 7)}


def row(pan: str, **values: Any) -> Application:
    aid, kernel = AIDS[pan]
    return Application(bytes.fromhex(aid), kernel, **{"floor": 20_000, **values})


def table(*rows: Application) -> str:
    return b"".join(row.pack(b"") for row in rows).hex()


def tap(play: Play, pan: str, *rows: Application, **more: Any) -> Any:
    return play.card(CARDS[pan](), authorities=keys(pan), applications=table(*rows), **more)


@pytest.mark.parametrize("pan", CARDS)
def test_a_row_decides_which_amounts_its_cards_may_approve(play: Play, pan: str) -> None:
    rows = [row(other) for other in AIDS if other != pan]
    assert tap(play, pan, *rows, row(pan)).kind == APPROVED
    assert tap(play, pan, *rows, row(pan, floor=12_344)).kind == ONLINE
    assert tap(play, pan, *rows, row(pan, threshold=20_000, target=49)).kind == APPROVED
    assert tap(play, pan, *rows, row(pan, threshold=20_000, target=50)).kind == ONLINE
    assert tap(play, pan, *rows, row(pan, threshold=12_345, most=50)).kind == APPROVED
    assert tap(play, pan, *rows, row(pan, threshold=4_690, most=100)).kind == ONLINE  # halfway to the floor: 50 %
    assert tap(play, pan, *rows, row(pan, cvm=12_346)).kind == APPROVED
    assert tap(play, pan, *rows, row(pan, cvm=12_345)).kind != APPROVED  # needs a CVM on the device
    assert tap(play, pan, *rows, row(pan, limit=12_346)).kind == APPROVED


@pytest.mark.parametrize("pan", CARDS)
def test_an_application_without_a_row_or_above_its_limit_is_refused(play: Play, pan: str) -> None:
    rows = [row(other) for other in AIDS if other != pan]
    missing, over = tap(play, pan, *rows), tap(play, pan, *rows, row(pan, limit=12_345))
    assert (missing.kind, missing.message, over.kind, over.message) == (END, OTHER_CARD, END, OVER_LIMIT)
    assert len(over.commands) == 1  # only the directory was selected


def test_a_row_applies_only_to_its_kernel(play: Play) -> None:
    union = CARDS[UNION]()
    union.profile.kernel = "07"
    wrong = Application(bytes.fromhex(AIDS[UNION][0]), 3, floor=20_000)
    assert play.card(union, applications=table(wrong)).kind == END
    assert play.card(union, applications=table(row(UNION))).kind == ONLINE


@pytest.mark.parametrize("pan", [MCHIP, AMEX])
def test_the_denial_action_codes_of_a_row_decline(play: Play, pan: str) -> None:
    for denial, kind in ((b"\x80\0\0\0\0", DECLINED), (b"\x7f\xff\xff\xff\xff", ONLINE)):
        denied = play.card(CARDS[pan](), applications=table(row(pan, denial=denial)))  # 80: no ODA
        assert denied.kind == kind


def test_the_online_action_codes_of_a_row_go_online(play: Play) -> None:
    for online, kind in ((b"\0\x80\0\0\0", ONLINE), (b"\xff\x7f\xff\xff\xff", APPROVED)):
        other = personal(t9F08=b"\x00\x03", t9F0F=bytes(5))  # other application version, accepted by its issuer
        assert play.card(other, authorities=keys(MCHIP), applications=table(row(MCHIP, online=online))).kind == kind


@pytest.mark.parametrize("online, kind", [("0000000000", ONLINE), ("0000000001", APPROVED)])
def test_a_row_without_action_codes_keeps_the_kernel_defaults(play: Play, online: str, kind: int) -> None:
    failing = personal(t8E=bytes(8) + b"\x04\x00", t9F0F=bytes(5))  # no method of its CVM list is supported
    codes = table(row(MCHIP, online=bytes.fromhex(online)))
    assert play.card(failing, authorities=keys(MCHIP), applications=codes).kind == kind


def test_electronic_cash_is_refused_even_with_a_matching_row(play: Play) -> None:
    cash = UnionPayCard(Profile(UNION, aid="A000000333010106"))
    for rows in ("", table(Application(bytes.fromhex("A000000333"), 7, floor=20_000))):
        assert play.card(cash, authorities=keys(UNION), applications=rows).kind == END


def test_a_row_alone_does_not_allow_approval_without_scheme_keys(play: Play) -> None:
    assert play.card(CARDS[MCHIP](), applications=table(row(MCHIP)), authorities=None).kind == ONLINE


def test_the_first_matching_row_applies(play: Play) -> None:
    wide = Application(bytes.fromhex("A000000004"), 2, floor=20_000)
    narrow = Application(bytes.fromhex("A0000000041010"), 2, limit=1)
    assert tap(play, MCHIP, narrow, wide).kind == END
    assert tap(play, MCHIP, wide, narrow).kind == APPROVED


def test_a_shortened_aid_in_the_directory_does_not_bypass_a_limit(play: Play) -> None:
    card = CARDS[MCHIP]()
    whole = bytes.fromhex("4f07a0000000041010")

    def shorter(capdu: bytes) -> bytes:
        answer = card.transmit(capdu)
        if whole not in answer:
            return answer
        at, cut = answer.index(whole), 2
        longer = answer[: at + 1] + bytes((7 - cut,)) + whole[2 : 9 - cut] + answer[at + 9 :]
        return _shrunk(longer, at, cut)

    narrow = Application(bytes.fromhex("A0000000041010"), 2, limit=1)
    wide = Application(bytes.fromhex("A000000004"), 2, floor=20_000)
    free = play.answers(shorter, applications=table(wide), authorities=keys(MCHIP))
    card.reset()
    limited = play.answers(shorter, applications=table(narrow, wide), authorities=keys(MCHIP))
    assert (free.kind, limited.kind, limited.message) == (APPROVED, END, OVER_LIMIT)
    card.reset()
    other = Application(narrow.aid, 4, floor=20_000)
    assert play.answers(shorter, applications=table(other, wide), authorities=keys(MCHIP)).kind == END


def _shrunk(answer: bytes, inside: int, cut: int) -> bytes:
    """Make the length of every template around offset `inside` smaller by `cut` bytes."""
    data = bytearray(answer)
    for tag in (b"\x6f", b"\xa5", b"\xbf\x0c", b"\x61"):
        data[data.index(tag, 0, inside) + len(tag)] -= cut
    return bytes(data)


def test_rows_are_read_from_flash_among_other_entries(play: Play) -> None:
    rows = (row(MCHIP), row(AMEX, limit=7))
    entries: tuple[Entry, ...] = (TEST[0], rows[0], Excepted("4761730000000011"), *TEST[1:], rows[1])
    assert play.cases("authorities", "applications", chip(entries).hex(), KEY.hex()) == table(*rows)
    assert play.cases("authorities", "applications", chip(TEST).hex(), KEY.hex()) == ""
    torn = chip(entries)
    assert play.cases("authorities", "applications", (torn[:40] + b"\0" + torn[41:]).hex(), KEY.hex()) == ""


def test_packing_an_invalid_row_raises_value_error() -> None:
    for bad in (
        Application(b"\xa0\0\0\0", 2),
        Application(b"\xa0\0\0\0\3", 5),
        Application(bytes(17), 2),
        Application(bytes(5), 2, denial=b""),
    ):
        with pytest.raises(ValueError, match="application"):
            bad.pack(b"")
