# SPDX-License-Identifier: MIT
"""What a cashier hears: the tap, each outcome, and a display that does not answer at boot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import QUICK, Cashier


@pytest.fixture
def cashier(make_cashier: Callable[..., Cashier], tmp_path: Path) -> Cashier:
    """A cashier at a terminal with memory to spare, on its home page."""
    ready = make_cashier(source=another_board(tmp_path, "self.spare_memory = True"))
    ready.sign_on()
    return ready


def heard(cashier: Cashier, count: int) -> list[str]:
    """The beeps so far, once there are `count` of them and nothing follows."""
    cashier.world.wait(lambda: len(cashier.world.beeps) >= count, f"{count} beeps, heard {cashier.world.beeps}")
    cashier.world.run_for(1500)
    return cashier.world.beeps


def test_an_approved_sale_beeps_at_the_tap_and_once_short(cashier: Cashier) -> None:
    assert cashier.world.beeps == []  # a display that answers needs none
    cashier.sell(1250)
    assert heard(cashier, 2) == ["tap", "short"]
    assert cashier.agree() == 1250


def test_an_offline_sale_beeps_like_an_approved_one(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.sell(2000, "amber", "Accepted, to be authorised")
    assert heard(cashier, 2) == ["tap", "short"]


def test_a_decline_beeps_once_long(cashier: Cashier) -> None:
    cashier.host.mood = "decline"
    cashier.sell(1250, result="Declined")
    assert heard(cashier, 2) == ["tap", "long"]


def test_a_cancelled_sale_and_a_broken_reader_beep_three_times(cashier: Cashier) -> None:
    cashier.world.press("500E")
    cashier.page("Present card")
    cashier.world.press("C")
    cashier.page("Cancelled")
    assert heard(cashier, 1) == ["three"]
    cashier.home()
    cashier.world.chips.reader_link.faults.silent = True
    cashier.world.press("500E")
    cashier.page("Not taken")
    assert heard(cashier, 2) == ["three", "three"]


def test_a_display_that_does_not_answer_beeps_its_code_at_boot_and_the_till_sells(
    make_cashier: Callable[..., Cashier], tmp_path: Path
) -> None:
    cashier = make_cashier(source=another_board(tmp_path, "self.spare_memory = True"))
    cashier.world.chips.unplug_display()
    cashier.world.power_on()
    assert heard(cashier, 1) == ["display"]
    assert "kassa: the display does not answer" in cashier.world.console
    cashier.world.run_for(20000)  # it signs on by itself
    cashier.world.press("1250E")
    cashier.world.run_for(2000)
    cashier.world.place(cashier.card("jade"))
    assert heard(cashier, 3) == ["display", "tap", "short"]
    assert [amount for amount, state in cashier.ledger() if state == "APPROVED"] == [1250]


def another_board(folder: Path, change: str) -> Path:
    """A source for World whose board, once made, is changed: `change` is a statement about `self`."""
    board = f"class Changed(board.Board):\n    def __init__(self):\n        super().__init__()\n        {change}\n"
    main = f"import board\n{board}board.Board = Changed\n"
    (folder / "main.py").write_text(main + (QUICK / "main.py").read_text())
    return folder


def test_without_miso_nobody_can_tell_so_nothing_beeps(make_cashier: Callable[..., Cashier], tmp_path: Path) -> None:
    cashier = make_cashier(source=another_board(tmp_path, "self.display_miso = False"))
    cashier.world.chips.unplug_display()
    cashier.world.power_on()
    cashier.world.run_for(10000)
    assert cashier.world.on and cashier.world.beeps == [] and "does not answer" not in cashier.world.console


def test_a_board_without_a_buzzer_sells_in_silence(make_cashier: Callable[..., Cashier], tmp_path: Path) -> None:
    cashier = make_cashier(source=another_board(tmp_path, "self.spare_memory, self.buzzer = True, None"))
    cashier.sign_on()
    cashier.sell(1250)
    assert cashier.world.beeps == [] and cashier.agree() == 1250


def test_without_memory_to_spare_only_the_missing_display_is_heard(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier()
    cashier.sign_on()
    cashier.sell(1250)
    assert cashier.world.beeps == [] and cashier.agree() == 1250
    cashier.world.power_off()
    cashier.world.chips.unplug_display()
    cashier.world.power_on()
    assert heard(cashier, 1) == ["display"]
