# SPDX-License-Identifier: MIT
"""An ideal journal: a dictionary."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

Step = list[Any]

INTENT, YES = 0x52, 0x61
WINDOW = 64  # records that a drain sends
FINAL = {"settled", "refused", "declined", "reversed", "reported"}
ANSWERED = {"accepted": ("settled", "refused", "accepted"), "voided": ("reported", "refused", "voided")}
MADE = {"reversing": "reversing", "defer": "accepted", "void": "voided"}


@dataclass
class Payment:
    """A record: its amount, its possible dispositions, and its uid once seen."""

    amount: int
    may: set[str]
    uid: str = ""


@dataclass
class Model:
    """The possible contents: a step cut short may or may not have happened, until a boot shows which."""

    records: dict[int, Payment] = field(default_factory=dict)
    closed: set[int] = field(default_factory=lambda: {0})
    closing: set[bool] = field(default_factory=lambda: {False})

    @property
    def newest(self) -> int:
        return max(self.records, default=0)

    def surely(self, *words: str) -> list[int]:
        """The sequences that are certainly in one of these states."""
        return [sequence for sequence, one in sorted(self.records.items()) if one.may <= set(words)]

    def allows(self, step: Step) -> bool:
        """Whether a till would take this step now."""
        undecided = any("prepared" in one.may for one in self.records.values())
        owed = any("reversing" in one.may for one in self.records.values())
        if step[0] in ("closing", "close"):
            return len(self.surely(*FINAL)) == len(self.records) and self.newest > max(self.closed)
        if step[0] == "pay":
            return not (undecided or True in self.closing or (owed and step[2] == INTENT))
        if step[0] == "reversed":
            return bool(self.surely("reversing"))
        return step[0] in ("idle", "heard", "drain") or undecided

    def effect(self, step: Step) -> dict[int, str]:
        """Sequence -> the disposition that a step gives it."""
        if step[0] == "pay":
            return {self.newest + 1: "prepared" if step[2] == INTENT else "accepted"}
        if step[0] == "drain":
            sent = zip(self.surely("accepted", "voided")[:WINDOW], cycle(step[1]), strict=False)
            return {one: ANSWERED[min(self.records[one].may)][meaning - 1] for one, meaning in sent}
        if step[0] == "reversed":
            return {self.surely("reversing")[0]: "reversed"}
        if step[0] == "final":
            return {self.newest: "settled" if step[1] == YES else "declined"}
        return {self.newest: MADE[step[0]]} if step[0] in MADE else {}

    def apply(self, step: Step, finished: bool = True) -> None:
        """Apply a step; an unfinished one may or may not have happened."""
        for sequence, word in self.effect(step).items():
            one = self.records.setdefault(sequence, Payment((*step, 0)[1], {"absent"}))
            one.may = {word} if finished else {word} | one.may
        if step[0] in ("closing", "close"):
            self.closing = {step[0] == "closing"} | (set() if finished else self.closing)
        if step[0] == "close":
            self.closed = {self.newest} | (set() if finished else self.closed)

    def restart(self) -> None:
        """Power was lost: an undecided intent counts as sent, and must be reversed."""
        for one in self.records.values():
            one.may = {"reversing" if word == "prepared" else word for word in one.may}
