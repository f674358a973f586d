# SPDX-License-Identifier: MIT
"""What happens in the demo, as a cashier would do it: keys pressed, cards presented, the screen read."""

from typing import Protocol

from tools.cards import catalogue
from tools.cashier import HOME, CashierActions
from tools.whole_system import WholeSystem

ONLINE = ("jade", 1250)
DEFERRED = (("amber", 2000), ("coral", 3550), ("ink", 990))
FOURTH = ("lotus", 4725)
CARDS = [name for name, _ in (ONLINE, *DEFERRED, FOURTH)]


class Recorder(Protocol):
    """Who looks at the screen at each step: record.py, or the heap gate."""

    def step(self, title: str) -> list[str]: ...


class Script(CashierActions):
    """The steps, each leaving the terminal on its home page (English)."""

    def __init__(self, system: WholeSystem, recorder: Recorder) -> None:
        super().__init__(system.world)
        self.recorder = recorder
        self.operations = 0  # flash operations of the fourth sale, when it was not cut

    def sign_on(self) -> None:
        super().sign_on()
        self.world.wait_screen(HOME)
        self.recorder.step("signed on")

    def online_sale(self) -> None:
        self._sell(*ONLINE, "Approved")

    def deferred_sales(self) -> None:
        """The network goes away; three payments are taken all the same."""
        self.go_offline()
        self.recorder.step("the network is gone")
        for name, amount in DEFERRED:
            self._sell(name, amount, "Accepted")

    def fourth_sale(self, cut: int, tear: str) -> bool:
        """The power goes at the `cut`-th flash operation of this sale (0 = after it). True when a cut was met."""
        world = self.world
        world.run_for(3000)  # the till has made the next keys by now: only the sale itself writes
        before = world.flash_ops.programs + world.flash_ops.erases
        if cut:
            world.cut_at(cut, tear)
        self._present(*FOURTH)
        world.wait(lambda: not world.on or "Accepted" in " ".join(world.screen_text()), "the end of the sale", 20)
        was_cut = not world.on
        if world.on:
            self.recorder.step("the fourth payment went through")
            self.operations = world.flash_ops.programs + world.flash_ops.erases - before
            world.power_off()
        world.remove()
        return was_cut

    def fate(self) -> list[str]:
        """Power returns: the terminal tells what became of the last payment. Returns what it said, page by page."""
        said = []
        self.back()
        while HOME not in (lines := self.recorder.step("power is back")):
            said.append(" / ".join(lines[1:-1]))
            self.confirm()
            self.rest("the fate of the last payment")
            self.drawn()
        return said

    def drain(self) -> None:
        super().drain()
        self.world.wait_screen("Online", 30)
        self.recorder.step("the network is back, everything is sent")

    def settle(self) -> str:
        """Close the batch; returns the amount the screen shows."""
        world = self.world
        world.press("MDE")
        self.page("Settle the batch?")
        self.recorder.step("settle")
        papers = len(world.receipts)
        world.press("E")
        self.page("alanced")
        lines = self.recorder.step("settled")
        world.wait(lambda: len(world.receipts) > papers, "the slip")
        world.press("E")
        world.wait_screen(HOME)
        return next(line for line in lines if line.startswith("¥"))

    def _sell(self, name: str, amount: int, result: str) -> None:
        papers = len(self.world.receipts)
        self._present(name, amount)
        self.page(result)
        self.recorder.step(f"{result.lower()}: {amount / 100:.2f} by {name}")
        self.world.wait(lambda: len(self.world.receipts) > papers, "the receipt")
        self.world.remove()
        self.world.press("E")
        self.world.wait_screen(HOME)

    def _present(self, name: str, amount: int) -> None:
        self.world.press(f"{amount}E")
        self.page("Present card")
        self.recorder.step(f"a card for {amount / 100:.2f}")
        self.world.place(catalogue.make(name))
