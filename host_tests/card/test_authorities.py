# SPDX-License-Identifier: MIT
"""Scheme public keys in flash: lookup, checksum, expiry, revocation; the stop list; and the offline approval rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tools.cards import certificates
from tools.cards.certificates import INDEX
from tools.host.tables.card_entries import SCHEMES, Authority, Entry, Excepted, Revocation, blob
from tools.host.tables.terminal_settings import OfflineApproval
from tools.provision.ca_public_keys import TEST

KEY = bytes(range(16))
VISA = SCHEMES["Visa"]
OLD = Authority(VISA, 0x07, certificates.key("authority 1152").public, 3, until="2410")
LONG = Authority(VISA, 0x08, certificates.key("authority", 65537).public, 65537)
LIST = (OLD, Revocation(VISA, INDEX, b"\x00\x00\x07"), *TEST, LONG)
Cases = Callable[..., Any]


def chip(entries: tuple[Entry, ...] = LIST) -> bytes:
    return blob(KEY, entries).ljust(0x8000, b"\xff")


def find(cases: Cases, data: bytes, rid: bytes, index: int, date: str = "261123") -> Any:
    return cases("authorities", "find", data.hex(), KEY.hex(), rid.hex(), index, date)


def test_keys_are_found_by_scheme_and_index(cases: Cases) -> None:
    public = certificates.key("authority").public.hex()
    for rid in SCHEMES.values():
        assert find(cases, chip(), rid, INDEX) == [public, 3]
    assert find(cases, chip(), VISA, 0x08) == [LONG.modulus.hex(), 65537]
    assert find(cases, chip(), VISA, 0x99) is None
    assert find(cases, chip(), b"\xa0\x00\x00\x00\x99", INDEX) is None


def test_a_key_is_valid_until_the_end_of_its_month(cases: Cases) -> None:
    assert find(cases, chip(), VISA, 0x07, "241031") == [OLD.modulus.hex(), 3]
    assert find(cases, chip(), VISA, 0x07, "241101") is None


def test_a_key_with_a_wrong_checksum_is_ignored(cases: Cases) -> None:
    wrong = Authority(VISA, 0x20, OLD.modulus, 3, checksum=bytes(20))
    assert find(cases, chip((wrong, *TEST)), VISA, 0x20) is None


def test_no_key_is_found_after_a_bit_flip(cases: Cases) -> None:
    good = chip(TEST)
    size = len(blob(KEY, TEST))
    print(f"{size // 7} bytes flipped")
    for at in range(0, size, 7):
        flipped = good[:at] + bytes((good[at] ^ 1 << at % 8,)) + good[at + 1 :]
        if at not in range(3, 8) and at not in range(10, 16):
            assert find(cases, flipped, VISA, INDEX) is None, at


@pytest.mark.parametrize("data", [b"\xff" * 0x8000, bytes(0x8000), b"KC\x01\x00" + b"\xff" * 0x7FFC])
def test_a_blank_partition_has_no_key_and_every_certificate_counts_as_revoked(cases: Cases, data: bytes) -> None:
    assert find(cases, data, VISA, INDEX) is None
    assert cases("authorities", "revoked", data.hex(), KEY.hex(), VISA.hex(), INDEX, "000001") is True


def test_revoked_certificates_are_found(cases: Cases) -> None:
    data = chip().hex()
    assert cases("authorities", "revoked", data, KEY.hex(), VISA.hex(), INDEX, "000007") is True
    assert cases("authorities", "revoked", data, KEY.hex(), VISA.hex(), INDEX, "000008") is False
    assert cases("authorities", "revoked", data, KEY.hex(), VISA.hex(), INDEX + 1, "000007") is False


def test_a_card_may_approve_below_the_floor_limit_unless_selected_at_random(cases: Cases) -> None:
    setting = OfflineApproval(floor=20_000, threshold=10_000, target=10, most=50).pack().hex()
    amounts = [0, 1, 9_999, 15_000, 20_000, 20_001]
    counts = [[0, 0x80], [89, 0x10], [89, 0x10], [69, 0x10], [49, 0x10], [0, 0x80]]
    assert cases("authorities", "risks", setting, amounts, True, 99) == counts
    assert cases("authorities", "risks", setting, amounts, False, 99) == [[0, 0x80], *[[0, 0x08]] * 4, [0, 0x80]]
    assert cases("authorities", "risks", "", amounts, True, 99) == [[0, 0x80]] * 6


def test_cards_on_the_stop_list_are_found_and_their_pans_are_not_stored(cases: Cases) -> None:
    pans = ["4761730000000011", "374245000000006", "6210940000000000014"]
    data = chip((*LIST, *(Excepted(pan) for pan in pans)))
    for pan in pans:
        assert cases("authorities", "excepted", data.hex(), KEY.hex(), pan.ljust(20, "F")) is True
        assert bytes.fromhex(pan[:14]) not in data
    assert cases("authorities", "excepted", data.hex(), KEY.hex(), "4761730000000029".ljust(20, "F")) is False
    assert cases("authorities", "excepted", data[:-1].hex() + "00", KEY.hex(), pans[0].ljust(20, "F")) is True
    assert find(cases, data, VISA, INDEX) is not None
