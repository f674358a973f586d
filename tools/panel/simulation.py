# SPDX-License-Identifier: MIT
"""The shop's counter: the stage (host, terminal, world), the cards in the customer's hand, and who looks at it all."""

from pathlib import Path
from types import TracebackType

from tools.cards.catalogue import Wallet
from tools.panel.change_watch import Eyes
from tools.panel.commands import Hands
from tools.panel.news import News
from tools.provision.device import Terminal
from tools.whole_system import Stage


class Counter:
    """Everything the page shows, without the page. `home` is kept from one run to the next."""

    def __init__(self, home: Path, micropython: str, terminal: Terminal) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.stage = Stage(home, micropython=micropython, terminal=terminal, speed="real")
        self.news = News()
        self.hands = Hands(self.stage, Wallet(home / "cards.json"), self.news)
        self.eyes = Eyes(self.stage, self.hands, self.news)

    def __enter__(self) -> "Counter":
        self.eyes.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.eyes.stop()
        self.hands.close()
        self.stage.__exit__(kind, error, trace)
