# SPDX-License-Identifier: MIT
"""The simulated shop: the system (host, terminal, world), the customer's cards, and the watch that reports changes."""

from pathlib import Path
from types import TracebackType

from tools.cards.catalogue import Wallet
from tools.panel.change_watch import ChangeWatch
from tools.panel.commands import Commands
from tools.panel.news import News
from tools.provision.device import Terminal
from tools.whole_system import WholeSystem


class Simulation:
    """Everything behind the page. `home` is kept from one run to the next."""

    def __init__(self, home: Path, micropython: str, terminal: Terminal) -> None:
        self.system = WholeSystem(home, micropython=micropython, terminal=terminal, speed="real")
        self.news = News()
        self.commands = Commands(self.system, Wallet(home / "cards.json"), self.news)
        self.watch = ChangeWatch(self.system, self.commands, self.news)

    def __enter__(self) -> "Simulation":
        self.watch.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.watch.stop()
        self.commands.close()
        self.system.__exit__(kind, error, trace)
