# SPDX-License-Identifier: MIT
"""Power cuts at every flash operation of all journal work, with every tear model, from every kind of starting image."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import (
    ACCEPTED,
    DECLINED,
    INTENT,
    SIZE,
    TEARS,
    YES,
    Flash,
    Model,
    check,
    pairs,
    words,
)
from tools.journal import image

READY = ["prepare"]
PLACES = ("empty", "middle", "edge", "lapped")
WORK = {
    "accept": [READY, ["accept", 900, 1200, ACCEPTED], ["accept", 901, 3400, ACCEPTED]],
    "online yes": [READY, ["accept", 900, 1200, INTENT], ["final", YES, "00"]],
    "online no": [READY, ["accept", 900, 1200, INTENT], ["final", DECLINED, "51"]],
    "online no answer": [READY, ["accept", 900, 1200, INTENT], ["reversing"], ["reversed"]],
    "online not sent": [READY, ["accept", 900, 1200, INTENT], ["defer", 1200], ["drain", [1] * 12, list(range(12))]],
    "online given up": [READY, ["accept", 900, 1200, INTENT], ["void"]],
    "watermark": [READY, ["accept", 900, 1200, ACCEPTED], ["drain", [1] * 12, [3, 1, 0, 2, *range(4, 12)]]],
    "refused, later": [
        READY,
        ["accept", 900, 500, ACCEPTED],
        ["accept", 901, 600, ACCEPTED],
        ["accept", 902, 700, ACCEPTED],
        ["drain", [1, 2, 1, 3, 1, 2], [5, 1, 0, 4, 3, 2]],
    ],
    "batch close": [
        READY,
        ["accept", 900, 1200, ACCEPTED],
        ["drain", [1] * 20, list(range(20))],
        ["closing"],
        ["close"],
        READY,
    ],
    "boot": [],
}


@pytest.fixture(scope="module")
def chips(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Starting images, made by lives without a cut. For `boot` also images whose last record has no mark."""
    flash = Flash(inside, tmp_path_factory.mktemp("chips") / "chip.bin")
    made = {"empty": b"\xff" * SIZE}

    def keep(name: str, *lives: list) -> None:
        for steps in lives:
            result = flash.live(steps)
            assert not result["error"], (name, result)
        made[name] = flash.data

    def accepts(first: int, count: int) -> list:
        return [["accept", first + index, 100 + index, ACCEPTED] for index in range(count)]

    flash.set(made["empty"])
    keep("middle", [READY, *accepts(0, 5), ["drain", [1, 1, 2], [0, 2, 1]]])
    keep("middle tail", [["accept", 20, 770, ACCEPTED]])
    flash.set(made["middle"])
    keep("middle intent", [["accept", 20, 770, INTENT]])
    flash.set(made["empty"])
    keep("edge", [READY, *accepts(0, 15), ["drain", [1] * 5, list(range(5))]])
    flash.set(made["empty"])
    keep("edge tail", [READY, *accepts(0, 15)])
    flash.set(made["empty"])
    keep("edge intent", [READY, *accepts(0, 14), ["accept", 20, 770, INTENT]])
    flash.set(made["empty"])
    for lap in range(
        2 * SIZE // 4096 + 3
    ):  # one sector per batch: page 15 holds the last record, the marks follow the header
        steps = [READY, *accepts(100 + 15 * lap, 15), ["drain", [1] * 15, list(range(15))], ["close"]]
        keep("lap", steps)
    keep("lapped", [READY, *accepts(600, 15), ["drain", [1] * 5, list(range(5))]])
    flash.set(made["lap"])
    keep("lapped tail", [READY, *accepts(600, 15)])
    flash.set(made["lap"])
    keep("lapped intent", [READY, *accepts(600, 14), ["accept", 620, 770, INTENT]])
    return made


def starts(work: str, place: str) -> list[str]:
    """The images that this work starts from; boot also starts from those whose last record has no mark."""
    if work != "boot":
        return [place]
    return [place] if place == "empty" else [place, place + " tail", place + " intent"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("work", WORK)
def test_a_power_cut_at_any_operation_loses_no_payment(
    inside: Inside, chips: dict[str, bytes], tmp_path: Path, work: str, place: str, record_property
) -> None:
    flash = Flash(inside, tmp_path / "chip.bin")
    cuts = 0
    for start in starts(work, place):
        total = flash.set(chips[start]).live(WORK[work])
        assert not total["error"], total
        before = flash.set(chips[start]).read()
        for operation in range(1, total["operations"] + 1):
            for tear in TEARS:
                flash.set(chips[start])
                _cut_once(flash, before, WORK[work], operation, tear)
                cuts += 1
    record_property("cuts", cuts)
    print(f"{work} on {place}: {cuts} cuts")
    assert cuts or (work, place) == ("boot", "empty")


def _cut_once(flash: Flash, before: image.Journal, steps: list, operation: int, tear: str) -> None:
    model = Model.of(before)
    result = flash.live(steps, operation, tear)
    assert result["cut"] and not result["error"], result
    finished = result["done"][1:]
    for index, step in enumerate(steps[: len(finished) + 1]):
        if result["done"]:
            model.apply(step, None, index < len(finished))
    again = flash.live([READY, ["state"], ["accept", 999, 4321, ACCEPTED], ["list"]])
    assert not again["error"] and not again["cut"], (again, tear)
    found = flash.read()
    state = again["done"][2]
    assert again["done"][3] == state["sequence"] + 1
    assert [again["done"][3], 999, 4321] == again["done"][4][-1]
    newest = found.records.pop(state["sequence"] + 1)
    assert newest.uid.endswith(b"000999")
    model.allows(words(found))
    check(found, state, flash.data)
    done = [step[0] for step in steps[: len(finished)]]
    assert not ("closing" in done and state["closed"] < state["sequence"]) or state["closing"], (
        "a close that may have been sent"
    )
    last = flash.live([["state"]])
    assert (last["done"][1]["count"], last["done"][1]["sum"]) == (state["count"] + 1, state["sum"] + 4321)


def test_a_power_cut_in_the_boot_after_a_cut_loses_no_payment(
    inside: Inside, chips: dict[str, bytes], tmp_path: Path
) -> None:
    """The second cut interrupts the recovery from the first one."""
    flash = Flash(inside, tmp_path / "chip.bin")
    cuts = 0
    for start in ("middle tail", "middle intent", "edge tail", "lapped tail", "lapped intent"):
        before = flash.set(chips[start]).read()
        for first in range(1, 4):
            for tear in ("none", "half", "random:4", "all"):
                once = flash.set(chips[start]).live([], first, tear)
                if not once["cut"]:
                    continue
                left = flash.data
                again = flash.live()["operations"]
                for second in range(1, again + 1):
                    flash.set(left)
                    _cut_once(flash, before, [], second, tear)
                    cuts += 1
    print(f"{cuts} second cuts")
    assert cuts > 20


@pytest.mark.parametrize(
    "start", ["middle tail", "middle intent", "edge tail", "edge intent", "lapped tail", "lapped intent"]
)
@pytest.mark.parametrize("cut, tear", [(0, "none"), (1, "none"), (1, "prefix:16"), (2, "none"), (2, "half")])
def test_boot_copies_the_last_record(
    inside: Inside, chips: dict[str, bytes], tmp_path: Path, start: str, cut: int, tear: str
) -> None:
    """Its cells may be unstable and read differently later. Boot copies it, even if power fails again meanwhile."""
    flash = Flash(inside, tmp_path / "chip.bin").set(chips[start])
    (first,) = tail_pages(flash.data)
    if cut:
        flash.live([], cut, tear)
    state = flash.live([["state"]])["done"][1]
    assert set(tail_pages(flash.data)) > {first}
    unstable = bytearray(flash.data)
    unstable[first : first + 256] = bytes(256)
    after = flash.set(bytes(unstable)).live([["state"]])["done"][1]
    same = ("sequence", "count", "sum", "last", "fate", "reversing")
    assert [after[name] for name in same] == [state[name] for name in same]
    check(flash.read(), after, flash.data)


def tail_pages(data: bytes) -> list[int]:
    """Offsets of all pages with the highest sequence."""
    newest = max(sequence for sequence, _ in pairs(data))
    return [
        at
        for at in range(0, len(data), 256)
        if at % 4096 and data[at] in (ACCEPTED, INTENT) and int.from_bytes(data[at + 4 : at + 8], "big") == newest
    ]
