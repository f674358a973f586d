# SPDX-License-Identifier: MIT
"""Journals of older firmware open with the same state and records, and trade continues. Expected values are literals.

The format 1 image comes from the firmware before format 2; the format 2 image from its first firmware, with the same lives.
Format 3 adds one kind of mark (78).
"""

from __future__ import annotations

import base64
import zlib
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import ACCEPTED, INTENT, KEY, Flash, Step, check, words
from tools.journal import image

GOLDEN = Path(__file__).parent / "golden"
SECTOR = image.SECTOR

# Batch 1, closed: yes, refused, online yes, declined, reversed. Batch 2: 6 and 7 (deferred) pending, 8 voided, 9 yes beyond
# a gap, 10 refused, 11 to be reversed, 12 to 16 pending, in two sectors; then a record with only 96 bytes written.
FIRST_LIFE: list[Step] = [
    ["prepare"], ["accept", 1, 1200, ACCEPTED], ["accept", 2, 3400, ACCEPTED], ["drain", [1, 2], [0, 1]],
    ["accept", 3, 500, INTENT], ["final", 0x61, "00"], ["accept", 4, 600, INTENT], ["final", 0x64, "51"],
    ["accept", 5, 700, INTENT], ["reversing"], ["reversed"], ["closing"], ["close"], ["mark", 0x6A, 800000100],
]  # fmt: skip
MARKS = [[7, 0x67], [8, 0x6D], [9, 0x61], [10, 0x63], [11, 0x65]]
STATE = {
    "sequence": 16, "count": 7, "sum": 10200, "watermark": 5, "closed": 5, "batch": 2, "oldest": 800000006, "heard": 800000100,
    "reversing": 1, "closing": 0, "serial": 2, "fate": 0, "last": 16, "kind": 0x51,
    "marks": MARKS,
}  # fmt: skip
ANSWERED = [[12, 0x63], [13, 0x63], [14, 0x61], [15, 0x61]]  # in format 2, one mark for two records
STATES = {1: STATE, 2: {**STATE, "count": 3, "sum": 3600, "marks": MARKS + ANSWERED}}
RECORDS = [
    [6, 6, 800], [7, 7, 900], [8, 8, 1000], [9, 9, 1100], [10, 10, 1300], [11, 11, 1400], [12, 12, 1500], [13, 13, 1600],
    [14, 14, 1700], [15, 15, 1800], [16, 16, 1900],
]  # fmt: skip
WORDS = {
    1: "settled", 2: "refused", 3: "settled", 4: "declined", 5: "reversed", 6: "accepted", 7: "accepted", 8: "voided",
    9: "settled", 10: "refused", 11: "reversing", 12: "accepted", 13: "accepted", 14: "accepted", 15: "accepted", 16: "accepted",
}  # fmt: skip
WORDS_2 = {12: "refused", 13: "refused", 14: "settled", 15: "settled"}
ORDER = list(range(32))
PENDING = {1: [6, 7, 8, 12, 13, 14, 15, 16], 2: [6, 7, 8, 16]}


def golden(name: str) -> bytes:
    return zlib.decompress(base64.b64decode((GOLDEN / f"journal_format_{name}.b64").read_text()))


def said(state: dict[str, Any]) -> dict[str, Any]:
    """The state without the next page to write, which may differ between firmware versions."""
    return {name: value for name, value in state.items() if name != "page"}


@pytest.fixture
def flash(inside: Inside, tmp_path: Path) -> Flash:
    return Flash(inside, tmp_path / "chip.bin")


def untouched(old: bytes, new: bytes, sectors: range) -> bool:
    """Whether everything written in these sectors is unchanged, byte for byte."""
    cells = range(sectors.start * SECTOR, sectors.stop * SECTOR, 16)
    return all(old[at : at + 16] in (b"\xff" * 16, new[at : at + 16]) for at in cells)


@pytest.mark.parametrize("number", [1, 2])
def test_an_old_journal_gives_the_same_state_and_records(flash: Flash, number: int) -> None:
    """Also the report of an unfinished payment. A second boot gives the same."""
    old = golden(str(number))
    flash.set(old)
    assert {old[at + 2] for at in (0, SECTOR)} == {number} and old[2 * SECTOR :] == b"\xff" * (4 * SECTOR)
    first = flash.live([["list"]])
    assert (first["error"], first["torn"], first["done"][1]) == ("", True, RECORDS)
    assert said(first["done"][0]) == STATES[number]
    again = flash.live([["list"]])
    assert said(again["done"][0]) == STATES[number] and again["done"][1] == RECORDS
    assert untouched(old, flash.data, range(2))
    for chip in (old, flash.data):
        assert words(image.read(chip, KEY)) == {**WORDS, **(WORDS_2 if number == 2 else {})}


@pytest.mark.parametrize("number", [1, 2])
def test_trade_continues_on_an_old_journal(flash: Flash, number: int) -> None:
    """Pending records are sent in order; the newest old sector is filled, the next has format 3; old data is unchanged."""
    old = golden(str(number))
    sales = [["accept", 100 + index, 50, ACCEPTED] for index in range(20)]
    told = flash.set(old).live([["drain", [1] * 32, ORDER], ["reversed"], ["prepare"], *sales])
    assert (told["error"], told["done"][1], told["erased"]) == ("", PENDING[number], [2, 3, 4])
    assert told["done"][-1] == 36
    chip = flash.data
    assert untouched(old, chip, range(2)) and chip[2 * SECTOR : 2 * SECTOR + 3] == b"KJ\3"
    booted = flash.live([["list"]])["done"]
    assert [sequence for sequence, _, _ in booted[1]] == list(range(6, 37))
    assert (booted[0]["count"], booted[0]["sum"], booted[0]["reversing"], booted[0]["watermark"]) == (20, 1000, 0, 16)
    check(flash.read(), booted[0], flash.data)
    found = words(flash.read())
    assert {found[one] for one in PENDING[number]} == {"settled", "reported"} and found[11] == "reversed"
    assert all(found[one] == word for one, word in WORDS.items() if one not in (*PENDING[number], 11, *WORDS_2))


@pytest.mark.parametrize("number", [1, 2])
def test_sectors_of_an_old_format_are_erased_after_their_batch_is_closed(flash: Flash, number: int) -> None:
    """After three days of trade the ring has wrapped, and no sector has the old format."""
    flash.set(golden(str(number))).live([["drain", [1] * 32, ORDER], ["reversed"], ["closing"], ["close"], ["prepare"]])
    for day in range(3):
        sales = [["accept", 100 + 30 * day + index, 50, ACCEPTED] for index in range(30)]
        steps = [["prepare"], *sales, ["drain", [1] * 32, ORDER], ["closing"], ["close"], ["prepare"]]
        assert flash.live(steps)["error"] == ""
    booted = flash.live()["done"][0]
    assert (booted["sequence"], booted["count"], booted["closed"], booted["batch"]) == (106, 0, 106, 6)
    assert {flash.data[at + 2] for at in range(0, len(flash.data), SECTOR)} <= {3, 0xFF}


@pytest.mark.parametrize("operation", range(1, 13))
@pytest.mark.parametrize("tear", ["none", "prefix:16", "random:1", "all"])
def test_a_power_cut_in_the_first_life_of_new_firmware_loses_nothing(flash: Flash, operation: int, tear: str) -> None:
    """At each operation of that life, which drains and takes a payment."""
    old = golden("1")
    flash.set(old).live([["drain", [1] * 32, ORDER], ["accept", 100, 50, ACCEPTED]], operation, tear)
    booted = flash.live()["done"][0]
    check(flash.read(), booted, flash.data)
    found = words(flash.read())
    assert untouched(old, flash.data, range(2)) and set(WORDS) <= set(found) <= {*WORDS, 17}
    for sequence, word in WORDS.items():
        assert found[sequence] == word or sequence in PENDING[1] and found[sequence] in ("settled", "reported")


def test_an_undecided_intent_in_an_old_journal_is_reversed(flash: Flash) -> None:
    """A journal of format 1 that ends with an online payment without an answer."""
    told = flash.set(golden("1_intent")).live([["list"], ["reversed"], ["drain", [1], [0]]])
    state = told["done"][0]
    assert (state["count"], state["sum"], state["reversing"], state["marks"]) == (1, 1200, 1, [[2, 0x65]])
    assert (state["fate"], state["last"], state["kind"], told["torn"]) == (0x65, 2, 0x52, False)
    assert told["done"][1] == [[1, 1, 1200], [2, 2, 3400]] and told["done"][3] == [1]
    assert words(flash.read()) == {1: "settled", 2: "reversed"}


def test_this_firmware_writes_exactly_the_format_3_image(flash: Flash) -> None:
    """If these bytes change, the format has changed, and needs a new number and a new image."""
    flash.set(b"\xff" * (6 * SECTOR)).live([*FIRST_LIFE, ["mark", 0x78, 2]])
    assert flash.data == golden("3") and flash.data[:3] == b"KJ\3"
    assert words(flash.read())[2] == "refused"


def test_later_refusals_of_older_firmware_are_still_to_be_noted(flash: Flash) -> None:
    told = flash.set(golden("2")).live([["refused"], ["mark", 0x78, 2], ["refused"]])
    assert [told["done"][1][1], told["done"][3]] == [[2, 10, 12, 13], [3, [10, 12, 13]]]
