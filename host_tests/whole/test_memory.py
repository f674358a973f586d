# SPDX-License-Identifier: MIT
"""What stays in memory: a board with memory to spare keeps every module, another one drops those of the tap and the menu."""

from pathlib import Path

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.provision.device import Terminal
from tools.whole_system import WholeSystem

MAIN = """
import asyncio, sys
from board import Board
from kassa.terminal import Terminal

Board.spare_memory = {spare}


async def report():
    while True:
        await asyncio.sleep(1)
        print("kept", " ".join([name for name in sys.modules if name.startswith("kassa.")]))


async def main():
    asyncio.create_task(report())
    await Terminal(Board()).run()


asyncio.run(main())
"""
LOADED_FOR_A_MOMENT = {"kassa.card.tap", "kassa.flows.steps.receipt", "kassa.flows.manage.about", "kassa.startup"}


@pytest.mark.parametrize("spare", [False, True])
def test_a_board_with_memory_to_spare_drops_no_module(tmp_path: Path, spare: bool) -> None:
    source = tmp_path / "firmware"
    source.mkdir()
    (source / "main.py").write_text(MAIN.format(spare=spare))
    with WholeSystem(tmp_path / "system", terminal=Terminal(language="en"), source=source) as system:
        cashier = Cashier(system)
        cashier.sign_on()
        cashier.sell(700)
        cashier.menu("about")
        cashier.page("Version")
        system.world.press("C")
        cashier.home()
        system.world.run_for(2000)
        kept = set(
            next(line for line in reversed(system.world.console.splitlines()) if line.startswith("kept")).split()
        )
    assert "kassa.errors" in kept
    assert LOADED_FOR_A_MOMENT & kept == (LOADED_FOR_A_MOMENT if spare else set())
