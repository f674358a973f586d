# SPDX-License-Identifier: MIT
"""One flipped bit anywhere in a journal affects at most one record, which is reported by its sequence.

A run tries one bit in fifteen of the used pages; `make rot` tries every bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.in_micropython.runner import Inside, share
from host_tests.harness.long_runs import LONG as ALL
from host_tests.harness.vault.lives import ACCEPTED, INTENT, KEY, SIZE, YES, Flash, Step, check, words
from tools.journal import image

DECLINED = 0x64
PAGE_BITS = image.PAGE * 8
STEP = 1 if ALL else 15  # of used pages
END_STEP = 1 if ALL else 37
LONG = 18  # sequence of the two-page record, in which only the flag can be repaired


def accepts(first: int, count: int) -> list[Step]:
    return [["accept", first + index, 1000 + index, ACCEPTED] for index in range(count)]


LIVES: list[list[Step]] = [
    [["prepare"], *accepts(0, 6), ["drain", [1] * 6, list(range(6))], ["closing"], ["close"]],
    [
        *accepts(10, 3), ["drain", [1, 2, 1], [0, 1, 2]],
        ["accept", 20, 500, INTENT], ["final", YES, "00"], ["accept", 21, 600, INTENT], ["final", DECLINED, "51"],
        *accepts(22, 3), ["drain", [3, 2, 1], [0, 1, 2]],
    ],
    [
        ["accept", 30, 700, INTENT], ["reversing"], ["reversed"], ["accept", 31, 800, INTENT], ["defer", 800],
        *accepts(32, 1), ["accept long", 33, 333], ["mark", 0x6A, 800000777],
    ],
    [["accept", 40, 900, INTENT], ["void"], *accepts(41, 2), ["accept", 43, 910, INTENT], ["reversing"]],
]  # fmt: skip
ENDS: dict[str, list[Step]] = {
    "payments": accepts(50, 2),
    "payment": [*accepts(50, 1), ["drain", [3, 1], [0, 1]], *accepts(51, 1)],
    "intent": [["accept", 50, 950, INTENT]],
    "answers": [*accepts(50, 1), ["drain", [3, 3, 1, 1, 2, 1], [0, 1, 2, 3, 4, 5]]],
    "boot": [*accepts(50, 1), ["drain", [1], [0]]],
}
WANTED = {"settled", "refused", "declined", "reversed", "reversing", "accepted", "voided"}


@pytest.fixture
def flash(inside: Inside, tmp_path: Path) -> Flash:
    return Flash(inside, tmp_path / "chip.bin").set(b"\xff" * SIZE)


def journal(flash: Flash, end: str) -> list[int]:
    """Make a journal that ends with ENDS[end], check it with the independent reader; returns its used pages."""
    for steps in [*LIVES, ENDS[end], *([[]] if end == "boot" else [])]:
        result = flash.live(steps)
        assert not result["error"], result
    kept = flash.data
    check(flash.read(), flash.live([["state"]])["done"][-1], flash.data)
    flash.set(kept)
    data = flash.data
    pages = [at // image.PAGE for at in range(0, SIZE, image.PAGE)]
    return [page for page in pages if data[page * image.PAGE :][: image.PAGE] != b"\xff" * image.PAGE]


def rot(flash: Flash, pages: list[int], step: int, variant: str = "") -> tuple[int, list[Any]]:
    """Flip every `step`-th bit of these pages, divided between interpreters; the number tried, and [bit, missing]."""
    which, shares = share(flash.inside) if step > 1 else (0, 1)
    tried, missing, broken = 0, [], []
    for page in pages:
        first, end = page * PAGE_BITS, (page + 1) * PAGE_BITS
        bits = first + (-first + which * step) % (step * shares), end, step * shares
        result = flash.inside("rot", "rot", str(flash.path), KEY.hex(), bits, variant)
        tried += len(range(*bits))
        missing += result["missing"]
        broken += result["broken"]
    print(f"{tried} bits flipped, {len(missing)} records missing and reported, {len(broken)} broken")
    for bit, wrong in broken[:20]:
        print(f"  page {bit // PAGE_BITS} byte {bit % PAGE_BITS // 8} bit 0x{0x80 >> bit % 8:02x}: {wrong}")
    assert not broken
    return tried, missing


def test_a_flipped_bit_in_any_used_page_loses_no_one_page_record(flash: Flash) -> None:
    """Covers every kind of record and mark, in header cells and mark pages, in closed and open batches."""
    pages = journal(flash, "payments")
    assert set(words(flash.read()).values()) >= WANTED and pages[-1] // 16 == 2
    tried, missing = rot(flash, pages, STEP)
    assert tried >= len(pages) * PAGE_BITS // 32
    assert {sequence for _, sequence in missing} <= {LONG}, "all others are repaired"
    assert missing


@pytest.mark.parametrize("end", ENDS)
def test_a_flipped_bit_at_the_end_of_the_journal_loses_no_record(flash: Flash, end: str) -> None:
    """The last used pages, the blank ones after them and the next header, after each kind of last write."""
    pages = journal(flash, end)
    ahead = [pages[-1] + 1, pages[-1] + 2, (pages[-1] // 16 + 1) * 16, (pages[-1] // 16 + 1) * 16 + 1]
    _, missing = rot(flash, pages[-3:] + ahead, END_STEP)
    assert not missing


def test_the_controls_are_caught(flash: Flash) -> None:
    """Without repair, records are missing; without tags, a changed record is accepted."""
    pages = journal(flash, "payments")
    page = [page for page in pages if flash.data[page * image.PAGE] == ACCEPTED][
        8
    ]  # a pending record of the open batch
    _, missing = rot(flash, [page], 61, "mends nothing")
    assert missing
    with pytest.raises(AssertionError):
        rot(flash, [page], 61, "believes all")
