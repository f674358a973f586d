# SPDX-License-Identifier: MIT
"""Later refusals are listed from the journal until noted, across restarts and closed batches."""

from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import ACCEPTED, Flash, words

SECTOR = 4096


@pytest.fixture
def flash(inside: Inside, tmp_path: Path) -> Flash:
    made = Flash(inside, tmp_path / "chip.bin").set(b"\xff" * (6 * SECTOR))
    sales = [["accept", number, 1000 + number, ACCEPTED] for number in range(1, 6)]
    assert (
        made.live([["prepare"], *sales, ["drain", [1, 2, 1, 2, 1], [0, 1, 2, 3, 4]], ["closing"], ["close"]])["error"]
        == ""
    )
    return made


def test_refusals_outlive_restart_and_close_until_each_is_noted(flash: Flash) -> None:
    told = flash.live([["refused"], ["mark", 0x78, 4], ["refused"]])
    assert told["done"][1] == [-1, [2, 4]], "after boot the count is unknown until the marks are searched"
    assert told["done"][3] == [1, [2]]
    assert flash.live([["refused"]])["done"][1][1] == [2]
    assert words(flash.read())[4] == "refused"
    assert flash.live([["mark", 0x78, 2], ["refused"]])["done"][2][1] == []


def test_a_refusal_after_the_search_is_listed_without_another_search(flash: Flash) -> None:
    steps = [["refused"], ["accept", 9, 900, ACCEPTED], ["drain", [2], [0]], ["refused"]]
    assert flash.live(steps)["done"][4] == [3, [2, 4, 6]]


def test_any_number_of_refusals_is_kept_and_each_can_be_noted(flash: Flash) -> None:
    """More than fit on a list or a slip. Noted ones do not hide the others, in this life or the next."""
    flash.set(b"\xff" * (10 * SECTOR))
    sales = [["accept", number, 1000 + number, ACCEPTED] for number in range(1, 81)]
    drains = [["drain", [2] * 20, list(range(20))] for _ in range(4)]
    assert flash.live([["prepare"], *sales, *drains])["error"] == ""
    everything = list(range(1, 81))
    told = flash.live([["refused"], *(["mark", 0x78, number] for number in range(1, 71)), ["refused"]])
    assert told["done"][1] == [-1, everything] and told["done"][-1] == [10, everything[70:]]
    assert flash.live([["refused"]])["done"][1] == [-1, everything[70:]]


def test_the_count_is_right_after_a_sector_was_erased_in_the_same_life(flash: Flash) -> None:
    days = [["refused"]]
    for day in range(4):
        days += [["accept", 100 + 30 * day + index, 50, ACCEPTED] for index in range(30)]
        days += [["drain", [1] * 32, list(range(32))], ["closing"], ["close"], ["prepare"]]
    told = flash.live([["prepare"], *days, ["refused"], ["refused"]])
    assert told["error"] == "" and told["done"][2][1] == [2, 4]
    assert [told["done"][-2][0] < 0, told["done"][-2][1], told["done"][-1]] == [True, [], [0, []]]


def test_a_record_whose_sector_was_erased_is_not_listed(flash: Flash) -> None:
    for day in range(4):
        sales = [["accept", 100 + 30 * day + index, 50, ACCEPTED] for index in range(30)]
        flash.live([["prepare"], *sales, ["drain", [1] * 32, list(range(32))], ["closing"], ["close"], ["prepare"]])
    assert 2 not in words(flash.read())
    assert flash.live([["refused"]])["done"][1][1] == []


@pytest.mark.parametrize("tear", ["none", "prefix:16", "random:1", "all"])
def test_a_power_cut_during_noting_leaves_it_noted_or_not(flash: Flash, tear: str) -> None:
    before = flash.data
    count = flash.live([["mark", 0x78, 2]])["operations"]
    for cut in range(1, count + 1):
        flash.set(before).live([["mark", 0x78, 2]], cut, tear)
        assert flash.live([["refused"]])["done"][1][1] in ([2, 4], [4])
