# SPDX-License-Identifier: MIT
"""Safe mode: three restarts within a minute, two keys at power-on, or firmware that cannot be loaded lead to it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from boards.unix import wiring
from host_tests.harness.whole.cashier import Cashier
from tools.cashier import HOME
from tools.world.power import FIRMWARE
from tools.world.world import WorldError

_SAFE = "Safe mode"
_DIES = """

def _dies(self):
    raise ValueError("4761730000000011")


Terminal._start_up = _dies
"""


def firmware(folder: Path) -> Path:
    """A copy of the firmware that a test may damage."""
    return Path(shutil.copytree(FIRMWARE, folder / "firmware"))


def wait_past_tracebacks(cashier: Cashier, text: str) -> str:
    """Wait for a text on the screen; each traceback printed on the way ends one wait."""
    for _ in range(5):
        with contextlib.suppress(WorldError):
            cashier.world.wait_screen(text, 20)
            return " ".join(cashier.drawn())
    raise AssertionError(f"no {text!r}: {cashier.world.screen_text()}")


def flash(cashier: Cashier) -> bytes:
    return (cashier.world.home / "flash.bin").read_bytes()


def test_three_restarts_lead_to_safe_mode_which_sells_nothing_changes_nothing_and_leads_back(
    make_cashier: Callable[..., Cashier], tmp_path: Path
) -> None:
    source = firmware(tmp_path)
    terminal = source / "kassa/terminal.py"
    sound = terminal.read_text()
    terminal.write_text(sound + _DIES)
    cashier = make_cashier(source=source)
    before = flash(cashier)
    with contextlib.suppress(WorldError):
        cashier.world.power_on()
    said = wait_past_tracebacks(cashier, _SAFE)
    assert cashier.world.resets == [wiring.SOFT_RESET] * 3
    assert "Three restarts in a row" in said and "No sales" in said and "E: try again" in said
    assert "4761730000000011" not in said
    with contextlib.suppress(WorldError):
        cashier.world.press("100M")
    cashier.world.run_for(120_000)  # nor does it ever restart by itself
    assert cashier.sees(_SAFE) and len(cashier.world.resets) == 3
    assert flash(cashier) == before
    terminal.write_text(sound)
    cashier.world.press("E")
    cashier.world.wait_screen(HOME, 60)
    assert len(cashier.world.resets) == 4
    cashier.world.wait_screen("Online", 30)
    cashier.sell(100)
    assert cashier.agree() == 100


def reset(cashier: Cashier, cause: int = wiring.WATCHDOG_RESET) -> None:
    """Reset the terminal, as its watchdog would."""
    with cashier.world._lock:
        cashier.world.board._reset(cause, b"")


def test_resets_that_are_more_than_a_minute_apart_or_before_a_power_cut_do_not_count(
    make_cashier: Callable[..., Cashier],
) -> None:
    cashier = make_cashier(source=FIRMWARE)
    cashier.back()
    for _ in range(2):
        reset(cashier)
        cashier.page("watchdog")
    cashier.world.run_for(61_000)
    reset(cashier)
    cashier.page("watchdog")
    reset(cashier)
    cashier.page("watchdog")
    cashier.restart()  # the power is cut: the count is lost
    for _ in range(2):
        reset(cashier)
        cashier.page("watchdog")
    reset(cashier)
    cashier.page(_SAFE)


def test_two_keys_held_at_power_on_lead_to_safe_mode_and_one_does_not(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier(source=FIRMWARE)
    cashier.world.hold("C")
    cashier.world.power_on()
    cashier.world.wait_screen(HOME, 30)
    cashier.world.power_off()
    for key in "CE":
        cashier.world.hold(key)
    cashier.world.power_on()
    assert "C and E were held" in " ".join(cashier.page(_SAFE))
    cashier.world.release("C")
    cashier.world.run_for(2000)
    assert cashier.sees(_SAFE) and not cashier.world.resets  # a key let go of late is no wish to leave
    cashier.world.release("E")
    cashier.world.run_for(500)
    cashier.world.press("E")
    cashier.world.wait_screen(HOME, 30)


@pytest.mark.parametrize("content", ["blank", "noise"])
def test_safe_mode_needs_no_flash_and_no_secret(make_cashier: Callable[..., Cashier], content: str) -> None:
    cashier = make_cashier(source=FIRMWARE)
    image = b"\xff" * len(flash(cashier)) if content == "blank" else bytes(range(256)) * (len(flash(cashier)) // 256)
    (cashier.world.home / "flash.bin").write_bytes(image)
    (cashier.world.home / "efuse.bin").unlink()
    cashier.world.power_on()
    cashier.world.wait_screen("未", 30)  # not provisioned
    cashier.world.power_off()
    for key in "CE":
        cashier.world.hold(key)
    cashier.world.power_on()
    cashier.page(_SAFE)
    assert flash(cashier) == image


@pytest.mark.parametrize("damage", ["", "this is no program\n", "import nothing_like_that\n"])
@pytest.mark.parametrize("module", ["kassa/terminal.py", "kassa/screens/ui.py", "kassa/startup.py"])
def test_a_module_that_cannot_be_loaded_leads_to_safe_mode(
    make_cashier: Callable[..., Cashier], tmp_path: Path, module: str, damage: str
) -> None:
    source = firmware(tmp_path)
    (source / module).write_text(damage)
    cashier = make_cashier(source=source)
    with contextlib.suppress(WorldError):
        cashier.world.power_on()
    said = wait_past_tracebacks(cashier, _SAFE)
    assert "No sales" in said
    resets = len(cashier.world.resets)
    assert resets <= 3
    cashier.world.run_for(120_000)
    assert cashier.sees(_SAFE) and len(cashier.world.resets) == resets


@pytest.mark.parametrize("module", ["kassa/screens/canvas.py", "kassa/screens/font.bin"])
def test_without_what_safe_mode_needs_a_last_page_stays(
    make_cashier: Callable[..., Cashier], tmp_path: Path, module: str
) -> None:
    source = firmware(tmp_path)
    (source / module).write_bytes(b"\0")
    cashier = make_cashier(source=source)
    with contextlib.suppress(WorldError):
        cashier.world.power_on()
    for _ in range(4):
        with contextlib.suppress(WorldError):
            cashier.world.wait(lambda: "cannot start; waiting" in cashier.world.console, "the last words", 20)
    display = cashier.world.chips.display
    cashier.world.wait(lambda: set(display.pixels) == {0x00, 0xFF}, "white letters on black", 20)
    assert cashier.world.on and not cashier.world.resets
