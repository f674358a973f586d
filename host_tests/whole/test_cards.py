# SPDX-License-Identifier: MIT
"""Bad cards and failing readers at the whole terminal: nothing is charged, and the screen says what to do."""

import random

import pytest

from tools.cards import catalogue

_REFUSED = {
    "declines": "Declined",
    "approves": "Declined",
    "forged": "Declined",
    "expired": "Declined",
}


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_card_removed_at_any_apdu_pays_nothing_and_another_can_pay(cashier, at: int) -> None:
    cashier.offer(600, f"torn{at}")
    cashier.world.wait(lambda: cashier.sees("once more") or cashier.sees("Cancelled"), "a hint", 30)
    cashier.world.remove()
    cashier.world.run_for(500)
    if cashier.sees("once more"):
        cashier.world.place(cashier.card("amber"))
        cashier.world.wait_screen("Approved", 30)
        cashier.world.remove()
        cashier.home()
        assert cashier.agree() == 600
    else:
        cashier.home()
        assert cashier.agree() == 0


@pytest.mark.parametrize("name", sorted(_REFUSED))
def test_a_card_that_must_not_pay_is_declined(cashier, name: str) -> None:
    cashier.offer(600, name)
    cashier.world.wait_screen(_REFUSED[name], 30)
    cashier.world.remove()
    cashier.home()
    assert cashier.agree() == 0


@pytest.mark.parametrize("name", sorted(entry.name for entry in catalogue.CATALOGUE.values() if not entry.good))
def test_every_bad_card_ends_in_bounded_time_and_loses_no_money(cashier, name: str) -> None:
    cashier.offer(600, name)
    cashier.world.wait(
        lambda: any(cashier.sees(word) for word in ("Approved", "Declined", "Cancelled", "Not taken", "once more", "another",
                                                    "cannot", "single", "readable")),
        "a result", 60,
    )  # fmt: skip
    cashier.world.remove()
    if cashier.sees("C Cancel"):
        cashier.world.press("C")
    cashier.home()
    assert cashier.agree() in (0, 600)
    cashier.sell(100, "jade")
    assert cashier.agree() in (100, 700)


@pytest.mark.parametrize("fault", ["silent", "garbage"])
def test_a_reader_that_is_silent_or_sends_garbage_is_reported(cashier, fault: str) -> None:
    faults = cashier.world.chips.reader_link.faults
    if fault == "silent":
        faults.silent = True
    else:
        faults.garbage = random.Random(1)
    cashier.world.press("600E")
    cashier.world.wait_screen("eader does not answer", 60)
    cashier.home()
    assert cashier.journal().records == {}
