# SPDX-License-Identifier: MIT
"""A board at a serial line: the Unix board's console on a pseudo-terminal, with the virtual chips behind it."""

from __future__ import annotations

import os
import signal
import termios
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from host_tests.whole.conftest import make_cashier  # noqa: F401 - a fixture
from tools.hwtest.__main__ import main
from tools.world import World


def hwtest(line: Line, *arguments: str) -> Result:
    """Run the command on the board at `line`. Asserts that it ends with an exit status of its own."""
    result = CliRunner().invoke(main, ["--port", line.path, *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


def rows(result: Result) -> dict[str, tuple[str, str]]:
    """(result, note) of each row of the table, by "part test"."""
    found = {}
    for text in result.stdout.splitlines():
        cells = [cell.strip() for cell in text.split("|")]
        if len(cells) == 7 and cells[1] != "part" and not cells[1].startswith("-"):
            found[f"{cells[1]} {cells[2]}"] = (cells[3], cells[5])
    return found


class Line:
    """A serial line. `path`: its end at the test bench; `board`: the descriptor of the board's end. `cut` ends it.

    A pseudo-terminal has only one end with a path, so each of two passes on what the other one receives.
    """

    def __init__(self) -> None:
        self._bench, self._board = os.openpty(), os.openpty()
        for _, end in (self._bench, self._board):
            tty.setraw(end)
        self.path, self.board = os.ttyname(self._bench[1]), self._board[1]
        modes = termios.tcgetattr(self.board)
        modes[3] |= termios.ISIG  # Ctrl-C interrupts the program that runs
        modes[6][termios.VQUIT] = modes[6][termios.VSUSP] = b"\0"
        termios.tcsetattr(self.board, termios.TCSANOW, modes)
        self.world: World | None = None  # whose board is here
        self.sent = bytearray()  # what the bench has sent so far
        self._open = True
        for source, target in ((self._bench[0], self._board[0]), (self._board[0], self._bench[0])):
            threading.Thread(target=self._carry, args=(source, target), daemon=True).start()

    def _carry(self, source: int, target: int) -> None:
        try:
            while data := os.read(source, 4096):
                if source == self._bench[0]:
                    self.sent += data
                    data = self._interrupted(data)
                os.write(target, data)
        except OSError:
            return

    def _interrupted(self, data: bytes) -> bytes:
        """Interrupt the program if `data` has Ctrl-C and the port has left the terminal raw: it does so in raw paste mode.

        Returns what is left to be read as characters.
        """
        pid = self.world.pid if self.world is not None and b"\x03" in data else None
        if pid is None or termios.tcgetattr(self.board)[3] & termios.ISIG:
            return data
        caught = int(Path(f"/proc/{pid}/status").read_text().split("SigCgt:")[1].split()[0], 16)
        if not caught & 1 << signal.SIGINT - 1:
            return data  # the prompt reads it
        os.kill(pid, signal.SIGINT)
        return data.replace(b"\x03", b"")

    def cut(self) -> None:
        """Pull the plug out of the bench."""
        if self._open:
            self._open = False
            for end in self._bench:
                os.close(end)

    def close(self) -> None:
        """Release everything."""
        self.cut()
        for end in self._board:
            os.close(end)


@pytest.fixture
def line() -> Iterator[Line]:
    """A serial line."""
    made = Line()
    yield made
    made.close()


@pytest.fixture
def bare_board(new_world: Callable[..., World], line: Line) -> World:
    """A board in real time whose main.py has ended, at the prompt of `line`. Power is off."""
    world = new_world("pass\n", speed="real")
    world._power.line = line.board
    line.world = world
    return world
