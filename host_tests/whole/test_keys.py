# SPDX-License-Identifier: MIT
"""Clumsy hands at the whole terminal: a key held, two keys at once, keys pressed while it starts."""

from __future__ import annotations

import pytest

from host_tests.harness.whole.cashier import Cashier

SHORT_MS, LONG_MS = 150, 8_000


def together(cashier: Cashier, keys: str, ms: int = SHORT_MS) -> None:
    """Press keys at the same moment, hold them, and let go of all."""
    for key in keys:
        cashier.world.hold(key)
    cashier.world.run_for(ms)
    for key in keys:
        cashier.world.release(key)
    cashier.world.run_for(SHORT_MS if ms >= SHORT_MS else ms)


def test_a_key_that_is_held_counts_once(cashier: Cashier) -> None:
    together(cashier, "7", LONG_MS)
    cashier.page("¥0.07")
    together(cashier, "E", LONG_MS)
    cashier.page("Present card")
    together(cashier, "C", LONG_MS)
    cashier.page("Cancelled")
    cashier.home()
    together(cashier, "M", LONG_MS)
    cashier.page("Take payment")
    together(cashier, "C", LONG_MS)
    cashier.page("Type the amount")
    assert cashier.ledger() == []


@pytest.mark.parametrize("pair", ["12", "15", "7E", "EC"])
def test_two_keys_at_once_are_one_key_or_none_and_the_next_counts(cashier: Cashier, pair: str) -> None:
    """The amount page: neither two digits nor a confirmed amount come of it, and no ghost."""
    cashier.world.press("3")
    cashier.page("¥0.03")
    together(cashier, pair)
    said = " ".join(cashier.drawn())
    assert any(amount in said for amount in ("¥0.03", *(f"¥0.3{key}" for key in pair if key.isdigit()))), said
    assert not cashier.sees("Present card")
    cashier.world.press("BBB")
    cashier.page("¥0.00")
    cashier.world.press("700E")
    cashier.page("Present card")
    assert cashier.sees("¥7.00")


@pytest.mark.parametrize("key", "EC5M")
def test_a_key_held_through_the_start_answers_no_page(cashier: Cashier, key: str) -> None:
    """How the last payment ended is still told."""
    cashier.sell(1250)
    cashier.world.power_off()
    cashier.world.hold(key)
    cashier.world.power_on()
    cashier.page("E Print")
    cashier.world.run_for(3_000)
    assert cashier.sees("Approved") and cashier.sees("¥12.50"), cashier.drawn()
    cashier.world.release(key)
    cashier.world.run_for(1_000)
    assert cashier.sees("Approved") and cashier.sees("¥12.50"), cashier.drawn()
    cashier.world.press("C")
    cashier.page("Type the amount")


def test_keys_pressed_while_it_starts_answer_no_page_and_sell_nothing(cashier: Cashier) -> None:
    cashier.sell(1250)
    printed = len(cashier.world.receipts)
    cashier.world.power_off()
    cashier.world.power_on()
    for key in "EC99EC" * 20:
        if cashier.sees("Approved"):
            break
        together(cashier, key, 20)
    cashier.page("E Print")
    cashier.world.run_for(5_000)
    assert cashier.sees("Approved") and cashier.sees("¥12.50"), cashier.drawn()
    cashier.world.press("C")
    cashier.page("Type the amount")
    assert len(cashier.world.receipts) == printed and len(cashier.ledger()) == 1
