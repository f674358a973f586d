# SPDX-License-Identifier: MIT
"""The pass over the whole ring: every record once, newest first, with the disposition that the independent reader finds."""

import random
from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import ACCEPTED, Flash, words
from tools.journal import image

SECTOR = 4096
PAID = {0x61: "settled", 0x62: "settled", 0x67: "accepted", 0: "accepted"}


@pytest.fixture
def flash(inside: Inside, tmp_path: Path) -> Flash:
    return Flash(inside, tmp_path / "chip.bin").set(b"\xff" * (8 * SECTOR))


def word(kind: int) -> str:
    """The independent reader's word for a mark on an accepted record."""
    return PAID.get(kind) or image.MARKS[kind].lower().replace("noted", "refused")


def agree(flash: Flash) -> int:
    """Assert that the pass finds what the independent reader finds; returns how many records there are."""
    expected = words(flash.read())
    found = flash.live([["newest first"]])["done"][1]
    assert [sequence for sequence, _ in found] == sorted(expected, reverse=True)
    assert {sequence: word(kind) for sequence, kind in found} == expected
    return len(found)


def test_an_empty_journal_has_no_record(flash: Flash) -> None:
    assert flash.live([["newest first"]])["done"][1] == []


@pytest.mark.parametrize("seed", range(4))
def test_days_of_payments_over_several_laps(flash: Flash, seed: int) -> None:
    dice, token, most = random.Random(seed), 0, 0
    for _ in range(8):
        steps: list = [["prepare"]]
        for _ in range(dice.randrange(1, 30)):
            token += 1
            steps.append(["accept", token, 1000 + token, ACCEPTED])
        answers = [dice.choice((1, 1, 2)) for _ in range(32)]
        steps += [["drain", answers, list(range(32))], ["closing"], ["close"], ["prepare"]]
        assert flash.live(steps)["error"] == ""
        most = max(most, agree(flash))
    sales = [["accept", token + more, 5, ACCEPTED] for more in range(1, 4)]
    assert flash.live([["prepare"], *sales])["error"] == ""
    assert most > 50 and agree(flash)


def test_a_noted_refusal_stays_refused_whatever_lies_between(flash: Flash) -> None:
    sales = [["accept", number, 10, ACCEPTED] for number in range(1, 31)]
    flash.live([["prepare"], *sales, ["drain", [2] * 32, list(range(32))], ["mark", 0x78, 3]])
    assert dict(flash.live([["newest first"]])["done"][1])[3] == 0x78
    assert agree(flash) == 30


def test_a_sector_whose_header_is_unreadable_hides_no_record(flash: Flash) -> None:
    sales = [["accept", number, 10, ACCEPTED] for number in range(1, 41)]
    flash.live([["prepare"], *sales])
    whole = flash.live([["newest first"]])["done"][1]
    spoilt = bytearray(flash.data)
    second = next(at for at in range(0, len(spoilt), SECTOR) if int.from_bytes(spoilt[at + 4 : at + 8], "big") == 2)
    spoilt[second + 12] ^= 0xFF
    flash.set(bytes(spoilt))
    assert flash.live([["newest first"]])["done"][1] == whole
