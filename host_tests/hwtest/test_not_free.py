# SPDX-License-Identifier: MIT
"""Boards that are not free, answer nonsense, or go away: refused or reported in a row, and no payment is lost."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

import pytest

from host_tests.harness.whole.cashier import Cashier
from host_tests.hwtest.conftest import Line, hwtest, rows
from tools.hwtest import __main__ as command
from tools.hwtest import console
from tools.world import World
from tools.world.power import FIRMWARE


def at_line(make_cashier: Callable[..., Cashier], line: Line) -> Cashier:
    """A terminal whose console is `line`."""
    cashier = make_cashier(source=FIRMWARE)
    cashier.world._power.line = line.board
    line.world = cashier.world
    return cashier


def test_a_terminal_at_work_is_refused_and_its_sale_goes_on(make_cashier: Callable[..., Cashier], line: Line) -> None:
    cashier = at_line(make_cashier, line)
    cashier.sign_on()
    cashier.world.press("1250E")
    cashier.page("Present card")
    # No wait here: time that jumps would end the page.
    result = hwtest(line, "--unattended")
    assert result.exit_code == 2 and result.stdout == ""
    assert "it is not interrupted" in result.stderr and "hold C and E" in result.stderr
    assert b"\x03" not in line.sent and b"\x01" not in line.sent and b"\x04" not in line.sent
    cashier.world.place(cashier.card("jade"))
    cashier.page("Approved")
    cashier.world.remove()
    cashier.home()
    assert cashier.agree() == 1250 and cashier.world.resets == []


def test_a_terminal_in_safe_mode_is_tested_and_keeps_its_payments(
    make_cashier: Callable[..., Cashier], line: Line
) -> None:
    cashier = at_line(make_cashier, line)
    cashier.sign_on()
    cashier.go_offline()
    cashier.sell(2000, "amber", "Accepted")
    cashier.world.power_off()
    before = (cashier.world.home / "flash.bin").read_bytes()
    for key in "CE":
        cashier.world.hold(key)
    cashier.world.power_on()
    cashier.page("Safe mode")
    result = hwtest(line, "--unattended", "--part", "board", "--part", "flash", "--erase-blank", "journal")
    found = rows(result)
    assert result.exit_code == 0, result.output
    assert found["flash journal read"][1].endswith("of 256 sectors hold data")
    assert found["flash erase and program"][0] == "skip"
    cashier.page("Safe mode")  # again: the keys are still held when the test resets the board
    assert cashier.world.resets == [5]
    assert (cashier.world.home / "flash.bin").read_bytes() == before
    for key in "CE":
        cashier.world.release(key)
    cashier.world.radio.state = "on"
    cashier.restart()
    cashier.home()
    cashier.drain()
    assert cashier.agree() == 2000


def test_a_port_that_is_not_there_is_named() -> None:
    class Nowhere:
        path = "/dev/no-such-port"

    result = hwtest(Nowhere())  # type: ignore[arg-type]
    assert result.exit_code == 2 and result.stderr.startswith("hwtest: /dev/no-such-port: ")


@pytest.mark.parametrize(
    ("babble", "expected"),
    [
        (b"", "no prompt. If this board is a terminal at work"),
        (bytes(range(128, 256)) * 3, "sends what is no text"),
        (b"OK\r\nERROR\r\n", "another program runs"),
        (b"kassa: end 0\r\n", "could not enter raw repl"),  # says that it is safe mode, and is not
        (b">>> ", "could not enter raw repl"),
        (b">>> \r\nraw REPL; CTRL-B to exit\r\n>R\x01\x00\x00", "the board went away"),
        (b">>> \r\nraw REPL; CTRL-B to exit\r\n>R\x00", "the board went away"),
    ],
)
def test_a_board_that_answers_nonsense_is_reported(
    line: Line, monkeypatch: pytest.MonkeyPatch, babble: bytes, expected: str
) -> None:
    for name in ("_LOOK_S", "_ASK_S", "_STOP_S"):
        monkeypatch.setattr(console, name, 0.3)
    monkeypatch.setattr(console, "_READ_S", 0.3)
    monkeypatch.setattr(command, "_START_S", 1.0)
    stop = threading.Event()

    def talk() -> None:
        while not stop.wait(0.05):
            os.write(line.board, babble)

    talker = threading.Thread(target=talk)
    talker.start()
    began = time.monotonic()
    try:
        result = hwtest(line, "--unattended", "--part", "board", "--part", "flash")
    finally:
        stop.set()
        talker.join()
    assert result.exit_code == 2, result.output
    assert expected in result.output and "Traceback" not in result.output
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("what", ["the port", "the board"])
def test_a_port_or_a_board_that_goes_away_midway_leaves_the_rows_so_far(
    bare_board: World, line: Line, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr(command, "_GRACE_S", 0.5)
    monkeypatch.setattr(console, "_STOP_S", 1)
    bare_board.power_on()
    heard = command.Run._line

    def cut(run: command.Run, text: str) -> None:
        heard(run, text)
        if "hold a card" in text:
            line.cut() if what == "the port" else bare_board.power_off()

    monkeypatch.setattr(command.Run, "_line", cut)
    result = hwtest(line, "--seconds", "1", "--part", "reader", "--part", "printer", "--part", "wifi")
    found = rows(result)
    assert result.exit_code == 1, result.output
    assert found["reader setup"][0] == found["reader self-test"][0] == "pass"
    assert [name for name, (_, note) in found.items() if "the board went away" in note] == ["reader card"]
    assert found["printer all"] == found["wifi all"] == ("skip", "not run")
