# SPDX-License-Identifier: MIT
"""Wrong tries of codes and the log of acts: what was written stands, whatever operation a power cut falls into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import TEARS
from host_tests.vault.test_settings import KEY, VALUES, Values
from tools.provision.device import settings_blob

ONE, OTHER = "01aabbccdd", "02aabbccdd"
ROUND = 127  # cells of a sector behind its head
FULL = 3 * ROUND - 16  # acts in a log of which nothing was sent: the last cells are for what the host has


@pytest.fixture
def values(inside: Inside, tmp_path: Path) -> Values:
    return Values(inside, tmp_path / "settings.bin").set(settings_blob(KEY, VALUES))


def done(values: Values, *steps: list[Any]) -> list[Any]:
    result = values.live(list(steps))
    assert not result["error"], result
    return result["values"]


def test_each_code_has_its_own_tries_over_restarts_and_sectors(values: Values) -> None:
    assert done(values, *[["wrong", ONE]] * 3) == [1, 2, 3]
    for life in range(5):  # right tries of another fill both sectors several times
        done(values, *[["wrong", OTHER], ["right", OTHER]] * 40)
        assert done(values, ["tries", ONE], ["tries", OTHER], ["tries", "01aabbccde"]) == [3, 0, 0], life
    assert done(values, ["right", ONE], ["tries", ONE], ["wrong", ONE]) == [0, 0, 1]


@pytest.mark.parametrize("before", [0, 1, 125, 126, 127], ids=lambda count: f"{count} cells before")
def test_a_try_that_was_counted_stays_counted_after_a_cut_anywhere(values: Values, before: int) -> None:
    """The code is checked only once `wrong` has returned, so a cut within it may leave either count, never a lower one."""
    done(values, ["wrong", ONE], ["wrong", ONE], *[["wrong", OTHER]] * max(0, before - 2))
    start, step, cuts = values.path.read_bytes(), ["wrong", ONE], 0
    for operation in range(1, values.live([step])["operations"] + 1):
        for tear in TEARS:
            values.path.write_bytes(start)
            assert values.live([step], operation, tear)["cut"]
            (count,) = done(values, ["tries", ONE])
            assert count in (2, 3), (operation, tear)
            assert done(values, ["wrong", ONE], ["tries", ONE]) == [count + 1] * 2
            cuts += 1
    print(f"{cuts} cuts")
    assert cuts >= len(TEARS)


def unsent(values: Values) -> list[tuple[int, int]]:
    """(act, serial) of what the host does not have."""
    return [(act, serial) for act, serial, _ in done(values, ["unsent"])[0]]


def test_acts_wait_until_they_are_sent_and_a_full_log_refuses_instead_of_forgetting(values: Values) -> None:
    assert unsent(values) == []
    written = 0
    while written < FULL:
        result = values.live([["act", written % 24 + 1]] * 30)
        written += len(result["values"])
        if result["error"]:
            break
    assert result["error"] == "JournalFull" and written == FULL
    assert [serial for _, serial in unsent(values)] == list(range(1, written + 1))
    assert values.live([["act", 1]])["error"] == "JournalFull"
    done(values, ["sent", ROUND])
    assert [serial for _, serial in unsent(values)] == list(range(ROUND + 1, written + 1))
    assert done(values, ["act", 9]) == [written + 1]
    assert unsent(values)[-1] == (9, written + 1)


def test_a_full_log_is_sent_a_few_acts_at_a_time_until_the_host_has_all(values: Values) -> None:
    """As uplink/acts_upload.py does: each answer of the host is marked in the same log, in which there is still room."""
    while not values.live([["act", 3]] * 30)["error"]:
        pass
    written = len(unsent(values))
    assert written == FULL
    while waiting := unsent(values):
        done(values, ["sent", waiting[:12][-1][1]])
    assert done(values, ["act", 9]) == [written + 1]
    assert unsent(values) == [(9, written + 1)]


@pytest.mark.parametrize("before", [0, 1, ROUND - 1, ROUND, 3 * ROUND - 1], ids=lambda count: f"{count} acts before")
def test_a_cut_while_an_act_is_written_loses_no_other(values: Values, before: int) -> None:
    first = min(before, 2 * ROUND)
    done(values, *[["act", 5]] * first)
    if before:
        done(values, ["sent", max(1, first - ROUND)], *[["act", 5]] * (before - first))
    start, step, cuts = values.path.read_bytes(), ["act", 7], 0
    held = unsent(values)
    values.path.write_bytes(start)
    for operation in range(1, values.live([step])["operations"] + 1):
        for tear in TEARS:
            values.path.write_bytes(start)
            assert values.live([step], operation, tear)["cut"]
            now = unsent(values)
            assert now in (held, [*held, (7, before + 1)]), (operation, tear)
            done(values, step)
            after = unsent(values)
            assert after[: len(now)] == now and len(after) == len(now) + 1
            assert len({serial for _, serial in after}) == len(after)
            cuts += 1
    print(f"{cuts} cuts")
    assert cuts >= len(TEARS)
