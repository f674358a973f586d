# SPDX-License-Identifier: MIT
"""The heap check detects a MemoryError even if it is caught, and finds the smallest sufficient size."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.harness.long_runs import LONG
from tools.bench import heap, leaks, phases
from tools.world import World, interpreter
from tools.world.power import FIRMWARE


@pytest.fixture
def micropython32() -> str:
    found = interpreter.micropython32()
    if found is None:
        pytest.skip("no 32-bit MicroPython here (MICROPYTHON32)")
    return found


def ends_well(micropython: str, folder: Path, main: str) -> bool:
    image = heap.image(folder / "image", main)
    with World(folder / "home", micropython=micropython, heap="128k", source=image) as world:
        world.power_on()
        world.wait_off()
        return "Error" not in world.console


HUNGRY = "try:\n    bytearray(1000000)\nexcept {}:\n    pass\n"


def test_a_memory_error_that_is_caught_ends_the_run(micropython32: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="MemoryError"):
        ends_well(micropython32, tmp_path, HUNGRY.format("Exception"))


def test_a_memory_error_that_is_caught_in_a_task_ends_the_run(micropython32: str, tmp_path: Path) -> None:
    task = "    async def eat():\n        bytearray(1000000)\n    asyncio.run(asyncio.wait_for(eat(), 5))\n"
    with pytest.raises(AssertionError, match="MemoryError"):
        ends_well(micropython32, tmp_path, "import asyncio\ntry:\n" + task + "except Exception:\n    pass\n")


def test_other_errors_that_are_caught_do_not_end_the_run(micropython32: str, tmp_path: Path) -> None:
    """Control test: the same program with an error other than MemoryError."""
    assert ends_well(micropython32, tmp_path, "try:\n    [][1]\nexcept Exception:\n    pass\n")


def test_demo_and_day_run_within_the_heap_budget(micropython32: str, tmp_path: Path) -> None:
    """The same check as `make heap`, which also searches for the smallest size."""
    board_kib = heap.board_kib(micropython32, tmp_path)
    whole = heap.image(tmp_path / "whole", (FIRMWARE / "main.py").read_text())
    for story in (heap.demo, heap.day):
        assert heap.play(micropython32, whole, board_kib + heap.BUDGET_KIB, story), story.__name__


@pytest.mark.parametrize("needed", [5, 64, 200, 512])
def test_the_smallest_size_is_found(needed: int) -> None:
    assert heap.smallest(lambda kib: kib >= needed) == needed


def test_a_size_that_suffices_only_sometimes_does_not_count() -> None:
    tries: dict[int, int] = {}

    def now_and_then(kib: int) -> bool:
        tries[kib] = tries.get(kib, 0) + 1
        return kib >= 100 or kib == 99 and tries[kib] == 1

    assert heap.smallest(now_and_then) == 100


def test_the_firmware_catches_no_memory_error_by_its_name() -> None:
    """No bare `except` either, so that no failed allocation is hidden."""
    root = Path(heap.__file__).parent.parent.parent
    files = [*(root / "firmware").rglob("*.py"), *(root / "boards" / "unix").glob("*.py")]
    handlers = [
        f"{file.name}: {line.strip()}"
        for file in files
        for line in file.read_text().splitlines()
        if line.strip().startswith("except") and ("MemoryError" in line or line.strip() == "except:")
    ]
    assert len(files) > 60 and handlers == []


def test_many_sales_leave_the_live_heap_as_it_was(micropython32: str) -> None:
    """By card without the network, for cash, by code; drained in between. `make leaks` makes a thousand."""
    found = leaks.measure(100 if LONG else 40, 20)
    assert [sales for sales, _ in found] == ([20, 40, 60, 80, 100] if LONG else [20, 40])
    assert max(live for _, live in found) - found[0][1] <= leaks.FLAT_BYTES, found


def test_the_page_takes_the_most_live_heap_of_each_phase() -> None:
    console = "".join(
        f"HEAP {phase} {link} {live} 1000\nmem: total=1\n max free sz: {free}\nqstr pool: n_pool=7, n_qstr={names}, n\n"
        for phase, link, live, free, names in [
            ("boot", "-", 12_264, 9, 100),
            ("tap", "-", 31_720, 64, 200),
            ("tap", "idle", 21_480, 1, 201),
            ("idle", "connected", 11_240, 8, 150),
        ]
    )
    lines = phases.table(phases.looks(console), 1024)
    assert lines[2:] == [
        "| boot | 10.0 | 0.1 |",
        "| drain over TLS while idle | 9.0 | 0.1 |",
        "| tap | 29.0 | 1.0 |",
        "",
        "Names (interned strings) at the end of the day: 201 of 2,540.",
    ]
