# SPDX-License-Identifier: MIT
"""Fixtures for the whole terminal: a system with host and world, and a cashier who operates it.

With KASSA_EMULATOR=qemu and MICROPYTHON_IMAGE=image the terminal is an emulated chip.
"""

import os
import threading
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from host_tests.harness.whole import staff
from host_tests.harness.whole.cashier import QUICK, Cashier
from host_tests.harness.whole.support_desk import run
from tools.emulator import power
from tools.provision.device import Terminal
from tools.whole_system import WholeSystem
from tools.world.power import FIRMWARE


@pytest.fixture
def make_cashier(tmp_path: Path, compiled: Path) -> Iterator[Callable[..., Cashier]]:
    """`make_cashier(**fields of Terminal)`: a cashier at an English terminal with its host; power is off.

    `overlay`: a folder with files in place of the firmware's; all files are text then.
    """
    systems: list[WholeSystem] = []

    def make(
        name: str = "system", overlay: Path | None = None, source: Path | None = None, **fields: object
    ) -> Cashier:
        options = {"language": "en", "supervisor_code": "246813", **fields}
        terminal = Terminal(**options)  # type: ignore[arg-type]
        chip = power.named()
        if chip and (overlay or source not in (None, QUICK, FIRMWARE)):
            pytest.skip("the emulated chip has the firmware as it is flashed")
        source = source or (QUICK if overlay else compiled)
        made = WholeSystem(tmp_path / name, overlay=overlay, source=source, terminal=terminal, power=chip)
        systems.append(made)
        return Cashier(made)

    yield make
    for made in systems:
        with made:
            pass


@pytest.fixture
def cashier(make_cashier: Callable[..., Cashier]) -> Cashier:
    """A cashier at a terminal that is signed on and shows its home page."""
    ready = make_cashier()
    ready.sign_on()
    return ready


@pytest.fixture
def shop(make_cashier: Callable[..., Cashier]) -> Cashier:
    """A terminal at which cashiers log in, on its log-in page."""
    ready = make_cashier(operators=staff.STAFF)
    ready.world.power_on()
    ready.page("Log in")
    ready.world.wait_screen("Online", 60)
    return ready


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """The files of support's private and public key."""
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    assert run("keys", private, public).exit_code == 0
    return private, public


@pytest.fixture
def line() -> Iterator[tuple[str, int]]:
    """A serial line: the path of its end at the service desk, and the descriptor of the terminal's end.

    A pseudo-terminal has only one end with a path, so each of two passes on what the other one receives.
    """
    ends = [os.openpty(), os.openpty()]
    for pair in ends:
        tty.setraw(pair[1])

    def carry(source: int, target: int) -> None:
        try:
            while data := os.read(source, 4096):
                os.write(target, data)
        except OSError:
            return

    for one, other in ((0, 1), (1, 0)):
        threading.Thread(target=carry, args=(ends[one][0], ends[other][0]), daemon=True).start()
    yield os.ttyname(ends[0][1]), ends[1][1]
