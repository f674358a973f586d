# SPDX-License-Identifier: MIT
"""The simulated shop: the system (host, terminal, world), the customer's cards and phone, and the watch that reports changes."""

from pathlib import Path
from types import TracebackType
from typing import Literal

from tools.cards.catalogue import Wallet
from tools.panel.change_watch import ChangeWatch
from tools.panel.commands import Commands
from tools.panel.news import News
from tools.panel.phone import PhoneScreen
from tools.provision.device import Terminal
from tools.sim.wallets.phone import Phone
from tools.whole_system import WholeSystem


class Simulation:
    """Everything behind the page. `home` is kept from one run to the next. `wallets`: see WholeSystem."""

    def __init__(
        self, home: Path, micropython: str, terminal: Terminal, wallets: Literal["simulated", "real"] = "real"
    ) -> None:
        self.system = WholeSystem(home, micropython=micropython, terminal=terminal, speed="real", wallets=wallets)
        assert self.system.wallets is not None, "it was asked for wallets"
        self.news = News()
        self.phone = Phone(self.system.wallets)
        screen = PhoneScreen(self.phone, self.system.world)
        self.commands = Commands(self.system, Wallet(home / "cards.json"), self.news, screen)
        self.watch = ChangeWatch(self.system, self.commands, self.news, screen)

    def __enter__(self) -> "Simulation":
        self.watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.watch.stop()
        self.commands.close()
        self.phone.close()
        self.system.__exit__(kind, error, trace)
