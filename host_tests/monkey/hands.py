# SPDX-License-Identifier: MIT
"""A monkey at the terminal: keys, cards, codes, cables and switches at random, from a seed. It knows the staff's codes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from host_tests.harness.whole.staff import CODES
from tools.cards import catalogue
from tools.whole_system import WholeSystem
from tools.world.access_points import ENTERPRISE, OPEN, AccessPoint

CARDS = ("jade", "amber", "quartz", "lotus")
MOODS = ("normal", "normal", "normal", "decline 51", "silent", "mute", "cut", "bad_mac", "late 3000", "twice", "asks")
NEIGHBOURS = (
    AccessPoint("upstairs", -50, key="right-one"),
    AccessPoint("mall", -52, OPEN, ""),
    AccessPoint("office\x01\n\x7f", -55, ENTERPRISE),
    AccessPoint("\U0001f600 \ue000", -60, key="abcdefgh"),
)
_LOG_IN = "Log in", "Terminal locked", "登录", "锁定"
_CODE = "digits", "位密码"
_WHO = "Operator number", "操作员号"
_HOME = "Type the amount", "输入金额"


class Hands:
    """`step` does one thing. `pages`: how often each title was seen."""

    def __init__(self, system: WholeSystem, seed: int) -> None:
        self.pages: Counter[str] = Counter()
        self.done: list[str] = []  # what was done, the newest last
        self._host, self._world = system.host, system.world
        self._dice = random.Random(seed)
        self._cards = [catalogue.make(name) for name in CARDS]
        self._world.radio.others = NEIGHBOURS

    def step(self) -> None:
        """Look at the page, do something, and give the terminal a moment."""
        lines = self._world.screen_text() if self._world.on else []
        self.pages["".join(lines[1:2])] += 1
        self._do(" ".join(lines[1:]))
        if not self._world.on:
            self._world.power_on()
        self._world.run_for(self._dice.choice((150, 300, 600)))

    def make_up(self) -> None:
        """Put everything in order again that was broken: network, host, paper, power."""
        self._host.mood, self._world.radio.state, self._world.chips.printer.paper = "normal", "on", True
        self._world.remove()
        if self._world.on:
            self._world.power_off()
        self._world.power_on()

    def _do(self, page: str) -> None:
        if any(word in page for word in _LOG_IN):
            who = self._dice.choice((1, 1, 90, 99, 99))
            self._press(f"{who}E")
            self._world.run_for(600)
            self._press(f"{CODES[who]}E" if self._dice.random() < 0.9 else "1111E")
        elif any(word in page for word in _CODE) and self._dice.random() < 0.8:
            self._press(CODES[self._dice.choice((90, 99))] + "E")
        elif any(word in page for word in _WHO) and self._dice.random() < 0.8:
            self._press(self._dice.choice(("90E", "99E", "1E", "7E", "0E", "C")))
        elif any(word in page for word in _HOME) and self._dice.random() < 0.75:
            self._press("M" + "".join(self._some("1234567")) if self._dice.random() < 0.7 else "12E")
        else:
            self._anything()

    def _anything(self) -> None:
        world, dice = self._world, self._dice
        roll = dice.random()
        if roll < 0.80:
            self._press(dice.choice(("".join(self._some("123456789")), "E", "E", "C", "M", "U", "D", "B", "0")))
        elif roll < 0.86:
            world.place(dice.choice(self._cards))
            self.done.append("card")
        elif roll < 0.90:
            world.remove()
        elif roll < 0.92:
            world.scan(f"13412345678901234{dice.randrange(10)}")
            self.done.append("scan")
        elif roll < 0.94:
            world.radio.state = dice.choice(("on", "on", "off", "half_open"))
            self.done.append(f"radio {world.radio.state}")
        elif roll < 0.96:
            self._host.mood = dice.choice(MOODS)
            self.done.append(f"host {self._host.mood}")
        elif roll < 0.97:
            world.chips.printer.paper = dice.random() < 0.8
        elif roll < 0.975:
            world.power_off()
            self.done.append("power off")
        else:
            world.run_for(dice.choice((1000, 5000, 20_000)))

    def _press(self, keys: str) -> None:
        self._world.press(keys)
        self.done.append(keys)

    def _some(self, keys: str) -> Iterator[str]:
        return (self._dice.choice(keys) for _ in range(self._dice.randrange(1, 4)))
