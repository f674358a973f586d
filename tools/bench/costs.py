# SPDX-License-Identifier: MIT
"""Figures of a store from the counts of its script (inside/tally.py): the same for our journal and its rivals."""

from typing import Any

from tools.bench import model


def costs(name: str, counted: dict[str, Any]) -> dict[str, float]:
    """Programs, bytes and erases per payment, on the pay path and in total, and the flash time of the worst payment."""
    payments = paid(counted)
    return {
        f"{name}_programs_per_accept": sum(programs * count for _, programs, count in counted["pays"]) / payments,
        f"{name}_programs_per_payment": counted["programs"] / payments,
        f"{name}_erases_on_pay_path": sum(erases * count for erases, _, count in counted["pays"]) * 1000 / payments,
        f"{name}_bytes_per_payment": counted["bytes"] / payments,
        f"{name}_erases_per_1000": counted["erases"] * 1000 / payments,
        f"{name}_worst_pay_ms": worst_ms(counted),
    }


def paid(counted: dict[str, Any]) -> int:
    """Number of payments counted."""
    return sum(count for _, _, count in counted["pays"])


def starved(counted: dict[str, Any]) -> int:
    """Number of payments that waited for an erase."""
    return sum(count for erases, _, count in counted["pays"] if erases)


def worst_ms(counted: dict[str, Any]) -> float:
    """Flash time of the worst payment."""
    return max(model.flash_ms(programs, erases) for erases, programs, _ in counted["pays"])
