# SPDX-License-Identifier: MIT
"""The terminal: starts the rooms in order, then runs its named tasks under one supervisor that feeds the watchdog."""

import asyncio
import gc
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import log, status
from kassa.clock import Clock
from kassa.crypto.wipe import zero
from kassa.desk.limits import Limits
from kassa.desk.till import Till
from kassa.errors import (
    CryptoError,
    FlashFault,
    JournalDamaged,
    JournalFull,
    KassaError,
    KeyringError,
    ReaderFault,
    SettingsError,
)
from kassa.flows import home
from kassa.flows.shop import Shop
from kassa.modules import forget
from kassa.screens.font import Font
from kassa.screens.ui import Ui
from kassa.status import Status
from kassa.uplink.courier import Courier
from kassa.uplink.line import Line
from kassa.uplink.messages import Identity
from kassa.vault import laststop, settings
from kassa.vault.journal import Journal
from kassa.vault.keyring import Keyring
from kassa.vault.layout import number
from kassa.vault.settings import Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Coroutine

    from kassa.hardware import Board

_BEAT_MS = const(1000)
_IDLE_AFTER_MS = const(1500)  # without a key: time for erasing and warming
_FAULT_PAUSE_MS = const(10000)
_STOPPED_MS = const(10000)
_BOOT_ONLY = ("kassa.crypto.device", "kassa.crypto.tr31", "kassa.vault.mount", "kassa.vault.firm")

# What keeps the terminal from selling, and the two lines the cashier reads.
_FAULTS = (
    (JournalDamaged, "fault_journal", "fault_journal_note"),
    (KeyringError, "fault_keys", "fault_keys_note"),
    (CryptoError, "fault_keys", "fault_keys_note"),  # a key block that is not this device's, or a failed self-test
    (SettingsError, "fault_provision", "fault_provision_note"),
    (FlashFault, "fault_flash", ""),
    (JournalFull, "limit_full", ""),
)


class Terminal:
    """The object graph. `board`: see boards/*/board.py."""

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
        ui = self._ui
        await ui.show("wait", ui.t("start_title"), (ui.t("please_wait"),))
        try:
            self._open()
        except KassaError as error:
            await self._out_of_service(error)
            return
        await self._reader()
        shop = self._shop
        for name in _BOOT_ONLY:
            forget(name)
        gc.collect()
        self._start("line", shop.line.run())
        self._start("housekeeping", self._housekeeping())
        self._started = True
        reason = laststop.take(self._board.settings)
        if not reason and self._board.reset_cause() == "watchdog":
            reason = "watchdog"
        if reason:
            await ui.message(
                "warn", ui.t("fault_title"), (ui.t("fault_code", reason), ui.t("fault_restart")), fresh=True
            )
        await self._tell(shop)
        await home.run(shop)

    async def _tell(self, shop: Shop) -> None:
        """What became of the last payment; once after a start."""
        from kassa.flows import fate

        await fate.tell(shop)
        forget("kassa.flows.fate")
        forget("kassa.flows.receipt")

    def _open(self) -> None:
        """Self-test, settings, keys, journal, in this order. Raises a KassaError that keeps the terminal from selling."""
        from kassa.crypto.device import CARDS, JOURNAL, KBPK, KEYRING, SETTINGS, device_key, self_test
        from kassa.vault.mount import mount

        board, shop, news = self._board, self._shop, self._status
        self_test(board.entropy)
        secret = board.device_secret
        values = Settings(board.settings, device_key(secret, SETTINGS), board.entropy)
        values.open()
        self._ui.use(str(values.get(settings.LANGUAGE, b"zh"), "utf-8"))
        keyring = Keyring(board.keyring, device_key(secret, KEYRING), board.entropy)
        kbpk = device_key(secret, KBPK)
        try:
            keyring.open(kbpk)
        finally:
            zero(kbpk)
        key = device_key(secret, JOURNAL)
        journal = Journal(board.journal, key)
        zero(key)
        shop.torn = mount(journal).torn  # not the whole of it: that would keep a module of boot's in memory
        clock = Clock()
        clock.floor(max(journal.state.heard, number(journal.last, 44)))
        who = Identity(values.get(settings.TERMINAL), values.get(settings.MERCHANT))
        largest = values.get(settings.LARGEST_SALE, bytes(6))
        shop.settings, shop.clock = values, clock
        shop.entropy, shop.reader, shop.printer = board.entropy, board.reader, board.printer
        shop.name = str(values.get(settings.MERCHANT_NAME, b""), "utf-8")
        shop.terminal, shop.merchant = str(who.terminal, "utf-8"), str(who.merchant, "utf-8")
        shop.cards = board.cards, device_key(secret, CARDS)
        limits = Limits(values.get(settings.LIMITS, b""))
        shop.till = Till(journal, keyring, limits, int.from_bytes(largest, "big"), clock, board.entropy)
        shop.courier = Courier(journal, keyring, who, clock, news, board.entropy)
        shop.line = Line(shop.courier, values, board.wifi, board.keypad, news, board.entropy)
        news.queue(journal.state)

    async def _reader(self) -> None:
        """A reader that does not answer is told once; sales say so again."""
        ui = self._ui
        try:
            await self._board.reader.start()
        except ReaderFault:
            await ui.message("warn", ui.t("fault_reader"), (), "E=key_ok", 10000)

    async def _out_of_service(self, error: KassaError) -> None:
        """Nothing is sold and nothing is erased; stay on this screen."""
        ui = self._ui
        title, note = "fault_internal", ""
        for kind, named, told in _FAULTS:
            if isinstance(error, kind):
                title, note = named, told
        lines = [ui.t(title), ui.t("fault_code", str(error))]
        if note:
            lines.append(ui.t(note))
        while True:
            await ui.message("refuse", ui.t("fault_title"), lines, "", 60000)

    async def _housekeeping(self) -> None:
        """Work for quiet moments, one piece at a time."""
        board, shop = self._board, self._shop
        while True:
            await asyncio.sleep_ms(200)
            if self._status.link == status.LINK_HOST and not self._status.reversing:
                shop.till.host_heard()
            shop.till.pass_over(shop.courier.used)
            shop.clock.now()  # ticks wrap: the clock must look at them now and then
            if 0 <= ticks_diff(ticks_ms(), board.keypad.last_press) < _IDLE_AFTER_MS:
                continue
            try:
                shop.till.idle()
            except (FlashFault, JournalFull, KeyringError):
                await asyncio.sleep_ms(_FAULT_PAUSE_MS)  # a sale will say it; here it is only tried again
