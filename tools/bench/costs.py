# SPDX-License-Identifier: MIT
"""Figures of a store from what its script counted (inside/tally.py): ours and its rivals' are made here alike."""

from typing import Any

from tools.bench import model


def costs(name: str, told: dict[str, Any]) -> dict[str, float]:
    """Programs, bytes and erases for a payment, on its pay path and in all, and the flash time of the worst one."""
    payments = paid(told)
    return {
        f"{name}_programs_per_accept": sum(programs * count for _, programs, count in told["pays"]) / payments,
        f"{name}_programs_per_payment": told["programs"] / payments,
        f"{name}_erases_on_pay_path": sum(erases * count for erases, _, count in told["pays"]) * 1000 / payments,
        f"{name}_bytes_per_payment": told["bytes"] / payments,
        f"{name}_erases_per_1000": told["erases"] * 1000 / payments,
        f"{name}_worst_pay_ms": worst_ms(told),
    }


def paid(told: dict[str, Any]) -> int:
    """Payments counted."""
    return sum(count for _, _, count in told["pays"])


def starved(told: dict[str, Any]) -> int:
    """Payments that waited for an erase."""
    return sum(count for erases, _, count in told["pays"] if erases)


def worst_ms(told: dict[str, Any]) -> float:
    """Flash time of the worst payment."""
    return max(model.flash_ms(programs, erases) for erases, programs, _ in told["pays"])
