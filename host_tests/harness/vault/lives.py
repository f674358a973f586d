# SPDX-License-Identifier: MIT
"""A journal's lives: a chip image that MicroPython steps through, and an ideal model of what it must contain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tests.harness.in_micropython.runner import Inside
from tools.journal import image

SECRET = bytes(range(32))
KEY = image.journal_key(SECRET)
SECTORS = 8
SIZE = SECTORS * image.SECTOR
ACCEPTED, INTENT = 0x51, 0x52
YES, DECLINED = 0x61, 0x64
TEARS = (
    "none",
    "prefix:1",
    "prefix:16",
    "prefix:40",
    "prefix:47",
    "half",
    "prefix:247",
    "all",
    "random:1",
    "random:2",
    "random:3",
)

Step = list[Any]


@dataclass
class Flash:
    """A chip's image file, and the interpreter that runs its lives."""

    inside: Inside
    path: Path
    key: bytes = KEY

    def set(self, data: bytes) -> Flash:
        self.path.write_bytes(data)
        return self

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()

    def live(
        self, steps: Iterable[Step] = (), cut: int = 0, tear: str = "none", weak: Iterable[int] = ()
    ) -> dict[str, Any]:
        """Run one life: mount, then steps. `cut`: flash operation at which power is cut; `weak`: bytes that keep nothing."""
        kind, _, number = tear.partition(":")
        seed = int(number) if kind == "random" else 1
        tear = kind if kind == "random" else tear
        return self.inside("vault", "life", str(self.path), self.key.hex(), list(steps), cut, tear, seed, list(weak))

    def read(self) -> image.Journal:
        """The journal as the independent reader finds it, every tag checked."""
        return image.read(self.data, self.key)


def words(journal: image.Journal) -> dict[int, str]:
    """Sequence -> disposition. An undecided intent counts as reversing, as it will after the next boot."""
    found = {sequence: journal.state(record) for sequence, record in journal.records.items()}
    return {sequence: "reversing" if word == "prepared" else word for sequence, word in found.items()}


def pairs(data: bytes) -> set[tuple[int, bytes]]:
    """(sequence, uid) of every valid record page."""
    found = set()
    for at in range(0, len(data), image.PAGE):
        page = data[at : at + image.PAGE]
        if at % image.SECTOR and page[0] in (ACCEPTED, INTENT) and image.holds(KEY, page[:248], page[248:]):
            found.add((int.from_bytes(page[4:8], "big"), page[8:24]))
    return found


def check(journal: image.Journal, state: dict[str, Any], data: bytes) -> None:
    """Assert that the firmware's state follows from the records the reader finds, and that no number is used twice."""
    states = words(journal)
    pending = [journal.records[sequence] for sequence, word in states.items() if word == "accepted"]
    assert state["count"] == len(pending)
    assert state["sum"] == sum(record.amount for record in pending)
    assert state["sequence"] == max(journal.records, default=0)
    assert bool(state["reversing"]) == ("reversing" in states.values())
    assert state["watermark"] == journal.watermark and state["closed"] == journal.closed
    seen = pairs(data)
    assert len({sequence for sequence, _ in seen}) == len(seen) == len({uid for _, uid in seen})
    if state["sequence"] and state["last"]:
        assert fate(state) == states[state["last"]]


def fate(state: dict[str, Any]) -> str:
    """The independent reader's word for the disposition that boot reports for the newest record."""
    if state["fate"] in (0, 0x67):
        return "accepted" if state["kind"] == ACCEPTED or state["fate"] else "reversing"
    return {0x61: "settled", 0x62: "settled"}.get(state["fate"], image.MARKS.get(state["fate"], "?").lower())


@dataclass
class Model:
    """The allowed dispositions of each record after a life that ran only some of its steps."""

    states: dict[int, set[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: image.Journal) -> Model:
        """The current contents. Records of closed batches may be erased at any time."""
        gone = {"absent"}
        return cls({s: {word} | (gone if s <= found.closed else set()) for s, word in words(found).items()})

    def apply(self, step: Step, result: Any, finished: bool) -> None:
        """Apply one step; an unfinished one may or may not have happened."""
        for sequence, word in self._effects(step, result):
            before = self.states.get(sequence, {"absent"})
            self.states[sequence] = {word} if finished else before | {word}

    def _effects(self, step: Step, result: Any) -> list[tuple[int, str]]:
        newest = max((sequence for sequence in self.states), default=0)
        name = step[0]
        if name == "accept":
            return [(newest + 1, "accepted" if step[3] == ACCEPTED else "reversing")]
        if name == "final":
            return [(newest, "settled" if step[1] == YES else "declined")]
        if name == "reversing":
            return [(newest, "reversing")]
        if name == "reversed":
            return [(newest, "reversed")]
        if name == "defer":
            return [(newest, "accepted")]
        if name == "void":
            return [(newest, "voided")]
        if name == "drain":
            waiting = [s for s, word in sorted(self.states.items()) if word == {"accepted"}]
            meant = {1: "settled", 2: "refused", 3: "accepted"}
            return [(s, meant[m]) for s, m in zip(waiting, step[1], strict=False)]
        return []

    def allows(self, found: dict[int, str]) -> None:
        """Assert that every record is in an allowed state, and that there are no others."""
        for sequence, allowed in self.states.items():
            assert found.get(sequence, "absent") in allowed, (sequence, found.get(sequence), allowed)
        assert set(found) <= set(self.states)
