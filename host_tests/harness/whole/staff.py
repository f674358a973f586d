# SPDX-License-Identifier: MIT
"""Staff at a terminal with English screens: who they are, how they log in, and who permits."""

from host_tests.harness.whole.cashier import Cashier
from tools.cashier import HOME
from tools.provision.device import Operator

CODES = {1: "5086", 90: "246813", 99: "864209"}
STAFF = (Operator(1, "c", CODES[1]), Operator(99, "a", CODES[99]))  # 90 has the supervisor code
NUMBERS = {"c": 1, "s": 90, "a": 99}  # role -> who has it


def log_in(cashier: Cashier, number: int, code: str = "") -> None:
    """Number and code, from the log-in page."""
    cashier.type_in("Log in", str(number))
    cashier.type_in(f"Code of operator {number:02}", code or CODES[number])


def log_out(cashier: Cashier) -> None:
    """From the home page to the log-in page."""
    cashier.menu("log_out")
    cashier.agree_to("Log out?")
    cashier.page("Log in")


def permit(cashier: Cashier, title: str, number: int) -> None:
    """Somebody who may allows it: number and code."""
    cashier.type_in(title, str(number))
    cashier.world.wait_screen("6 digits")
    cashier.world.press(CODES[number] + "E")


def cancel_to_home(cashier: Cashier) -> None:
    """Leave every page by Cancel, or by OK where there is no Cancel, until the home page is shown."""
    for _ in range(60):
        if cashier.sees(HOME):
            cashier.drawn()
            return
        cashier.world.press("E" if cashier.sees("E OK") and not cashier.sees("C Cancel") else "C")
        cashier.world.run_for(1000)
    raise AssertionError(f"no home page: {cashier.drawn()}")
