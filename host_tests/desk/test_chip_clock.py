# SPDX-License-Identifier: MIT
"""The chip's clock (machine.RTC) is set forward at boot, never back, and by the host's time either way."""

import pytest
import ticks

from kassa.calendar import seconds

ticks.install()  # before the clock is imported

from kassa import clock  # noqa: E402

WAKES = (2000, 1, 1, 5, 0, 0, 0, 0)


class Rtc:
    def __init__(self, date: tuple = WAKES) -> None:
        self.date = date

    def datetime(self, date: tuple | None = None) -> tuple:
        self.date = date or self.date
        return self.date

    def at(self) -> tuple:
        return self.date[:3] + self.date[4:7]


def test_boot_sets_it_forward() -> None:
    rtc = Rtc()
    clock.wake_rtc(rtc, seconds(2026, 2, 28, 23, 59, 58))
    assert rtc.at() == (2026, 2, 28, 23, 59, 58)


def test_boot_never_sets_it_back() -> None:
    """After a restart without a power cut it still runs."""
    rtc = Rtc((2027, 1, 1, 4, 8, 0, 0, 0))
    clock.wake_rtc(rtc, seconds(2026, 12, 31, 0, 0, 0))
    assert rtc.at() == (2027, 1, 1, 8, 0, 0)


def test_no_date_at_all_is_replaced() -> None:
    rtc = Rtc((1970, 1, 1, 0, 0, 0, 0, 0))
    clock.wake_rtc(rtc, seconds(2026, 3, 1, 1, 2, 3))
    assert rtc.at() == (2026, 3, 1, 1, 2, 3)


def test_the_host_sets_it_also_back() -> None:
    rtc = Rtc((2030, 1, 1, 1, 0, 0, 0, 0))
    ours = clock.Clock(rtc)
    ours.advance_to(seconds(2031, 1, 1, 0, 0, 0))
    assert rtc.at() == (2030, 1, 1, 0, 0, 0)
    ours.trust(seconds(2026, 5, 6, 7, 8, 9))
    assert rtc.at() == (2026, 5, 6, 7, 8, 9)
    assert ours.trusted


@pytest.mark.parametrize(
    ("east", "utc"),
    [(8 * 3600, (2026, 5, 5, 23, 8, 9)), (-8 * 3600, (2026, 5, 6, 15, 8, 9)), (20700, (2026, 5, 6, 1, 23, 9))],
)
def test_the_host_sets_it_to_utc_and_money_keeps_local_time(east: int, utc: tuple) -> None:
    rtc = Rtc()
    ours = clock.Clock(rtc)
    ours.trust(seconds(2026, 5, 6, 7, 8, 9), east)
    assert rtc.at() == utc
    assert ours.now() == seconds(2026, 5, 6, 7, 8, 9)


def test_a_believed_time_is_not_moneys_time() -> None:
    rtc = Rtc()
    ours = clock.Clock(rtc)
    clock.wake_rtc(rtc, seconds(2026, 3, 1, 0, 0, 0))
    assert not ours.trusted
    assert ours.now() < 60
