# SPDX-License-Identifier: MIT
"""The figures: what is counted is counted right, and the promises about flash hold."""

from __future__ import annotations

import pytest

from tools.bench import figures, model
from tools.bench.inside import ask


def test_a_modelled_figure_tells_both_its_parts() -> None:
    told = model.parts("pay", model.flash_ms(programs=2, erases=1), instructions=240_000)
    assert told == {"pay_ms": 48.4, "pay_chip_ms": 46.4, "pay_cpu_ms": 2.0}
    assert model.parts("pay", 1.4, None) == {"pay_chip_ms": 1.4}


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("journal_worst_pay_ms", "ms"),
        ("heap_demo_kib", "KiB"),
        ("keyring_bytes_per_payment", "B"),
        ("tap_apdus_qvsdc", "APDUs"),
    ],
)
def test_units_follow_from_names(name: str, unit: str) -> None:
    assert figures.unit(name) == unit


def test_a_name_without_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        figures.unit("nothing")


def test_the_journal_keeps_its_budget_on_a_used_chip() -> None:
    """One mark a payment: 292 B, 75 erases per 1000, none of them on the pay path, 1.1 programs to accept."""
    told = ask("journal.py", "trade", "300", "1")
    assert told["payments"] == 300
    assert told["pay_programs"] <= 330 and told["pay_erases"] == 0
    assert told["bytes"] <= 292 * 300 + 4096 and told["erases"] <= 23


def test_a_window_of_answers_costs_one_mark() -> None:
    told = ask("journal.py", "trade", "320", "64")
    assert told["bytes"] <= 260 * 320 + 48
    assert told["programs"] - told["pay_programs"] <= 5 + 2  # the marks, and a batch closed


def test_boot_reads_little_however_much_waits() -> None:
    few, many = (ask("journal.py", "boot", str(pending)) for pending in (20, 3000))
    assert (few["count"], many["count"]) == (20, 3000)
    assert many["mount"] + many["prepare"] <= few["mount"] + few["prepare"] + 8192


def test_littlefs_does_the_same_work_on_the_same_chip() -> None:
    told = ask("littlefs.py", "100", "tuned")
    assert told["payments"] == 100 and told["bytes"] >= 256 * 100 and told["erases"] > 0
