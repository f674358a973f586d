# SPDX-License-Identifier: MIT
"""Nobody gets in easily: too many wrong codes, and a log of acts that has no room."""

from tools.scenes import full_log
from tools.scenes.plays.staff import CASHIER, TERMINAL
from tools.scenes.stage import Stage

__all__ = ["PLAYS", "SIGNED_ON", "TERMINAL"]
SIGNED_ON = False  # the first play powers on, to the page on which an operator logs in
_FREE, _LOCK, _PAUSE_S = 5, 10, 30


def locked_code(stage: Stage) -> None:
    """Ten wrong codes"""
    stage.world.power_on()
    stage.network("on")
    stage.wait("log_in", "log_in_hint")
    stage.press(f"{CASHIER[0]}E")
    for tried in range(_LOCK):
        if tried == _FREE:
            stage.see_wait("code-pause", "code_wrong", "code_wait", hide=("code_wait",))
        if tried >= _FREE:
            stage.world.run_for((_PAUSE_S << tried - _FREE) * 1000, 120)
        stage.wait("operator_code")
        stage.press("1357E")
        stage.world.run_for(1000)
    stage.see("code-locked", "code_locked", "code_locked_note")
    stage.press("E")
    stage.log_in(90, "246813")


def full(stage: Stage) -> None:
    """The log of acts is full"""
    stage.world.power_off()
    full_log.fill(stage.world.home, CASHIER[0])
    stage.world.radio.state = "off"
    stage.world.power_on()
    stage.wait("log_in", "log_in_hint")
    stage.press("90E")
    stage.wait("operator_code")
    stage.press("246813E")
    stage.see("not-logged", "not_logged", "acts_full")
    stage.press("E")
    stage.wait("home_hint")
    stage.menu("lock")
    stage.wait("lock_ask")
    stage.press("E")
    stage.see("not-permitted", "not_done", "acts_full")


PLAYS = (locked_code, full)
