# SPDX-License-Identifier: MIT
"""Polls the simulation many times a second and publishes changes: display, receipts, power, radio, flash, ledger."""

import threading
import time
from typing import Any

from tools.panel import terminal_totals
from tools.panel.commands import Commands
from tools.panel.ledger import LedgerWatch
from tools.panel.news import News
from tools.panel.phone import PhoneScreen
from tools.panel.picture import Picture
from tools.panel.shop_clock import ShopClock
from tools.whole_system import WholeSystem
from tools.world import ocr
from tools.world.printer import Receipt
from tools.world.world import WorldError

_LOOK_S = 0.012
_FRAME_S = 1 / 15
_READ_AFTER_S = 0.12  # the display's text is read once the picture has settled
_LEDGER_S = 0.15
_CHECK_S = 0.5
_RECEIPTS = 20


class ChangeWatch:
    """Runs in its own thread. Publishes every change through `news`."""

    def __init__(
        self, system: WholeSystem, commands: Commands, news: News, phone: PhoneScreen, clock: ShopClock
    ) -> None:
        self._system = system
        self._world = system.world
        self._commands = commands
        self._news = news
        self._phone = phone
        self._clock = clock
        self._picture = Picture()
        self._ledger = LedgerWatch(system.host, news, clock)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._seen: tuple[int, bool] = (-1, False)  # bytes written to the display, power
        self._framed = self._changed = 0.0
        self._unread = False
        self._flash = -1
        self._power = False
        self._receipts: list[int] = []  # when each was printed, ms since 1970
        self._torn = 0
        self._resets = 0
        self._beeps = 0
        self._last: int | None = None  # sequence of the newest payment
        self._next_ledger = self._next_check = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(_LOOK_S):
            now = time.monotonic()
            self._look_at_power()
            self._look_at_display(now)
            self._look_at_paper()
            self._listen()
            self._look_at_flash()
            if now >= self._next_ledger:
                self._next_ledger = now + _LEDGER_S
                self._ledger.look()
                self._news.publish("phone", self._phone.view())
            if now >= self._next_check:
                self._next_check = now + _CHECK_S
                self._check()

    def _look_at_power(self) -> None:
        world, commands = self._world, self._commands
        on = world.on
        if on != self._power:
            self._news.event("power_on" if on else "power_cut" if commands.cut_armed else "power_off")
            commands.cut_armed = False
        self._power = on
        if len(world.resets) > self._resets:
            self._resets = len(world.resets)
            self._news.event("reset")
        self._news.publish("world", {
            "power": on,
            "radio": commands.radio,
            "line_cut": world.radio.cutting,
            "clock": self._clock.now().isoformat(timespec="minutes"),
            "mood": self._system.host.mood,
            "waiting": bool(on and world.chips.reader.radio.on),
            "lying": commands.lying,
            "cut": commands.cut_armed,
        })  # fmt: skip

    def _look_at_display(self, now: float) -> None:
        on = self._power
        seen = (self._world.chips.display.bytes_in, on)
        if seen != self._seen:
            if now - self._framed < _FRAME_S:
                return
            self._seen, self._framed = seen, now
            pixels = self._world.chips.display.pixels
            change = self._picture.update(pixels if on else bytes(len(pixels)))
            if change:
                self._news.picture(*change)
                self._changed, self._unread = now, True
        elif self._unread and now - self._changed > _READ_AFTER_S:
            self._unread = False
            pixels = self._world.chips.display.pixels
            self._news.publish("screen", ocr.read(pixels) if on else [])
            self._phone.look(pixels)

    def _look_at_paper(self) -> None:
        receipts, torn = self._world.receipts, self._commands.torn
        before = len(self._receipts)
        if len(receipts) == before and torn == self._torn:
            return
        self._receipts += [self._clock.ms()] * (len(receipts) - before)
        self._torn = torn
        self._news.publish("paper", [
            {"number": number, "at": self._receipts[number], "torn": number < torn, "lines": _lines(receipt)}
            for number, receipt in enumerate(receipts)
        ][-_RECEIPTS:])  # fmt: skip
        if before < len(receipts):
            self._news.event("receipt")

    def _listen(self) -> None:
        beeps = self._world.beeps
        for beep in beeps[self._beeps :]:
            self._news.event(f"beep_{beep}")
        self._beeps = len(beeps)

    def _look_at_flash(self) -> None:
        ops = self._world.flash_ops
        done = ops.programs + ops.erases
        if done != self._flash:
            self._flash = done
            view = terminal_totals.read(self._world.home)
            self._look_at_last(view["last"])
            self._news.publish("till", {**view, "programs": ops.programs, "erases": ops.erases, "bytes": ops.bytes})

    def _look_at_last(self, last: dict[str, Any] | None) -> None:
        sequence = last["sequence"] if last else 0
        if last and self._last is not None and sequence > self._last and last["state"] in ("accepted", "prepared"):
            self._news.event(f"till_{last['state']}", amount=last["amount"], stan=last["stan"])
        self._last = sequence

    def _check(self) -> None:
        """Publish a fault if the terminal has printed a traceback: any call of the world raises it."""
        try:
            self._world.press("")
        except WorldError as error:
            lines = str(error).splitlines()
            self._news.event("fault", text=lines[-1] if lines else "")


def _lines(receipt: Receipt) -> list[dict[str, Any]]:
    return [{"text": line.text, "align": line.align, "bold": line.bold, "size": line.size} for line in receipt.lines]
