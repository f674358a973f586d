# SPDX-License-Identifier: MIT
"""The customer's phone as the page shows it: what it displays, and what its buttons do."""

import dataclasses
from collections.abc import Callable
from typing import Any

from qrcodegen import QrCode

from tools.sim.wallets.app import MOODS, WAITING, PhoneError
from tools.sim.wallets.phone import Phone
from tools.world import shown_code
from tools.world.world import World

_NEWEST = 5
_SAID = {"the code has expired": "expired", "too late": "late", "no wallet here knows this code": "unknown"}


class PhoneScreen:
    """One phone at one terminal. An invalid command raises ValueError, whose text may be shown.

    `do` and `view` come from different threads. Nothing is locked: a payment may take seconds, and the page goes on.
    """

    def __init__(self, phone: Phone, world: World) -> None:
        self._phone, self._world = phone, world
        self._code: tuple[str, str] | None = None  # wallet, digits
        self._open = ""  # the id of the payment that the customer looks at
        self._said = ""
        self._acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "code": self._show_code,
            "hold": self._hold,
            "scan": self._scan,
            "pay": self._pay,
            "refuse": self._refuse,
            "mood": self._set_mood,
            "home": lambda command: None,
        }
        self.sees = False  # whether the terminal shows a code

    def do(self, command: dict[str, Any]) -> None:
        """Execute {"act": ..., ...}."""
        act = self._acts.get(str(command.get("act")))
        if act is None:
            raise ValueError("no such button on the phone")
        self._said = ""
        if command["act"] not in ("hold", "mood"):
            self._code = None
        try:
            act(command)
        except PhoneError as error:
            self._said = _SAID.get(str(error), "failed")

    def look(self, pixels: bytes) -> None:
        """Look at the terminal's display, RGB565."""
        self.sees = bool(shown_code.read(pixels))

    def view(self) -> dict[str, Any]:
        """Everything that the page draws. Amounts in minor units, times in ms since 1970."""
        items, code = self._phone.items(), self._code
        waiting = [item for item in items if item.state == WAITING]
        chosen = next((item for item in waiting if item.id == self._open), waiting[0] if waiting else None)
        return {
            "shop": self._phone.shop,
            "moods": {name: app.mood for name, app in self._phone.apps.items()},
            "sees": self.sees,
            "code": _drawn(*code) if code else None,
            "waiting": dataclasses.asdict(chosen) if chosen else None,
            "items": [dataclasses.asdict(item) for item in items if item.state != WAITING][:_NEWEST],
            "said": self._said,
        }

    def _show_code(self, command: dict[str, Any]) -> None:
        wallet = self._wallet(command)
        digits = self._phone.apps[wallet].code()
        if not digits:
            raise ValueError("this wallet has no payment code")
        self._code = wallet, digits

    def _hold(self, command: dict[str, Any]) -> None:
        """Hold the code before the till's scanner. A code is good once, so the phone forgets it."""
        code, self._code = self._code, None
        if code:
            self._world.scan(code[1])

    def _scan(self, command: dict[str, Any]) -> None:
        text = shown_code.read(self._world.chips.display.pixels)
        if not text:
            self._said = "nothing"
            return
        _, self._open = self._phone.scan(text)

    def _pay(self, command: dict[str, Any]) -> None:
        self._phone.apps[self._wallet(command)].pay(str(command.get("id")))

    def _refuse(self, command: dict[str, Any]) -> None:
        self._phone.apps[self._wallet(command)].refuse(str(command.get("id")))

    def _set_mood(self, command: dict[str, Any]) -> None:
        mood = str(command.get("mood"))
        if mood not in MOODS:
            raise ValueError("no such mood")
        self._phone.apps[self._wallet(command)].set_mood(mood)

    def _wallet(self, command: dict[str, Any]) -> str:
        wallet = str(command.get("wallet"))
        if wallet not in self._phone.apps:
            raise ValueError("no such wallet")
        return wallet


def _drawn(wallet: str, digits: str) -> dict[str, Any]:
    """A code as digits and as the rows of its QR Code: "1" is a dark module."""
    code = QrCode.encode_text(digits, QrCode.Ecc.MEDIUM)
    span = range(code.get_size())
    rows = ["".join("1" if code.get_module(x, y) else "0" for x in span) for y in span]
    return {"wallet": wallet, "digits": digits, "rows": rows}
