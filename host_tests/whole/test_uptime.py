# SPDX-License-Identifier: MIT
"""A terminal that is never switched off. Its ticks wrap every 12.4 days; differences over 6.2 days change sign."""

from host_tests.harness.whole.cashier import Cashier

_HOUR = 3_600_000
_DAYS = range(3, 31, 3)
_MINUTE = 60_000


def days_pass(cashier: Cashier, days: float) -> None:
    """Let days pass in steps of half a day, each followed by time for the terminal to do its work."""
    for _ in range(round(days * 2)):
        cashier.world.leap(12 * _HOUR)
        cashier.world.run_for(3000)


def take_cash(cashier: Cashier, amount: int) -> None:
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", str(amount))
    cashier.type_in("Given by the customer", "2000")
    cashier.end("Paid in cash")


def is_sent_within_a_minute(cashier: Cashier) -> bool:
    begin = cashier.world.now
    cashier.world.wait(lambda: cashier.sees("All sent") or cashier.world.now > begin + _MINUTE, "the courier", 60)
    return cashier.sees("All sent")


def test_cash_is_sent_within_a_minute_all_month(cashier) -> None:
    """On a connection that never fails, so that no retry resets the timers."""
    for day in _DAYS:
        days_pass(cashier, 3)
        take_cash(cashier, 100 + day)
        assert is_sent_within_a_minute(cashier), f"day {day}"
    assert cashier.sees("Online")
    assert len(cashier.ledger()) == len(_DAYS)


def test_the_terminal_is_online_soon_after_a_week_without_a_network(cashier) -> None:
    """Once with nothing to send, and once with cash taken meanwhile, which is then sent."""
    for amount in (0, 500):
        cashier.go_offline()
        if amount:
            take_cash(cashier, amount)
        days_pass(cashier, 7)
        cashier.world.radio.state = "on"
        begin = cashier.world.now
        cashier.world.wait(lambda: cashier.sees("Online") or cashier.world.now > begin + _MINUTE, "the line", 60)  # noqa: B023
        assert cashier.sees("Online") and is_sent_within_a_minute(cashier)
    assert cashier.ledger() == [(500, "APPROVED")]


def test_cash_is_sent_soon_after_a_week_without_a_host(cashier) -> None:
    """Wi-Fi works meanwhile, and the terminal keeps trying."""
    cashier.world.run_for(8000)
    cashier.world.radio.state = "half_open"
    days_pass(cashier, 0.5)
    take_cash(cashier, 500)
    days_pass(cashier, 7)
    assert not cashier.sees("Online") and cashier.sees("1 to send")
    cashier.world.radio.state = "on"
    cashier.world.run_for(_MINUTE)  # the longest pause between two attempts
    assert is_sent_within_a_minute(cashier)
    assert cashier.ledger() == [(500, "APPROVED")]
