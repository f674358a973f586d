# SPDX-License-Identifier: MIT
"""The service desk beside a terminal: its commands, and a terminal led into safe mode on a serial line."""

from __future__ import annotations

import threading

from click.testing import CliRunner, Result

from host_tests.harness.whole.cashier import Cashier
from tools.support.__main__ import main


def run(*arguments: object) -> Result:
    """Run the command. Asserts that it ends with an exit status of its own."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def safe_mode(cashier: Cashier, terminals_end: int) -> None:
    """Lead a terminal without power into safe mode, its console on a line; see the fixture `line`."""
    cashier.world._power.line = terminals_end
    for key in "CE":
        cashier.world.hold(key)
    cashier.world.power_on()
    cashier.page("Safe mode")


def at_the_desk(cashier: Cashier, *arguments: object) -> Result:
    """Run a command that talks to the terminal, while the terminal runs."""
    done: list[Result] = []
    desk = threading.Thread(target=lambda: done.append(run(*arguments)))
    desk.start()
    cashier.world.wait(lambda: not desk.is_alive(), "the end of the command", 90)
    return done[0]
