# SPDX-License-Identifier: MIT
"""Every wait says how long it may still take, and C ends it, unless money is in flight: then the page says so."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.host.tables.terminal_settings import OfflineApproval

IN_FLIGHT = "it cannot be cancelled now"
TEARS = ("none", "half")
OPEN = {"prepared", "voided", "reversing"}  # a record whose end the host does not know yet


def payments_sent(cashier: Cashier) -> int:
    """How many payments with an answer the host has sent, reversals included."""
    return sum(cashier.host.counters.get(f"answer_{mti}", 0) for mti in ("0210", "0110", "0410"))


def answered(cashier: Cashier, text: str) -> None:
    """Wait for the page with this text in real time: the host is late in real time, so ticks must not jump."""
    end = time.monotonic() + 30
    while not cashier.sees(text) and time.monotonic() < end:
        time.sleep(0.05)
    cashier.page(text)


def unreachable(cashier: Cashier) -> None:
    """The network is there, but the host does not answer: nothing can be sent."""
    cashier.world.run_for(8000)  # the connection of the sign-on has ended
    cashier.world.radio.state = "half_open"


def seconds(lines: list[str]) -> int:
    """The seconds that the page names."""
    return next(int(line.split()[2]) for line in lines if line.startswith("At most"))


def test_a_payment_in_flight_cannot_be_cancelled_and_gets_its_one_answer(cashier: Cashier) -> None:
    cashier.host.mood = "late 3000"
    cashier.offer(1250)
    lines = cashier.page(IN_FLIGHT)
    assert "¥12.50" in lines and "The host may have taken it already" in lines
    assert IN_FLIGHT in lines[-1]  # in the place of a key
    first = seconds(lines)
    for _ in range(5):
        cashier.world.press("C")
        cashier.world.run_for(1000)
        assert cashier.sees(IN_FLIGHT)
    assert 4 <= first - seconds(cashier.world.screen_text()) <= 7
    answered(cashier, "Approved")
    cashier.world.remove()
    cashier.host.mood = "normal"
    cashier.home()
    cashier.world.run_for(30_000)
    assert cashier.ledger() == [(1250, "APPROVED")] and payments_sent(cashier) == 1
    assert cashier.agree() == 1250
    assert "¥12.50" in cashier.settle()


def test_a_payment_in_flight_without_an_answer_is_reversed_in_time_whatever_is_pressed(cashier: Cashier) -> None:
    cashier.host.mood = "mute"
    cashier.offer(1250)
    left = seconds(cashier.page(IN_FLIGHT))
    began = cashier.world.now
    cashier.world.press("CCC1C2C")
    cashier.page("reversal pending")
    assert cashier.world.now - began <= (left + 2) * 1000
    cashier.world.remove()
    cashier.home()
    cashier.host.mood = "normal"
    cashier.await_reversal()
    assert cashier.agree() == 0 and len(cashier.journal().records) == 1


def test_a_payment_that_was_not_sent_is_cancelled_at_once(cashier: Cashier) -> None:
    unreachable(cashier)
    cashier.offer(700)
    lines = cashier.page("Authorising")
    assert "C Cancel" in lines[-1] and 30 <= seconds(lines) <= 45
    cashier.world.press("C")
    lines = cashier.page("Not taken")
    assert "Cancelled" in lines and "Nothing was charged" in lines
    cashier.world.remove()
    cashier.home()
    cashier.world.radio.state = "on"
    cashier.sell(800, "amber")
    cashier.world.run_for(10_000)
    assert cashier.ledger() == [(800, "APPROVED")]
    assert "¥8.00" in cashier.settle()  # the chain has no gap: the host knows the void entry
    states = [cashier.journal().state(record) for record in cashier.journal().records.values()]
    assert states == ["reported", "settled"]


@pytest.mark.parametrize("moment", [0, 40, 80, 120, 160, 200, 260, 320, 400, 600])
def test_cancel_at_any_moment_ends_in_one_state_on_both_sides(cashier: Cashier, moment: int) -> None:
    cashier.world.run_for(8000)  # so that there is a handshake to be interrupted
    cashier.offer(700)
    cashier.world.wait_screen("Authorising", 30)
    cashier.world.run_for(moment)
    cashier.world.press("C")
    cashier.world.wait(lambda: cashier.sees("Approved") or cashier.sees("Not taken"), "the result", 60)
    approved = cashier.sees("Approved")
    assert approved or "Nothing was charged" in cashier.drawn()
    cashier.world.remove()
    cashier.home()
    cashier.world.run_for(20_000)
    assert cashier.agree() == (700 if approved else 0)
    cashier.sell(300, "amber")
    assert ("¥10.00" if approved else "¥3.00") in cashier.settle()


def test_the_test_of_the_host_is_left_by_cancel(cashier: Cashier) -> None:
    unreachable(cashier)
    cashier.menu("echo")
    lines = cashier.page("At most")
    assert "C Cancel" in lines[-1] and seconds(lines) <= 20
    cashier.world.press("C")
    cashier.page("Type the amount")
    cashier.world.radio.state = "on"
    cashier.sell(700)


def test_a_close_that_was_not_sent_is_cancelled_and_the_batch_stays_open(cashier: Cashier) -> None:
    cashier.sell(700)
    unreachable(cashier)
    cashier.menu("settle")
    cashier.agree_to("Settle the batch?")
    assert "C Cancel" in cashier.page("At most")[-1]
    cashier.world.press("C")
    cashier.page("Type the amount")
    assert not cashier.sees("settle again")
    cashier.world.radio.state = "on"
    cashier.sell(300, "amber")
    assert "¥10.00" in cashier.settle()


def test_a_close_in_flight_cannot_be_cancelled(cashier: Cashier) -> None:
    cashier.sell(700)
    cashier.host.mood = "late 3000"
    cashier.menu("settle")
    cashier.agree_to("Settle the batch?")
    lines = cashier.page(IN_FLIGHT)
    assert "The host may have closed it already" in lines and "¥7.00" in lines
    for _ in range(3):
        cashier.world.press("C")
        cashier.world.run_for(1000)
    answered(cashier, "Balanced")
    cashier.home()
    assert len(cashier.host.view()["batches"]) == 1


def test_the_page_that_asks_for_a_card_counts_down_its_last_seconds(cashier: Cashier) -> None:
    cashier.world.press("700E")
    cashier.page("Present card")
    cashier.world.run_for(20_000)
    assert not cashier.sees("At most")
    cashier.world.wait_screen("At most 25 s more", 30)
    cashier.world.place(cashier.card("jade"))
    cashier.page("Approved")
    cashier.world.remove()
    cashier.home()
    cashier.world.press("700E")
    cashier.world.wait_screen("At most 5 s more", 30)
    cashier.page("No card was presented")


def test_a_card_may_be_removed_while_its_proof_is_checked(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier(approval=OfflineApproval(target=0, most=0))  # none is picked for the host
    cashier.sign_on()
    cashier.go_offline()
    cashier.home()
    cashier.offer(700, "quartz")
    cashier.world.wait_screen("remove the card", 30)
    assert "C Cancel" in cashier.world.wait_screen("Checking", 30)[-1] or cashier.sees("Approved offline")
    cashier.world.remove()
    cashier.page("Approved offline")


def test_the_answer_to_a_test_that_was_left_is_not_taken_for_that_of_the_sign_off(cashier: Cashier) -> None:
    cashier.menu("echo")
    cashier.page("The host answers")
    cashier.host.mood = "late 6000"
    cashier.world.press("E")
    cashier.menu("echo")  # on the same connection
    cashier.page("At most")
    cashier.world.run_for(300)
    cashier.world.press("C")
    cashier.page("Type the amount")
    cashier.menu("sign_off")
    cashier.supervise()
    answered(cashier, "The host knows of it")
    assert [alarm["what"] for alarm in cashier.host.view()["alarms"]] == ["signed off"]


@pytest.mark.parametrize("sent", [False, True], ids=["cancelled before it was sent", "in flight"])
def test_a_power_cut_in_any_flash_operation_of_a_payment_that_is_cancelled_leaves_one_end(
    cashier: Cashier, sent: bool
) -> None:
    """The whole terminal and the host: what the screen said last, the records in flash and the ledger agree."""
    sold, ends, cuts = 0, set(), 0
    for operation, tear in itertools.product(range(1, 9), TEARS):
        if not sent:
            unreachable(cashier)
        cashier.world.run_for(5000)  # nothing else is written now
        before = len(cashier.journal().records)
        cashier.world.cut_at(operation, tear)
        said = cancelled(cashier, sent)
        cashier.world.radio.state = "on"
        until = cashier.world.now + 15_000  # then the host knows what happened
        cashier.world.wait(lambda until=until: not cashier.world.on or cashier.world.now >= until, "the cut", 60)
        cut = not cashier.world.on
        cashier.world.remove()
        cashier.back() if cut else cashier.world.cut_at(0)
        cashier.home()
        cashier.world.wait(lambda made=before: not set(states(cashier)[made:]) & OPEN, "the end", 60)
        made = states(cashier)[before:]
        ends.add("".join(made))
        assert said in ("", "Approved" if made == ["settled"] else "Not taken"), (operation, tear, made)
        cashier.sell(300, "amber")
        sold += 300 + 700 * (made == ["settled"])
        assert cashier.agree() == sold, (operation, tear, made)
        if not cut:  # there was no such operation any more
            break
        cuts += 1
    print(f"{cuts} cuts: {ends}")
    assert cuts in range(2 * len(TEARS), 8 * len(TEARS))
    assert ends == {"", "reversed", "settled" if sent else "reported"}
    assert f"¥{sold / 100:.2f}" in cashier.settle()


def states(cashier: Cashier) -> list[str]:
    """What became of each record of the journal, as an independent reader finds it in flash."""
    journal = cashier.journal()
    return [journal.state(record) for record in journal.records.values()]


def cancelled(cashier: Cashier, sent: bool) -> str:
    """Offer a payment and press C, at once or when it is in flight. Returns the result that was shown, if power was on."""
    cashier.offer(700)
    for texts in ((IN_FLIGHT if sent else "Authorising", "Approved"), ("Approved", "Not taken")):
        cashier.world.wait(lambda texts=texts: not cashier.world.on or any(map(cashier.sees, texts)), f"{texts}", 60)
        if cashier.world.on:
            cashier.world.press("C")
    return next((text for text in ("Approved", "Not taken") if cashier.sees(text)), "")
