# SPDX-License-Identifier: MIT
"""This terminal: brightness, sound and light, and the self-test in plain words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import Cashier
from host_tests.whole.test_beeps import another_board

KEYS = "0123456789ECBMUD"
WORN = """
import os

class Worn:
    def __init__(self, flash):
        self.readblocks, self.writeblocks, self._flash = flash.readblocks, flash.writeblocks, flash

    def ioctl(self, operation, argument):
        if operation == 6 and "worn" in os.listdir():
            raise OSError(5)
        return self._flash.ioctl(operation, argument)
"""


@pytest.fixture
def sounding(make_cashier: Callable[..., Cashier], tmp_path: Path) -> Cashier:
    """A cashier at a terminal with memory to spare, so with sound and light."""
    ready = make_cashier(source=another_board(tmp_path, "self.spare_memory = True"))
    ready.sign_on()
    return ready


def test_brightness_changes_at_once_and_survives_a_restart(cashier: Cashier) -> None:
    assert cashier.world.brightness == 100
    cashier.menu("brightness")
    cashier.page("5/5")
    seen = []
    for level in "4321":
        cashier.world.press("D")
        cashier.page(f"{level}/5")
        seen.append(cashier.world.brightness)
    assert seen == sorted(seen, reverse=True) and 2 < seen[-1] < 8
    cashier.world.press("D2")
    cashier.page("2/5")
    cashier.world.press("E")
    cashier.home()
    assert cashier.world.brightness == 16
    cashier.world.power_off()
    assert cashier.world.brightness == 0
    cashier.world.power_on()
    cashier.home()
    assert cashier.world.brightness == 16
    cashier.menu("brightness")
    cashier.page("2/5")
    cashier.world.press("UUC")
    cashier.home()
    assert cashier.world.brightness == 16, "cancelled: as before"


def test_a_board_whose_light_is_fixed_says_so(make_cashier: Callable[..., Cashier], tmp_path: Path) -> None:
    cashier = make_cashier(source=another_board(tmp_path, "self.display.backlight = None"))
    cashier.sign_on()
    cashier.menu("brightness")
    cashier.page("Its brightness is fixed")
    cashier.home()
    cashier.menu("sound")
    cashier.page("This board has no sound")
    cashier.home()


def test_sound_is_heard_while_it_is_set_and_off_is_silent(sounding: Cashier) -> None:
    world, buzzer = sounding.world, sounding.world.chips.buzzer
    sounding.menu("sound")
    sounding.page("3/3")
    louds = []
    for level in "21":
        world.press("D")
        sounding.page(f"{level}/3")
        world.run_for(600)
        louds.append(buzzer.loud)
    assert louds == sorted(louds, reverse=True) and louds[0] < 50 and world.beeps == ["short", "short"]
    world.press("0E")
    sounding.home()
    world.run_for(600)
    before = len(world.beeps), buzzer.clicks
    sounding.sell(1250)
    sounding.restart()
    sounding.home()
    sounding.sell(700)
    assert (len(world.beeps), buzzer.clicks) == before, "silent, after a restart too"


def test_every_key_clicks_alike(sounding: Cashier) -> None:
    buzzer = sounding.world.chips.buzzer
    sounding.menu("selftest")
    sounding.page("Self-test")
    sounding.world.press("E")
    sounding.page("Press every key")
    sounding.world.run_for(500)
    begin, heard = buzzer.clicks, len(buzzer.heard)
    for key in KEYS:
        sounding.world.press(key)
        sounding.world.run_for(400)
    sounding.page("all 16 work")
    assert buzzer.clicks - begin == len(KEYS)
    assert {tone for tone, _ in buzzer.heard[heard:] if tone} == {3500}


def test_the_light_says_ready_busy_well_and_look(sounding: Cashier) -> None:
    world = sounding.world
    world.run_for(5000)
    assert world.light == "flashes"
    world.press("1250E")
    sounding.page("Present card")
    world.run_for(4000)
    assert world.light == "blinks"
    world.press("C")
    sounding.page("Cancelled")
    world.run_for(4000)
    assert world.light == "blinks fast"
    sounding.home()
    sounding.offer(1250)
    sounding.page("Approved")
    world.run_for(8000)
    assert world.light == "on"


def test_the_self_test_says_what_works_in_plain_words(cashier: Cashier) -> None:
    cashier.menu("selftest")
    lines = cashier.page("Free memory")
    for part in ("Display", "Card reader", "Printer", "Memory chip", "Clock"):
        assert f"{part}  OK" in lines, lines
    cashier.world.press("C")
    cashier.home()
    cashier.world.chips.reader_link.faults.silent = True
    cashier.world.chips.printer.paper = False
    cashier.menu("selftest")
    lines = cashier.page("Free memory")
    assert "Card reader  does not answer" in lines and "Printer  no paper" in lines, lines
    cashier.world.press("E")
    cashier.page("Press every key")
    cashier.world.press("0123456789")
    cashier.page("6 not pressed")
    cashier.world.press("C")
    cashier.home()


@pytest.mark.parametrize(
    ("entry", "page", "keys"),
    [
        ("change_language", "Language", "1"),
        ("printer_set_up", "58 mm", "E"),
        ("brightness", "5/5", "DE"),
    ],
)
def test_what_cannot_be_stored_is_said_and_the_till_goes_on(
    make_cashier: Callable[..., Cashier], tmp_path: Path, entry: str, page: str, keys: str
) -> None:
    (tmp_path / "worn.py").write_text(WORN)
    cashier = make_cashier(source=another_board(tmp_path, "self.settings = __import__('worn').Worn(self.settings)"))
    cashier.sign_on()
    (cashier.world.home / "worn").touch()
    cashier.menu(entry)
    cashier.page(page)
    cashier.world.press(keys)
    cashier.page("Memory chip fault")
    cashier.home()
    cashier.sell(1250)
    assert not cashier.world.resets
