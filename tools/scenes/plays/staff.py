# SPDX-License-Identifier: MIT
"""A shop whose cashiers log in: their shifts, what a supervisor permits, and what an administrator does."""

from tools.provision.device import Operator
from tools.scenes.stage import Stage

CASHIER, SUPERVISOR, ADMINISTRATOR = (1, "5086"), (90, "246813"), (99, "864209")
TERMINAL = {"operators": (Operator(CASHIER[0], "c", CASHIER[1]), Operator(ADMINISTRATOR[0], "a", ADMINISTRATOR[1]))}
SIGNED_ON = False  # the first play powers on, to the page on which an operator logs in


def log_in(stage: Stage) -> None:
    """A cashier logs in"""
    stage.world.power_on()
    stage.network("on")
    stage.see("log-in", "log_in", "log_in_hint")
    stage.press("12E")
    stage.see("log-in-unknown", "no_operator")
    stage.press("E")
    stage.wait("log_in")
    stage.press("1E")
    stage.see("log-in-code", "operator_code")
    stage.press("1357E")
    stage.see("log-in-wrong", "operator_code", "code_wrong")
    stage.press("5086E")
    stage.wait("home_hint")


def own_code(stage: Stage) -> None:
    """A cashier changes their code"""
    stage.menu("own_code")
    stage.see("own-code-old", "code_old")
    stage.press("5086E")
    stage.see("own-code-new", "code_new")
    stage.press("1234E")
    stage.wait("code_again")
    stage.press("1234E")
    stage.see("own-code-easy", "code_new", "code_easy")
    stage.press("5087E")
    stage.see("own-code-again", "code_again")
    stage.press("5087E")
    stage.see("own-code-done", "own_code_done")


def permission(stage: Stage) -> None:
    """A supervisor permits what a cashier may not do"""
    stage.menu("refund")
    stage.wait("refund_how")
    stage.press("3")
    stage.wait("amount_refund")
    stage.press("900E")
    stage.see("permit-who", "code_title", "operator_hint")
    stage.press("90E")
    stage.see("permit-code", "code_title", "code_hint")
    stage.press("246813E")
    stage.wait("cash_returned")


def hand_over(stage: Stage) -> None:
    """The till is handed over while a payment waits"""
    stage.network("on")
    stage.network("off")
    stage.sell(700, "amber", "accepted")
    stage.menu("shift")
    stage.see("shift", "shift_ask", "operator_now", "shift_waiting")
    stage.press("E")
    stage.see("log-in-waiting", "log_in", "¥7.00")
    stage.log_in(*SUPERVISOR)
    stage.network("on")
    stage.menu("totals")
    stage.see("totals-of-operators", "totals", "sum_total", "operator_now")


def supervisor(stage: Stage) -> None:
    """What a supervisor does"""
    stage.menu("operators")
    stage.see("operators", "operators", "role_c", "role_s", "role_a")
    stage.home()
    stage.menu("reset_cashier")
    stage.see("reset-cashier", "reset_cashier", "operator_hint")
    stage.press("1E")
    stage.wait("code_new")
    stage.press("5086E")
    stage.wait("code_again")
    stage.press("5086E")
    stage.see("reset-cashier-done", "reset_cashier_done")
    stage.home()
    stage.menu("clear_reversal")
    stage.see("reversal-none", "clear_reversal", "reversal_none")
    stage.home()
    stage.menu("parameters")
    stage.see("parameters", "parameters", "par_largest")
    stage.home()
    stage.menu("new_batch")
    stage.see("new-batch", "settle_confirm")
    stage.press("C")
    stage.home()
    stage.menu("sign_off")
    stage.see("sign-off", "sign_off", "sign_off_ok")


def lock(stage: Stage) -> None:
    """The terminal is locked"""
    stage.menu("lock")
    stage.see("lock", "lock_ask", "lock_note")
    stage.press("E")
    stage.see("locked", "locked", "locked_hint")
    stage.press("1E")
    stage.see("locked-cashier", "locked", "locked_hint")
    stage.press("E")
    stage.wait("locked", "locked_hint")
    stage.press("90E")
    stage.wait("operator_code")
    stage.press("246813E")
    stage.wait("home_hint")
    stage.menu("log_out")
    stage.see("log-out", "log_out_ask", "operator_now")
    stage.press("E")
    stage.log_in(*ADMINISTRATOR)


def administrator(stage: Stage) -> None:
    """What an administrator does"""
    stage.menu("add_operator")
    stage.see("operator-number", "add_operator")
    stage.press("7E")
    stage.see("operator-role", "operator_role", "role_c")
    stage.press("1")
    stage.see("operator-code", "code_new")
    stage.press("2580E")
    stage.wait("code_again")
    stage.press("2580E")
    stage.see("operator-added", "add_operator_done")
    stage.home()
    stage.menu("reset_code")
    stage.wait("reset_code")
    stage.press("7E")
    stage.wait("code_new")
    stage.press("2581E")
    stage.wait("code_again")
    stage.press("2581E")
    stage.see("operator-reset", "reset_code_done")
    stage.home()
    stage.menu("remove_operator")
    stage.wait("remove_operator")
    stage.press("7E")
    stage.see("operator-remove", "remove_ask", "role_c")
    stage.press("E")
    stage.see("operator-removed", "removed")
    stage.home()
    stage.menu("add_operator")
    stage.wait("add_operator")
    stage.press("90E")
    stage.see("operator-taken", "operator_taken")
    stage.home()
    stage.menu("remove_operator")
    stage.wait("remove_operator")
    stage.press("99E")
    stage.wait("remove_ask")
    stage.press("E")
    stage.see("operator-last", "not_done", "staff_only_one")
    stage.home()
    stage.menu("export_log")
    stage.see("export", "export_log", "export_cable", "export_sealed")
    stage.press("C")


PLAYS = (log_in, own_code, permission, hand_over, supervisor, lock, administrator)
