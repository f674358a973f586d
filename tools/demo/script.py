# SPDX-License-Identifier: MIT
"""The steps of the demo, as a cashier performs them: press keys, present cards, read the screen."""

from typing import Protocol

from tools import menu_keys
from tools.cards import catalogue
from tools.cashier import HOME, CashierActions
from tools.whole_system import WholeSystem

ONLINE = ("jade", 1250)
DEFERRED = (("amber", 2000), ("coral", 3550), ("ink", 990))
FOURTH = ("lotus", 4725)
CARDS = [name for name, _ in (ONLINE, *DEFERRED, FOURTH)]


class Recorder(Protocol):
    """Called with a title at each step; implemented by record.py and by the heap gate."""

    def step(self, title: str) -> list[str]: ...


class Script(CashierActions):
    """The steps of the demo. Each leaves the terminal on its home page (in English)."""

    def __init__(self, system: WholeSystem, recorder: Recorder) -> None:
        super().__init__(system.world)
        self.recorder = recorder
        self.operations = 0  # flash operations of the fourth sale, if its power was not cut

    def sign_on(self) -> None:
        super().sign_on()
        self.world.wait_screen(HOME)
        self.recorder.step("signed on")

    def online_sale(self) -> None:
        self._sell(*ONLINE, "Approved")

    def deferred_sales(self) -> None:
        """Disconnect the network and accept three payments offline."""
        self.go_offline()
        self.recorder.step("the network is gone")
        for name, amount in DEFERRED:
            self._sell(name, amount, "Accepted")

    def fourth_sale(self, cut: int, tear: str) -> bool:
        """Cut the power at the `cut`-th flash operation of this sale (0 = after it). Returns whether it was cut."""
        world = self.world
        world.run_for(3000)  # the terminal derives its next keys first, so that only the sale writes
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

    def reported_outcome(self) -> list[str]:
        """Restore power. Returns the pages on which the terminal reports the outcome of the last payment."""
        reported = []
        self.back()
        while HOME not in (lines := self.recorder.step("power is back")):
            reported.append(" / ".join(lines[1:-1]))
            self.confirm()
            self.rest("the outcome of the last payment")
            self.drawn()
        return reported

    def drain(self) -> None:
        super().drain()
        self.world.wait_screen("Online", 30)
        self.recorder.step("the network is back, everything is sent")

    def settle(self) -> str:
        """Close the batch. Returns the amount on the screen."""
        world = self.world
        world.press(menu_keys.keys_of("settle"))
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
