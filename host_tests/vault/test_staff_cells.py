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
    while written < 3 * ROUND:
        result = values.live([["act", written % 24 + 1]] * 30)
        written += len(result["values"])
        if result["error"]:
            break
    assert result["error"] == "JournalFull" and written == 3 * ROUND
    assert [serial for _, serial in unsent(values)] == list(range(1, written + 1))
    assert values.live([["act", 1]])["error"] == "JournalFull"
    done(values, ["sent", ROUND])
    assert [serial for _, serial in unsent(values)] == list(range(ROUND + 1, written + 1))
    assert done(values, ["act", 9]) == [written + 1]
    assert unsent(values)[-1] == (9, written + 1)


@pytest.mark.parametrize("before", [0, 1, ROUND - 1, ROUND, 3 * ROUND], ids=lambda count: f"{count} acts before")
def test_a_cut_while_an_act_is_written_loses_no_other(values: Values, before: int) -> None:
    for begun in range(0, before, 50):
        done(values, *[["act", 5]] * min(50, before - begun))
    if before:
        done(values, ["sent", max(1, before - 2 * ROUND)])
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
