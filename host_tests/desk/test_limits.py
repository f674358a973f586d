# SPDX-License-Identifier: MIT
"""Offline limits: each limit at its exact boundary, its refusal, and the amount, count or hours left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from host_tests.harness.uplink.till import ANY, NOON_SECONDS, Till, TinyHost, track
from tools.host.tables.terminal_settings import OfflineLimits

HOUR = 3600


@pytest.mark.parametrize("amount, refusal", [(0, "amount_zero"), (-1, "amount_zero"), (5_000_001, "amount_over")])
def test_a_zero_negative_or_too_large_amount_is_refused(till: Till, amount: int, refusal: str) -> None:
    assert till.check(amount)[0] == refusal
    assert till.check(5_000_000) is None and till.check(1) is None
    assert till.check(10**12)[0] == "amount_over" and till.check(999_999_999_999)[1] == ["¥50,000.00"]


def test_without_limits_no_payment_is_accepted_offline(till: Till) -> None:
    till.boot(limits=None)
    assert till.sell(100, track(1)) == ["limit_off", []] and till.state()["sequence"] == 0


def test_a_payment_above_the_limit_per_payment_is_refused(till: Till) -> None:
    till.boot(limits=replace(ANY, payment=12_345))
    assert till.check(12_346) == ["limit_one", ["¥123.45"]]
    assert till.sell(12_345, track(1)) == 1


def test_the_refusal_of_the_total_limit_shows_the_amount_left(till: Till) -> None:
    till.boot(limits=replace(ANY, total=10_000))
    assert till.sell(6_000, track(1)) == 1
    assert till.check(4_001) == ["limit_sum", ["¥40.00", "¥100.00"]]
    assert till.sell(4_000, track(2)) == 2
    assert till.check(1) == ["limit_sum", ["¥0.00", "¥100.00"]]


def test_a_payment_above_the_count_limit_is_refused(till: Till) -> None:
    till.boot(limits=replace(ANY, count=3))
    assert [till.sell(100, track(card)) for card in range(3)] == [1, 2, 3]
    assert till.check(100) == ["limit_count", [0, 3]]


def test_a_payment_too_long_after_the_last_host_contact_is_refused(till: Till) -> None:
    till.boot(limits=replace(ANY, heard_hours=24))
    till.clock(NOON_SECONDS + 24 * HOUR, True)
    assert till.check(100) is None
    till.clock(NOON_SECONDS + 24 * HOUR + 1, True)
    assert till.check(100) == ["limit_heard", [24, 24]]


def test_no_payment_is_accepted_offline_before_the_first_host_contact(till: Till) -> None:
    assert till.restart(heard=False)["heard"] == NOON_SECONDS
    fresh = Till(till.inside, till.path.with_name("fresh.bin"))
    fresh.boot(heard=False)
    assert fresh.check(100) == ["limit_never", []]


def test_a_payment_too_long_after_the_first_unsent_one_is_refused(till: Till) -> None:
    till.boot(limits=replace(ANY, unsent_hours=2))
    assert till.sell(100, track(1)) == 1
    till.clock(NOON_SECONDS + HOUR, True)
    assert till.sell(100, track(2)) == 2
    till.clock(NOON_SECONDS + 2 * HOUR, True)
    assert till.check(100) is None
    till.clock(NOON_SECONDS + 2 * HOUR + 1, True)
    assert till.check(100) == ["limit_first", [2, 2]]


def test_the_hours_restart_when_every_payment_is_answered(till: Till) -> None:
    limits = replace(ANY, unsent_hours=2)
    till.boot(limits=limits)
    till.sells(2)
    host = TinyHost(till)
    host.connect()
    host.settle(lambda request: "51" if request.record.sequence == 2 else "00")
    assert till.state()["oldest"] == 0
    till.clock(NOON_SECONDS + 9 * HOUR, True)
    assert till.sell(100, track(1)) == 3 and till.state()["oldest"] == NOON_SECONDS + 9 * HOUR
    assert till.restart(limits=limits, time=NOON_SECONDS + 9 * HOUR)["oldest"] == NOON_SECONDS + 9 * HOUR


def test_limits_continue_after_a_restart(till: Till) -> None:
    limits = replace(ANY, count=4, total=1_000, unsent_hours=5)
    till.boot(limits=limits)
    till.sells(2, 400)
    state = till.restart(limits=limits)
    assert (state["count"], state["sum"], state["oldest"]) == (2, 801, NOON_SECONDS)
    assert till.check(200) == ["limit_sum", ["¥1.99", "¥10.00"]]
    till.clock(NOON_SECONDS + 5 * HOUR + 1, True)
    assert till.check(100) == ["limit_first", [5, 5]]


def test_an_untrusted_clock_needs_the_merchant_s_permission(till: Till) -> None:
    """The payment is deferred only if the merchant allows it. Hours still count, from the stored time floor."""
    till.boot(limits=replace(ANY, untrusted_clock=False), trusted=False)
    assert till.check(100) == ["limit_clock", []]
    till.clock(NOON_SECONDS, True)
    assert till.check(100) is None
    till.boot(limits=replace(ANY, untrusted_clock=True, heard_hours=1), trusted=False)
    assert till.sell(100, track(1)) == 1
    assert till.record(1)[106:108] == "00", "the record says that the clock was not trusted"
    till.clock(NOON_SECONDS + HOUR + 1, False)
    assert till.check(100) == ["limit_heard", [1, 1]]


def test_one_card_may_pay_only_so_often_until_the_host_has_answered(till: Till) -> None:
    till.boot(limits=replace(ANY, per_card=2))
    assert [till.sell(100, track(1)) for _ in range(2)] == [1, 2]
    assert till.sell(100, track(1)) == ["limit_card", []]
    assert till.sell(100, track(2)) == 3
    other_end = track(1)[:-4] + "9999"  # same card: only the digits before the separator count
    assert till.sell(100, other_end) == ["limit_card", []]
    till.heard()
    assert till.sell(100, track(1)) == ["limit_card", []], "payments are still pending"
    host = TinyHost(till)
    host.connect()
    host.settle()
    till.heard()
    assert till.sell(100, track(1)) == 4


def test_as_many_cards_are_remembered_as_payments_may_be_pending(till: Till) -> None:
    till.boot(limits=replace(ANY, count=90, per_card=1))
    assert [till.sell(100, track(card)) for card in range(80)] == list(range(1, 81))
    assert till.sell(100, track(0)) == ["limit_card", []]
    assert till.sell(100, track(1000)) == 81


def test_after_a_restart_with_pending_payments_a_supervisor_is_needed(till: Till) -> None:
    assert till.restart()["supervisor"] is False
    till.sells(2)
    assert till.state()["supervisor"] is False
    assert till.restart()["supervisor"] is True
    assert till.sell(100, track(9), True) == 3
    assert till.record(3)[106:108] == "03", "trusted clock, allowed by a supervisor"
    till.heard()
    assert till.state()["supervisor"] is False


def test_no_online_sale_is_allowed_while_a_reversal_is_unanswered(till: Till) -> None:
    assert till.allowed_online()
    till.intent(500, track(1))
    till.open()
    till.restart()
    assert not till.allowed_online()


def test_default_limits_are_packed_as_expected(till: Till) -> None:
    assert OfflineLimits().pack().hex() == "0000000186a000000007a1200064001800180301"
