# SPDX-License-Identifier: MIT
"""The bench figures: each is counted correctly and has a unit; the journal and the keyring keep their budgets."""

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
    """The instruction counts of a payment."""
    if interpreter.micropython32() is None or shutil.which("valgrind") is None:
        pytest.skip("no 32-bit MicroPython here (MICROPYTHON32), or no valgrind")
    return stores.accept()


@pytest.fixture(scope="module")
def measured() -> dict[str, float]:
    """The figures of our stores on a machine without 32-bit MicroPython and valgrind: only those counted in flash."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stores.micropython32, "find", lambda: None)
        patch.setattr(stores.instructions, "available", lambda: False)
        return stores.journal() | stores.keyring()


def test_a_modelled_figure_has_a_flash_and_a_cpu_part() -> None:
    result = model.parts("pay", model.flash_ms(programs=2, erases=1), instructions=240_000)
    assert result == {"pay_ms": 46.4, "pay_cpu_ms": 2.0, "pay_total_ms": 48.4}
    assert model.parts("pay", 1.4, None) == {"pay_ms": 1.4}


def test_the_worst_payment_is_the_slowest_one() -> None:
    """It is not the one with the most programs; nor, if programs cost more, the one with the most erases."""
    result = {"pays": [[0, 9, 5], [1, 2, 1], [0, 80, 1]], "programs": 0, "bytes": 0, "erases": 1}
    assert costs.worst_ms(result) == pytest.approx(56)
    assert costs.starved(result) == 1 and costs.paid(result) == 7


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
def test_a_unit_follows_from_the_name(name: str, unit: str) -> None:
    assert figures.unit(name) == unit


def test_a_name_without_a_unit_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing"):
        figures.unit("nothing")


def test_a_budget_is_broken_by_the_smallest_excess() -> None:
    assert figures.holds("journal_worst_pay_ms", 1.4) and not figures.holds("journal_worst_pay_ms", 1.401)
    assert figures.holds("journal_records_per_mib", 3700) and not figures.holds("journal_records_per_mib", 3699)
    assert figures.holds("journal_lifetime_payments", 1)


@pytest.mark.parametrize("name", IN_FLASH)
def test_a_figure_is_within_its_budget(measured: dict[str, float], name: str) -> None:
    assert figures.holds(name, measured[name]), f"{name} is {measured[name]}, budget {figures.budget(name)}"


def test_figures_that_need_other_tools_are_left_out(measured: dict[str, float]) -> None:
    assert set(IN_FLASH) < set(measured)
    assert not [name for name in measured if "heap" in name or "instructions" in name or "cpu" in name]


def test_on_a_till_that_is_never_idle_few_payments_wait_for_an_erase(measured: dict[str, float]) -> None:
    """Control test: erases now occur on the payment path, but no more of them than otherwise."""
    assert 0 < measured["journal_starved_pays_per_1000"] <= measured["journal_erases_per_1000"] + 1
    assert measured["journal_worst_pay_starved_ms"] > 45


def test_a_window_of_answers_takes_one_mark(measured: dict[str, float]) -> None:
    """Programs per payment: one record, 1/64 mark, 1/15 sector header, and the marks of batch closes."""
    assert measured["journal_programs_per_payment_watermark"] <= 1 + 1 / 64 + 1 / 15 + 4 / 500


def test_all_pending_payments_are_found_at_boot() -> None:
    assert ask("journal_boot.py", "read", "300")["records"] == 300


@pytest.mark.parametrize("name", ["littlefs", "littlefs_tuned", "fat", "json"])
def test_another_store_does_the_same_work_on_the_same_chip(name: str) -> None:
    result = ask("rivals.py", name, "trade", "50")
    assert costs.paid(result) == 50 and result["bytes"] >= 256 * 50 and result["erases"] > 0
    read = ask("rivals.py", name, "read", "50")
    assert read["records"] == 50 and read["recovery"] >= read["ready"] > 0


def test_the_heap_for_unsettled_payments_is_within_its_budget() -> None:
    micropython = interpreter.micropython32()
    if micropython is None:
        pytest.skip("no 32-bit MicroPython here (MICROPYTHON32)")
    result = stores.heap(micropython)
    assert result["journal_heap_0_kib"] > 0
    assert figures.holds("journal_heap_3000_kib", result["journal_heap_3000_kib"])


@pytest.mark.parametrize("name", ["journal_accept_instructions", "journal_accept_cold_instructions"])
def test_the_instructions_of_a_payment_are_within_their_budget(counted: dict[str, float], name: str) -> None:
    assert figures.holds(name, counted[name]), f"{name} is {counted[name]}, budget {figures.budget(name)}"


def test_the_bytes_read_at_boot_do_not_grow_with_pending_payments(measured: dict[str, float]) -> None:
    assert measured["journal_ready_read_bytes_3000"] <= measured["journal_ready_read_bytes_0"] + 1024
