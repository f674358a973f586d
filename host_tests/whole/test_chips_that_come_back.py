# SPDX-License-Identifier: MIT
"""A chip that fails for a while, or is late at power-on, is set up again without a restart of the terminal."""

from collections.abc import Callable

from host_tests.harness.whole.cashier import Cashier

NO_READER = "Card reader does not answer"
_IDLE_MS = 65_000  # the home page checks the chips once a minute


def test_a_reader_that_lost_its_setup_reads_the_next_card(cashier: Cashier) -> None:
    for _ in range(2):
        cashier.world.chips.reader.power_on()  # a brown-out of this chip alone
        cashier.sell(700)
    assert cashier.agree() == 1400


def test_a_reader_that_is_late_at_power_on_is_found(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier()
    cashier.world.chips.reader_link.faults.silent = True
    cashier.world.power_on()
    cashier.world.wait_screen(NO_READER, 30)
    cashier.home()
    assert cashier.sees(NO_READER)
    cashier.world.chips.reader_link.faults.silent = False
    cashier.world.run_for(_IDLE_MS)
    assert not cashier.sees(NO_READER)
    cashier.sell(700)


def test_a_missing_reader_is_shown_on_the_home_page_and_used_again_by_the_next_sale(cashier: Cashier) -> None:
    faults = cashier.world.chips.reader_link.faults
    faults.silent = True
    cashier.world.press("700E")
    assert any(NO_READER in line for line in cashier.page("Not taken"))
    cashier.home()
    assert cashier.sees(NO_READER)
    faults.silent = False
    cashier.sell(700)
    assert not cashier.sees(NO_READER)


def test_a_reader_lost_while_idle_is_shown_within_a_minute(cashier: Cashier) -> None:
    cashier.world.chips.reader_link.faults.silent = True
    cashier.world.run_for(_IDLE_MS)
    cashier.world.wait_screen(NO_READER)


def test_a_display_that_lost_its_power_shows_the_home_page_again(cashier: Cashier) -> None:
    before = cashier.drawn()
    cashier.world.chips.power_off()  # the display goes dark and loses its content
    assert cashier.world.screen_text() == []
    cashier.world.run_for(_IDLE_MS)
    assert cashier.drawn()[1:] == before[1:]  # but for the time in the top bar
