# SPDX-License-Identifier: MIT
"""A terminal at its first use: nobody has a code yet."""

from tools.scenes.stage import Stage

TERMINAL = {"unstaffed": True}
SIGNED_ON = False  # the first play powers on


def first_code(stage: Stage) -> None:
    """The first administrator's code"""
    stage.world.power_on()
    stage.see("first-code", "first_code", "first_code_note", "first_code_keep")
    stage.press("E")
    stage.wait("code_new")
    stage.press("864209E")
    stage.wait("code_again")
    stage.press("864209E")
    stage.see("first-code-done", "first_code_done")
    stage.press("E")
    stage.wait("home_hint")
    stage.network("on")


PLAYS = (first_code,)
