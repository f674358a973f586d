# SPDX-License-Identifier: MIT
"""The figures: what is counted is counted right, each has its unit, and the budgets of the journal and the keyring hold."""

from __future__ import annotations

import shutil

import pytest

from tools.bench import costs, figures, model, stores
from tools.bench.inside import ask
from tools.world import interpreter

IN_FLASH = (
    "journal_programs_per_accept",
    "journal_erases_on_pay_path",
    "journal_bytes_per_payment",
    "journal_bytes_per_payment_watermark",
    "journal_erases_per_1000",
    "journal_erases_per_1000_watermark",
    "journal_worst_pay_ms",
    "journal_worst_pay_starved_ms",
    "journal_ready_read_bytes_0",
    "journal_ready_read_bytes_3000",
    "journal_recovery_read_bytes_0",
    "journal_recovery_read_bytes_3000",
    "journal_wear_spread_erases",
    "journal_records_per_mib",
    "keyring_erases_per_1000",
    "keyring_bytes_per_payment",
)


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    """Instructions of a payment."""
    if interpreter.micropython32() is None or shutil.which("valgrind") is None:
        pytest.skip("no 32-bit MicroPython here (MICROPYTHON32), or no valgrind")
    return stores.accept()


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    """Every figure of our stores on a machine without a 32-bit MicroPython and valgrind: those counted in flash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores.micropython32, "find", lambda: None)
        patch.setattr(stores.instructions, "available", lambda: False)
        return stores.journal() | stores.keyring()


def test_a_modelled_figure_tells_both_its_parts() -> None:
    told = model.parts("pay", model.flash_ms(programs=2, erases=1), instructions=240_000)
    assert told == {"pay_ms": 46.4, "pay_cpu_ms": 2.0, "pay_total_ms": 48.4}
    assert model.parts("pay", 1.4, None) == {"pay_ms": 1.4}


def test_the_worst_payment_is_the_slowest_one() -> None:
    """Neither the one with the most programs nor, where programs weigh more, the one with the most erases."""
    told = {"pays": [[0, 9, 5], [1, 2, 1], [0, 80, 1]], "programs": 0, "bytes": 0, "erases": 1}
    assert costs.worst_ms(told) == pytest.approx(56)
    assert costs.starved(told) == 1 and costs.paid(told) == 7


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("journal_worst_pay_ms", "ms"),
        ("heap_demo_kib", "KiB"),
        ("keyring_bytes_per_payment", "B"),
        ("tap_apdus_qvsdc", "APDUs"),
        ("fat_records_per_mib", "records"),
        ("journal_lifetime_payments", "payments"),
    ],
)
def test_units_follow_from_names(name: str, unit: str) -> None:
    assert figures.unit(name) == unit


def test_a_name_without_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        figures.unit("nothing")


def test_a_budget_is_broken_by_a_hair() -> None:
    assert figures.holds("journal_worst_pay_ms", 1.4) and not figures.holds("journal_worst_pay_ms", 1.401)
    assert figures.holds("journal_records_per_mib", 3700) and not figures.holds("journal_records_per_mib", 3699)
    assert figures.holds("journal_lifetime_payments", 1)


@pytest.mark.parametrize("name", IN_FLASH)
def test_the_budget_holds(measured: dict[str, float], name: str) -> None:
    assert figures.holds(name, measured[name]), f"{name} is {measured[name]}, budget {figures.budget(name)}"


def test_what_needs_other_tools_is_left_out(measured: dict[str, float]) -> None:
    assert set(IN_FLASH) < set(measured)
    assert not [name for name in measured if "heap" in name or "instructions" in name or "cpu" in name]


def test_a_till_that_is_never_idle_lets_few_customers_wait(measured: dict[str, float]) -> None:
    """The control: its erases are seen on the pay path, and there are no more of them than otherwise."""
    assert 0 < measured["journal_starved_pays_per_1000"] <= measured["journal_erases_per_1000"] + 1
    assert measured["journal_worst_pay_starved_ms"] > 45


def test_a_window_of_answers_costs_one_mark(measured: dict[str, float]) -> None:
    """A record and a sixty-fourth of a mark, and a header for fifteen records; batches are closed too."""
    assert measured["journal_programs_per_payment_watermark"] <= 1 + 1 / 64 + 1 / 15 + 4 / 500


def test_all_that_waits_is_found_at_boot() -> None:
    assert ask("journal_boot.py", "read", "300")["records"] == 300


@pytest.mark.parametrize("name", ["littlefs", "littlefs_tuned", "fat", "json"])
def test_a_rival_does_the_same_work_on_the_same_chip(name: str) -> None:
    told = ask("rivals.py", name, "trade", "50")
    assert costs.paid(told) == 50 and told["bytes"] >= 256 * 50 and told["erases"] > 0
    read = ask("rivals.py", name, "read", "50")
    assert read["records"] == 50 and read["recovery"] >= read["ready"] > 0


def test_unsettled_payments_cost_no_heap() -> None:
    micropython = interpreter.micropython32()
    if micropython is None:
        pytest.skip("no 32-bit MicroPython here (MICROPYTHON32)")
    told = stores.heap(micropython)
    assert told["journal_heap_0_kib"] > 0
    assert figures.holds("journal_heap_3000_kib", told["journal_heap_3000_kib"])


@pytest.mark.parametrize("name", ["journal_accept_instructions", "journal_accept_cold_instructions"])
def test_a_payment_takes_few_instructions(counted: dict[str, float], name: str) -> None:
    assert figures.holds(name, counted[name]), f"{name} is {counted[name]}, budget {figures.budget(name)}"


def test_boot_reads_no_more_however_much_waits(measured: dict[str, float]) -> None:
    assert measured["journal_ready_read_bytes_3000"] <= measured["journal_ready_read_bytes_0"] + 1024
