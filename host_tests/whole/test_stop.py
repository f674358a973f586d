# SPDX-License-Identifier: MIT
"""A task that dies stops the terminal safely: shown on the screen, stored for the next boot, then a restart."""

import contextlib

from host_tests.harness.whole.cashier import Cashier
from tools.provision.device import Terminal
from tools.whole_system import WholeSystem
from tools.world.world import WorldError

_MAIN = """
import asyncio, os
from board import Board
from kassa.terminal import Terminal

housekeeping = Terminal._housekeeping

async def dies_once(self):
    if "died" in os.listdir():
        await housekeeping(self)
    open("died", "w").close()
    await asyncio.sleep(2)
    raise ValueError("4761730000000011")

Terminal._housekeeping = dies_once
asyncio.run(Terminal(Board()).run())
"""


def test_a_task_that_dies_stops_the_terminal_safely_and_is_shown_after_the_restart(tmp_path) -> None:
    source = tmp_path / "firmware"
    source.mkdir()
    (source / "main.py").write_text(_MAIN)
    with WholeSystem(tmp_path / "system", terminal=Terminal(language="en"), source=source) as system:
        cashier = Cashier(system)
        cashier.world.power_on()
        with contextlib.suppress(WorldError):  # a traceback on the console is expected here
            cashier.world.wait_screen("Out of service", 30)
        said = " ".join(cashier.page("Out of service"))
        assert "housekeeping" in said
        assert "4761730000000011" not in said
        cashier.world.wait(lambda: cashier.world.resets, "the restart", 60)
        said = " ".join(cashier.page("housekeeping ValueError"))
        assert "4761730000000011" not in said
        cashier.home()
        cashier.world.wait_screen("Online", 30)
        cashier.sell(100)
        assert cashier.agree() == 100
