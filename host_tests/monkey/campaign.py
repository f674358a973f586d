# SPDX-License-Identifier: MIT
"""One life of a terminal under a monkey's hands, and what must be true after it."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from host_tests.harness.whole.staff import CODES, STAFF
from host_tests.monkey.hands import Hands
from tools.bench import heap, micropython32
from tools.demo.agreement import COLUMNS, Books, Journals
from tools.provision.device import Terminal
from tools.whole_system import WholeSystem
from tools.world.power import FIRMWARE
from tools.world.world import WorldError

_READ_EVERY = 200  # steps: closed batches are erased sooner or later
_PATIENCE_S = 120
LARGE_KIB = 2048  # where there is no 32-bit interpreter
# A monkey opens every page. Then about 250 names are known that only the simulator has, or that a chip has in ROM: 4 KiB, and
# 9 more because the table of names doubles at 1,260 of them. docs/performance.md.
_NAMES_KIB = 13


class MonkeyFound(Exception):
    """What broke, the last things that were done before, and the end of the console."""


def play(image: Path | None, seed: int, steps: int, heap_kib: int) -> Counter[str]:
    """Play a number of steps. Returns how often each page was seen. Raises MonkeyFound.

    `image`: the firmware of `strict_image`, for the 32-bit interpreter; None: the sources, on the default interpreter.
    """
    options = {"micropython": str(micropython32.path()), "source": image} if image else {"source": FIRMWARE}
    terminal = Terminal(language="en", supervisor_code=CODES[90], operators=STAFF)
    with tempfile.TemporaryDirectory(prefix="kassa-monkey-") as folder:
        system = WholeSystem(Path(folder), terminal=terminal, heap=f"{heap_kib}k", **options)  # type: ignore[arg-type]
        hands = Hands(system, seed)
        journals = Journals(system.world.home)
        try:
            with system:
                system.world.power_on()
                for step in range(steps):
                    hands.step()
                    if step % _READ_EVERY == 0:
                        journals.read()
                _end(system, hands, journals)
        except (WorldError, AssertionError) as error:
            raise MonkeyFound(
                f"seed {seed}: {error}; did {hands.done[-20:]}; {system.world.console[-3000:]}"
            ) from error
    return hands.pages


def chip_kib(micropython: str, folder: Path) -> int:
    """The heap in which a life must go well: the budget, the board's share, and what the simulator's names take."""
    return heap.BUDGET_KIB + heap.board_kib(micropython, folder) + _NAMES_KIB


def strict_image(folder: Path) -> Path:
    """The compiled firmware in which a failed allocation ends the program."""
    return heap.image(folder, (FIRMWARE / "main.py").read_text())


def _end(system: WholeSystem, hands: Hands, journals: Journals) -> None:
    """No traceback, nothing left to send, and the same money in flash and at the host."""
    assert "Traceback" not in system.world.console
    hands.make_up()

    def sent() -> bool:
        journals.read()
        return not journals.pending()

    system.world.wait(sent, "the last payment's answer", _PATIENCE_S)
    with system.host.ledger.read() as db:
        books, mine = Books(db), journals.tally()
        assert not [fault for fault in books.faults() if "is open" not in fault], books.faults()
        host = books.payments()
    differ = {
        name: (mine.over_all(name), host.over_all(name))
        for name in COLUMNS
        if mine.over_all(name) != host.over_all(name)
    }
    assert not differ, f"(terminal, host): {differ}"
