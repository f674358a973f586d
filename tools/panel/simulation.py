# SPDX-License-Identifier: MIT
"""The simulated shop: the system (host, terminal, world), the customer's cards and phone, and the watch that reports changes."""

from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tools import terminal_words
from tools.cards.catalogue import Wallet
from tools.panel.change_watch import ChangeWatch
from tools.panel.commands import Commands
from tools.panel.news import News
from tools.panel.phone import PhoneScreen
from tools.panel.shop_clock import ShopClock
from tools.provision.device import Operator, Terminal
from tools.sim.wallets.phone import Phone
from tools.whole_system import WholeSystem


class Simulation:
    """Everything behind the page. `home` is kept from one run to the next. `wallets`: see WholeSystem."""

    def __init__(
        self, home: Path, micropython: str, terminal: Terminal, wallets: Literal["simulated", "real"] = "real"
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.clock = ShopClock(home / "shop_clock")
        self.system = WholeSystem(
            home, micropython=micropython, terminal=terminal, speed="real", wallets=wallets, now=self.clock.now
        )
        assert self.system.wallets is not None, "it was asked for wallets"
        self.news = News(self.clock.ms)
        self.news.publish("words", terminal_words.words())  # first: what comes after is shown in these words
        self.news.publish("menu", terminal_words.menu())
        self.phone = Phone(self.system.wallets)
        screen = PhoneScreen(self.phone, self.system.world)
        self.commands = Commands(self.system, Wallet(home / "cards.json"), self.news, screen, self.clock)
        self.watch = ChangeWatch(self.system, self.commands, self.news, screen, self.clock)

    @property
    def staff(self) -> list[dict[str, Any]]:
        """Number, role and code of everybody who may log in. Empty if nobody has to, or for a terminal of an earlier run."""
        system, terminal = self.system, self.system.terminal
        if not terminal.operators or system.supervisor_code != terminal.supervisor_code:
            return []
        people = [*terminal.operators, Operator(90, "s", system.supervisor_code)]
        return [one._asdict() for one in sorted(people)]

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
