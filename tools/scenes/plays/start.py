# SPDX-License-Identifier: MIT
"""Power on: the first screens of a day."""

from tools import menu_keys
from tools.scenes.stage import Stage


def power_on(stage: Stage) -> None:
    """The terminal starts"""
    stage.world.radio.state = "off"
    stage.world.power_on()
    stage.see("home-first", "home_hint", "home_clock", "home_offline", "home_none")
    stage.world.radio.state = "on"
    stage.see("home", "home_hint", "home_none", "bar_host", "bar_clear")


def menus(stage: Stage) -> None:
    """The menu and its pages"""
    for menu in menu_keys.menus():
        stage.home()
        stage.press(menu_keys.keys_of(menu))
        stage.see(f"menu-{menu}", menu)
    stage.home()
    stage.press(menu_keys.keys_of("device") + "D")
    stage.see("menu-moved", "device")


SIGNED_ON = False  # the first play powers on
PLAYS = (power_on, menus)
