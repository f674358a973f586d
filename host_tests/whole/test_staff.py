# SPDX-License-Identifier: MIT
"""Staff: logging in, roles, codes, shifts and the lock, as a cashier, a supervisor and an administrator meet them."""

from __future__ import annotations

from collections.abc import Callable

from host_tests.harness.host.desk import rows
from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.staff import CODES, log_in, log_out, permit
from tools.host.page.queries import staff
from tools.host.tables import staff_acts


def test_a_cashier_logs_in_sells_and_hands_over_with_a_payment_waiting(shop: Cashier) -> None:
    shop.world.press("1250E")
    assert not shop.sees("Present card")
    shop.page("No operator 12")
    shop.world.press("E")
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.go_offline()
    shop.sell(700, "amber", "Accepted")
    shop.menu("shift")
    said = " ".join(shop.page("Hand over the till?"))
    assert "Operator 01" in said and "1 to send, ¥7.00" in said and "They stay here" in said
    shop.world.press("E")
    said = " ".join(shop.page("Log in"))
    assert "¥7.00" in said
    log_in(shop, 90)
    shop.page("Type the amount")
    shop.drain()
    assert shop.ledger() == [(700, "APPROVED")]


def test_what_a_cashier_may_not_do_a_supervisor_permits_by_number_and_code(shop: Cashier) -> None:
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.refund_of("cash", 900)
    permit(shop, "Supervisor code", 90)
    shop.page("Cash returned")
    shop.home()
    log_out(shop)
    log_in(shop, 90)
    shop.page("Type the amount")
    shop.refund_of("cash", 800)
    shop.page("Cash returned")


def test_wrong_codes_pause_then_lock_and_no_power_cut_gives_more_tries(shop: Cashier) -> None:
    for tried in range(10):
        shop.type_in("Log in", "1")
        if tried >= 5:
            shop.page("Wait")
            shop.world.run_for((30 << tried - 5) * 1000 + 2000, 120)
        shop.type_in("Code of operator 01", "1111")
        shop.page("Wrong code") if tried < 4 else shop.drawn()
        if tried < 9:
            shop.world.power_off()
            shop.world.power_on()
            shop.page("Log in")
    shop.page("Code locked")
    shop.world.press("E")
    shop.world.power_off()
    shop.world.power_on()
    shop.type_in("Log in", "1")
    shop.page("Code locked")
    shop.world.press("E")
    log_in(shop, 90)
    shop.page("Type the amount")
    shop.menu("reset_cashier")
    shop.type_in("Reset a cashier's code", "1")
    shop.type_in("New code", "2580")
    shop.type_in("New code once more", "2580")
    shop.page("New code for operator 01")
    shop.world.press("E")
    log_out(shop)
    log_in(shop, 1, "2580")
    shop.page("Type the amount")


def test_a_new_terminal_asks_for_an_administrators_code_and_then_for_log_ins_once_there_is_a_cashier(
    make_cashier: Callable[..., Cashier],
) -> None:
    new = make_cashier(unstaffed=True)
    new.world.power_on()
    new.page("No administrator")
    new.world.press("C12E")
    new.page("No administrator")
    new.world.press("E")
    new.type_in("New code", "123456")
    new.type_in("New code once more", "123456")
    new.page("Too easy")
    new.world.press(CODES[99] + "E")
    new.type_in("New code once more", "111111")
    new.page("The two differ")
    new.world.press(CODES[99] + "E")
    new.type_in("New code once more", CODES[99])
    new.page("Administrator is operator 99")
    new.world.press("E")
    new.page("Type the amount")
    new.menu("add_operator")
    new.type_in("Administrator code", CODES[99])
    new.type_in("Add an operator", "7")
    new.page("Role of operator 07")
    new.world.press("1")
    new.type_in("New code", "5086")
    new.type_in("New code once more", "5086")
    new.page("Operator 07 added")
    new.world.press("E")
    new.page("Log in")
    log_in(new, 7, "5086")
    new.page("Type the amount")


def acts(cashier: Cashier) -> list[tuple[str, int, int, int, int]]:
    """(act, operator, allowed by, about, newest payment) at the host, in the order of the log."""
    found = rows(cashier.host, "SELECT act, operator, allowed_by, about, sequence FROM staff_act ORDER BY serial")
    return [(staff_acts.ACTS[act], *rest) for act, *rest in found]


def test_every_act_reaches_the_host_once_whatever_the_network_and_the_power_do(shop: Cashier) -> None:
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.sell(1250)
    for _ in range(90):  # seconds: they are sent once the till has rested for a minute; after five it would log out
        shop.world.run_for(1000)
    assert len(acts(shop)) == 1 and shop.sees("Type the amount"), shop.drawn()
    shop.go_offline()
    shop.home()
    shop.sell(700, "amber", "Accepted")
    shop.refund_of("cash", 900)
    permit(shop, "Supervisor code", 90)
    shop.page("Cash returned")
    shop.home()
    shop.world.power_off()
    shop.world.power_on()
    while not shop.sees("Log in"):  # first: how the last payment ended
        shop.world.run_for(500)
        shop.world.press("C")
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.menu("shift")
    shop.agree_to("Hand over the till?")
    shop.page("Log in")
    shop.world.radio.state = "on"
    shop.world.wait(lambda: len(acts(shop)) == 4, "the acts", 120)
    assert acts(shop) == [
        ("log_in", 1, 1, 0, 0), ("refund", 1, 90, 0, 2), ("log_in", 1, 1, 0, 3), ("shift", 1, 1, 0, 3),
    ]  # fmt: skip
    with shop.host.ledger.read() as db:
        found = staff.acts(db, "KASSA001")
        (shift,) = staff.shifts(db, "KASSA001", found)
    assert (shift.operator, shift.payments, shift.worth) == (1, 3, 1250 + 700 - 900)
    assert shift.ended is not None


def test_acts_that_wait_are_not_sent_beside_a_card(shop: Cashier) -> None:
    """A small chip has no memory for both."""
    shop.world.radio.state = "off"
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.world.run_for(90_000)  # they are to be sent once the till has rested for a minute
    shop.world.press("700E")
    shop.world.wait_screen("Present card")
    shop.world.radio.state = "on"
    shop.world.wait_screen("Online", 60)
    shop.world.run_for(10_000)
    assert acts(shop) == [] and shop.sees("Present card"), shop.drawn()
    shop.world.press("C")
    shop.home()
    shop.world.wait(lambda: len(acts(shop)) == 1, "the act", 120)


def test_who_allowed_the_first_code_and_the_list_of_operators_is_in_the_log(cashier: Cashier) -> None:
    cashier.menu("operators")
    cashier.supervise()
    cashier.page("90")
    cashier.world.press("C")
    cashier.page("Type the amount")
    cashier.menu("add_operator")
    cashier.supervise()
    cashier.agree_to("No administrator has a code yet")
    cashier.type_in("New code", CODES[99])
    cashier.type_in("New code once more", CODES[99])
    cashier.page("Administrator is operator 99")
    cashier.world.press("E")
    cashier.page("Add an operator")
    cashier.world.press("C")
    cashier.page("Type the amount")
    cashier.world.wait(lambda: len(acts(cashier)) == 2, "the acts", 120)
    assert acts(cashier) == [("operators", 100, 90, 0, 0), ("first_code", 100, 90, 99, 0)]
