# SPDX-License-Identifier: MIT
"""The page's commands, as JSON: keys, cards, phone, Wi-Fi, power, and the host's mood (how it answers)."""

import datetime
import threading
from collections.abc import Callable
from typing import Any

from tools.cards.card import Card
from tools.cards.catalogue import CATALOGUE, Wallet
from tools.host.errors import SetupError
from tools.panel.news import News
from tools.panel.phone import PhoneScreen
from tools.panel.shop_clock import ShopClock
from tools.whole_system import WholeSystem
from tools.world.keypad import KEYS
from tools.world.wifi_radio import STATES
from tools.world.world import WorldError

_TAP_S = 1.6  # how long a tapped card stays on the reader
SLOW = "slow"  # Wi-Fi that works, slowly
_SLOW_MS = 700
_MOST_BYTES = 100_000
_MOST_HOURS = 24
_TEARS = ("none", "half", "random")


class CommandError(ValueError):
    """An invalid command. The text may be shown on the page."""


class Commands:
    """Executes one command at a time. Thread-safe."""

    def __init__(self, system: WholeSystem, wallet: Wallet, news: News, phone: PhoneScreen, clock: ShopClock) -> None:
        self._system = system
        self._world = system.world
        self._wallet = wallet
        self._news = news
        self._phone = phone
        self._clock = clock
        self._lock = threading.RLock()
        self._lying: dict[str, Card] = {}
        self._timers: dict[str, threading.Timer] = {}
        self._doers: dict[str, Callable[[dict[str, Any]], None]] = {
            "key": self._key,
            "tap": self._tap,
            "lay": self._lay,
            "take": self._take,
            "radio": self._radio,
            "power": self._power,
            "cut": self._cut,
            "mood": self._mood,
            "line": self._line,
            "clock": self._move_clock,
            "tear_off": self._tear_off,
        }
        self.cut_armed = False
        self.torn = 0  # how many receipts have been torn off

    @property
    def radio(self) -> str:
        """The state of the Wi-Fi: the radio's, or "slow"."""
        radio = self._world.radio
        return SLOW if radio.state == "on" and radio.delay_ms else radio.state

    @property
    def lying(self) -> list[str]:
        """Names of the cards on the reader."""
        return list(self._lying)

    def do(self, command: object) -> None:
        """Execute {"do": ..., ...}. Raises CommandError for an invalid command."""
        if not isinstance(command, dict) or str(command.get("do")) not in (*self._doers, "phone"):
            raise CommandError("no such command")
        if command["do"] == "phone":  # its payments may take seconds, and meanwhile keys are pressed
            return self._use_phone(command)
        with self._lock:
            try:
                self._doers[str(command["do"])](command)
            except WorldError as error:
                self._news.event("fault", text=str(error).partition("\n")[0])

    def close(self) -> None:
        """Stop the timers and save the cards."""
        with self._lock:
            for timer in self._timers.values():
                timer.cancel()
            self._timers.clear()
            self._wallet.save()

    def _use_phone(self, command: dict[str, Any]) -> None:
        try:
            self._phone.do(command)
        except ValueError as error:
            raise CommandError(str(error)) from None

    def _key(self, command: dict[str, Any]) -> None:
        key = command.get("key")
        if not isinstance(key, str) or len(key) != 1 or key not in KEYS:
            raise CommandError("no such key")
        if self._world.on:
            self._world.press(key)

    def _tap(self, command: dict[str, Any]) -> None:
        """Hold a card on the reader briefly."""
        name = self._name(command)
        self._put(name)
        timer = self._timers[name] = threading.Timer(_TAP_S, self._lift, (name,))
        timer.daemon = True
        timer.start()

    def _lay(self, command: dict[str, Any]) -> None:
        """Leave a card on the reader."""
        self._put(self._name(command))

    def _take(self, command: dict[str, Any]) -> None:
        self._lift(self._name(command))

    def _put(self, name: str) -> None:
        self._lift(name)
        card = self._lying[name] = self._wallet.card(name)
        self._world.place(card)
        self._news.event("card", card=name)

    def _lift(self, name: str) -> None:
        with self._lock:
            timer = self._timers.pop(name, None)
            if timer is not None:
                timer.cancel()
            card = self._lying.pop(name, None)
            if card is not None:
                self._world.chips.field.remove(card)
                self._wallet.save()

    def _name(self, command: dict[str, Any]) -> str:
        name = command.get("card")
        if not isinstance(name, str) or name not in CATALOGUE:
            raise CommandError("no such card")
        return name

    def _radio(self, command: dict[str, Any]) -> None:
        state = command.get("state")
        if state not in (*STATES, SLOW):
            raise CommandError("no such radio state")
        if self.radio != state:
            self._world.radio.delay_ms = _SLOW_MS if state == SLOW else 0
            self._world.radio.state = "on" if state == SLOW else str(state)
            self._news.event(f"radio_{state}")

    def _line(self, command: dict[str, Any]) -> None:
        """Break the connection after so many more bytes to the host."""
        count = command.get("bytes")
        if type(count) is not int or not 0 <= count <= _MOST_BYTES:
            raise CommandError("no such number of bytes")
        self._world.radio.cut_after(count)
        self._news.event("line_cut", bytes=count)

    def _move_clock(self, command: dict[str, Any]) -> None:
        """Move the shop's clock forward by hours, or until morning; the terminal's moves with it."""
        hours = command.get("hours")
        if command.get("until") == "morning":
            by = self._clock.until_morning()
        elif type(hours) is int and 0 < hours <= _MOST_HOURS:
            by = datetime.timedelta(hours=hours)
        else:
            raise CommandError("no such step in time")
        self._clock.advance(by)
        if self._world.on:
            self._world.leap(round(by.total_seconds() * 1000))
        self._news.event("clock", moment=self._clock.now().isoformat(sep=" ", timespec="minutes"))

    def _tear_off(self, command: dict[str, Any]) -> None:
        """Tear the paper off the printer."""
        if self.torn < len(self._world.receipts):
            self.torn = len(self._world.receipts)
            self._news.event("torn")

    def _power(self, command: dict[str, Any]) -> None:
        on = bool(command.get("on"))
        if on == self._world.on:
            return
        if on:
            self._world.power_on()
        else:
            self._world.power_off()
        self.cut_armed = False

    def _cut(self, command: dict[str, Any]) -> None:
        """Cut the power inside the next flash operation; `tear` says how much of the operation is done."""
        tear = command.get("tear", "half")
        if tear not in _TEARS:
            raise CommandError("no such tear")
        if self._world.on:
            self._world.cut_at(1, str(tear))
            self.cut_armed = True
            self._news.event("cut_armed")

    def _mood(self, command: dict[str, Any]) -> None:
        mood = str(command.get("mood"))
        host, before = self._system.host, self._system.host.mood
        try:
            host.mood = mood
        except SetupError as error:
            raise CommandError(str(error)) from None
        if host.mood != before:
            self._news.event("mood", mood=host.mood)
