# SPDX-License-Identifier: MIT
"""The end of the day: settling the batch."""

from tools.scenes.stage import Stage


def nothing(stage: Stage) -> None:
    """Nothing to settle"""
    stage.menu("settle")
    stage.see("settle-nothing", "settle_nothing")


def waiting(stage: Stage) -> None:
    """Payments still wait to be sent"""
    stage.network("off")
    stage.sell(2000, "amber", "accepted")
    stage.menu("settle")
    stage.wait("settle_confirm")
    stage.press("E")
    stage.see_wait("settle-sending", "settle_working")
    stage.see("settle-waiting", "settle_failed", "settle_waiting", "settle_waiting_note")
    stage.home()
    stage.network("on")


def balanced(stage: Stage) -> None:
    """The batch is settled"""
    stage.sell(5000)
    stage.menu("settle")
    stage.see("settle-confirm", "settle_confirm", "settle_batch")
    stage.press("E")
    stage.see("settle-balanced", "settle_balanced", "settle_balanced_note", "settle_counts")


def unbalanced(stage: Stage) -> None:
    """Terminal and host differ"""
    stage.sell(1250, "plum")
    stage.host.mood = "mismatch"
    stage.menu("settle")
    stage.wait("settle_confirm")
    stage.press("E")
    stage.see("settle-unbalanced", "settle_unbalanced", "settle_terminal", "settle_host", "settle_uploaded")
    stage.host.mood = "normal"


PLAYS = (nothing, waiting, balanced, unbalanced)
