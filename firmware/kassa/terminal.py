# SPDX-License-Identifier: MIT
"""The terminal: starts up, then runs named tasks under one supervisor that feeds the watchdog."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import log, overlay
from kassa.errors import FlashFault, JournalFull, KeyringError
from kassa.flows.idle import main_loop
from kassa.flows.session import Session
from kassa.screens.font import Font
from kassa.screens.ui import Ui
from kassa.status import Status

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kassa.hardware import Board

_BEAT_MS = const(1000)
_IDLE_AFTER_MS = const(1500)  # without a key press: then sectors are erased and ciphers prepared
_FAULT_PAUSE_MS = const(10000)
_STOPPED_MS = const(10000)
_LASTED_BEATS = const(60)  # a minute: then the resets before it no longer count, see drivers/starts.py


class Terminal:
    """Runs the tasks of one terminal. `board`: see boards/*/board.py."""

    def __init__(self, board: "Board") -> None:
        self._board = board
        overlay.enabled = not board.spare_memory
        overlay.collect()
        self._status = Status()
        self._ui = Ui(board.display, board.keypad, self._status, Font(), "zh")
        self._session = Session(self._ui, self._status)
        self._tasks = {}
        self._started = False
        board.display.start()  # last: it waits less; and before any task, whose failure is shown

    async def run(self) -> None:
        """Run all tasks until one ends, then restart the board. Does not return."""
        self._start("keypad", self._board.keypad.run())
        self._start("cashier", self._cashier())
        reason, beats = "", 0
        while not reason:
            self._board.watchdog.feed()
            await asyncio.sleep_ms(_BEAT_MS)
            beats += 1
            if beats == _LASTED_BEATS:
                self._board.forget_resets()
            for name, task in self._tasks.items():
                if task.done():
                    reason = name
        await self._stop(reason)

    def _start(self, name: str, coroutine: "Coroutine") -> None:
        """Start a named task. When it ends, the terminal stops and restarts."""
        self._tasks[name] = asyncio.create_task(self._watched(name, coroutine))

    async def _watched(self, name: str, coroutine: "Coroutine") -> None:
        try:
            await coroutine
        except Exception as error:  # noqa: BLE001 - every failure of a task ends here
            log.stopped(name, error)
            if self._started:
                from kassa.vault.settings import stop_reason

                stop_reason.note(self._board.settings, "%s %s" % (name, type(error).__name__))

    async def _stop(self, name: str) -> None:
        """A task has ended: cancel the others, show the fault and restart the board."""
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
        """Start up, report what became of the last payment, then run the main loop."""
        session = self._session
        await self._start_up()
        overlay.enter("flow")
        self._start("line", session.connection.run())
        self._start("housekeeping", self._housekeeping())
        self._started = True
        await self._tell_after_restart()
        await main_loop.run(session)

    async def _start_up(self) -> None:
        overlay.collect()
        from kassa import startup

        await startup.run(self._board, self._session)

    async def _tell_after_restart(self) -> None:
        from kassa.flows.idle import after_restart

        await after_restart.report(self._session, self._board)

    async def _housekeeping(self) -> None:
        """Background work: one step at a time, while no key is pressed."""
        board, session = self._board, self._session
        await asyncio.sleep_ms(200)  # the home page is drawn
        overlay.collect_early()
        while True:
            await asyncio.sleep_ms(200)
            seen = session.courier.counter_seen
            session.till.skip_used(seen)
            if (
                session.courier.handshaken or seen
            ) and not self._status.reversing:  # not LINK_HOST: it outlasts the connection
                session.courier.counter_seen = 0
                session.till.host_heard()
            if self._status.renewed:
                self._status.renewed = False
                self._apply_settings()
            self._status.minute = (
                session.clock.now() // 60
            )  # ticks wrap: the clock must be read regularly, also for this
            if 0 <= ticks_diff(ticks_ms(), board.keypad.last_press) < _IDLE_AFTER_MS:
                session.till.cancel_search()
                continue
            try:
                session.till.idle_step()
            except (FlashFault, JournalFull, KeyringError):
                await asyncio.sleep_ms(_FAULT_PAUSE_MS)  # the next sale reports it; here it is only retried
            if 0 <= session.till.journal.state.refused != self._status.refused_later:  # idle_step has counted them
                self._status.set_pending(session.till.journal.state)

    def _apply_settings(self) -> None:
        from kassa.flows.idle import apply_settings

        apply_settings.apply(self._session, self._session.settings)
