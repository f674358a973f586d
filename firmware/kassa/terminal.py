# SPDX-License-Identifier: MIT
"""The terminal: starts the rooms in order, then runs its named tasks under one supervisor that feeds the watchdog."""

import asyncio
import gc
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import log
from kassa.errors import FlashFault, JournalFull, KeyringError
from kassa.flows import home
from kassa.flows.shop import Shop
from kassa.modules import forget_all
from kassa.screens.font import Font
from kassa.screens.ui import Ui
from kassa.status import Status

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kassa.hardware import Board

_BEAT_MS = const(1000)
_IDLE_AFTER_MS = const(1500)  # without a key: time for erasing and warming
_FAULT_PAUSE_MS = const(10000)
_STOPPED_MS = const(10000)
_BOOT_ONLY = ("opening", "flows.renewal", "crypto.device", "crypto.tr31", "vault.mount", "vault.firm")


class Terminal:
    """Its tasks. `board`: see boards/*/board.py."""

    def __init__(self, board: "Board") -> None:
        self._board = board
        self._status = Status()
        board.display.start()
        self._ui = Ui(board.display, board.keypad, self._status, Font(), "zh")
        self._shop = Shop(self._ui, self._status)
        self._tasks = {}
        self._started = False

    async def run(self) -> None:
        """Never returns: ends in a restart."""
        self._start("keypad", self._board.keypad.run())
        self._start("cashier", self._cashier())
        reason = ""
        while not reason:
            await asyncio.sleep_ms(_BEAT_MS)
            for name, task in self._tasks.items():
                if task.done():
                    reason = name
            self._board.watchdog.feed()
        await self._stop(reason)

    def _start(self, name: str, coroutine: "Coroutine") -> None:
        """A named task: when it ends, the terminal stops safely."""
        self._tasks[name] = asyncio.create_task(self._watched(name, coroutine))

    async def _watched(self, name: str, coroutine: "Coroutine") -> None:
        try:
            await coroutine
        except Exception as error:  # noqa: BLE001 - the one place that sees every failure of a task
            log.stopped(name, error)
            if self._started:
                from kassa.vault import laststop

                laststop.note(self._board.settings, "%s %s" % (name, type(error).__name__))

    async def _stop(self, name: str) -> None:
        """A task died: say so, leave the reason for the next boot, start again."""
        for other, task in self._tasks.items():
            if other != name:
                task.cancel()
        ui = self._ui
        await ui.show(
            "refuse", ui.t("fault_title"), (ui.t("fault_internal"), ui.t("fault_code", name), ui.t("fault_restart"))
        )
        start = ticks_ms()
        while ticks_diff(ticks_ms(), start) < _STOPPED_MS:
            self._board.watchdog.feed()
            await asyncio.sleep_ms(_BEAT_MS)
        self._board.reset()

    # -- the cashier's task -----------------------------------------------------------------------------------------

    async def _cashier(self) -> None:
        shop = self._shop
        from kassa import opening

        await opening.run(self._board, shop)
        del opening
        forget_all(_BOOT_ONLY)
        gc.collect()
        self._start("line", shop.line.run())
        self._start("housekeeping", self._housekeeping())
        self._started = True
        from kassa.flows import fate

        await fate.tell(shop, self._board)
        del fate
        forget_all(("flows.fate", "flows.receipt", "desk.fate", "vault.laststop"))
        await home.run(shop)

    async def _housekeeping(self) -> None:
        """Work for quiet moments, one piece at a time."""
        board, shop = self._board, self._shop
        while True:
            await asyncio.sleep_ms(200)
            if (shop.courier.handshaken or shop.courier.heard) and not self._status.reversing:  # Online stands longer
                shop.courier.heard = False
                shop.till.host_heard()
            shop.till.pass_over(shop.courier.used)
            if self._status.renewed:
                self._status.renewed = False
                from kassa.flows import renewal

                renewal.renew(shop)
                del renewal
                forget_all(_BOOT_ONLY)
            shop.clock.now()  # ticks wrap: the clock must look at them now and then
            if 0 <= ticks_diff(ticks_ms(), board.keypad.last_press) < _IDLE_AFTER_MS:
                shop.till.busy()
                continue
            try:
                shop.till.idle()
            except (FlashFault, JournalFull, KeyringError):
                await asyncio.sleep_ms(_FAULT_PAUSE_MS)  # a sale will say it; here it is only tried again
            if 0 <= shop.till.journal.state.refused != self._status.refused_later:  # counted in a quiet moment
                self._status.queue(shop.till.journal.state)
