# SPDX-License-Identifier: MIT
"""Cuts the power everywhere: every program and erase of every flow, on every ground, under every tear; then pairs of cuts."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tests.cuts.flows import FLOWS, SECRET, SHORT, Step, grounds_of, pay, recipe, virgin
from host_tests.cuts.judge import Shop, Violation, demand, key_states
from host_tests.harness.inside.inside import Inside, InsideError

CELL, ERASE = 16, 0
_CASES = 1_000_000  # above all seeds of grounds
_SECOND = 12  # operations of a boot, and of what follows it, among which a second cut may fall
AFTER: list[Step] = [["idle"], ["list"], pay(4321), ["drain", [1]], ["list"]]


def tears(size: int) -> list[str]:
    """What a cut can leave of an operation: of a program of `size` bytes, or of an erase (0)."""
    if size == ERASE:
        return ["none", "half", "all", "random:1", "random:2", "unstable:1", "unstable:2"]
    prefixes = [f"prefix:{count}" for count in range(CELL, size, CELL)]
    return ["none", *prefixes, "all", "random:1", "random:2", "unstable:1", "unstable:2"]


def kind(tear: str) -> str:
    return tear.partition(":")[0]


@dataclass(frozen=True)
class Cut:
    """Power dies within an operation of a life, counted from 1."""

    operation: int
    tear: str

    def __str__(self) -> str:
        return f"{self.operation}/{self.tear}"


@dataclass(frozen=True)
class Case:
    """A flow on a ground, cut; then the boots after it, cut too."""

    flow: str
    ground: str
    cuts: tuple[Cut, ...]

    def __str__(self) -> str:
        return f"{self.flow} | {self.ground} | {' '.join(map(str, self.cuts))}"

    @classmethod
    def parse(cls, line: str) -> Case:
        """The case that `str` has printed."""
        flow, ground, cuts = (part.strip() for part in line.split("|"))
        made = [cut.partition("/") for cut in cuts.split()]
        return cls(flow, ground, tuple(Cut(int(operation), tear) for operation, _, tear in made))


State = tuple[str, str, int, str]


def state(case: Case) -> State:
    """What a case counts for: flow, ground, cuts, and the tear of the first."""
    return case.flow, case.ground, len(case.cuts), kind(case.cuts[0].tear)


@dataclass
class Ground:
    """A chip made by lives without a cut, and what was seen meanwhile."""

    chip: bytes
    shop: Shop
    logs: dict[str, list[int]] = field(default_factory=dict)  # flow -> bytes of each of its operations


class Campaign:
    """Runs cases on one interpreter. `folder`: where the chip's image lies."""

    def __init__(self, inside: Inside, folder: Path, variant: str = "") -> None:
        self._inside = inside
        self._path = folder / "chip.bin"
        self._variant = variant
        self._grounds: dict[str, Ground] = {}
        self._seed = 0
        self.run: Counter[State] = Counter()

    # -- lives ------------------------------------------------------------------------------------------------------

    def _life(self, chip: bytes, steps: list[Step], shop: Shop, unstable: Any = (), cut: Cut | None = None) -> Any:
        """One life of a chip; returns what it told and the chip afterwards."""
        self._path.write_bytes(chip)
        self._seed += 1
        options: dict[str, Any] = {"seed": self._seed, "unstable": unstable, "variant": self._variant}
        if cut is not None:
            tear, _, number = cut.tear.partition(":")
            options["cut"] = cut.operation
            options["tear"] = cut.tear if tear == "prefix" else tear
            if number and tear != "prefix":
                options["seed"] = self._seed * 1000 + int(number)
        told = self._inside("cuts", "life", str(self._path), SECRET.hex(), steps, options)
        shop.life(steps, told)
        return told, self._path.read_bytes()

    def ground(self, name: str) -> Ground:
        """The ground of this name, made once."""
        if name not in self._grounds:
            chip, shop = virgin(), Shop()
            self._seed = len(self._grounds) * 1000
            for steps in recipe(name):
                told, chip = self._life(chip, steps, shop)
                demand(not told["error"] and not told["cut"], "a ground is made without trouble", name, told["error"])
            self._grounds[name] = Ground(chip, shop)
        return self._grounds[name]

    def log(self, flow: str, name: str) -> list[int]:
        """What the flow does to the flash when nobody cuts: bytes of each program, 0 for an erase."""
        ground = self.ground(name)
        if flow not in ground.logs:
            told, _ = self._life(ground.chip, FLOWS[flow], copy(ground.shop))
            demand(told["error"] in ("", "JournalFull"), "a flow goes through", flow, name, told["error"])
            ground.logs[flow] = told["log"]
        return ground.logs[flow]

    # -- cases ------------------------------------------------------------------------------------------------------

    def singles(self) -> Iterator[Case]:
        """One cut, everywhere."""
        for flow in FLOWS:
            for name in grounds_of(flow):
                for operation, size in enumerate(self.log(flow, name), 1):
                    for tear in tears(size):
                        yield Case(flow, name, (Cut(operation, tear),))

    def pairs(self, dice: random.Random) -> Iterator[Case]:
        """Two cuts of the short flows, the second in the recovery from the first: each pair of operations once, shuffled,
        under a tear each that the dice choose; then all of them again, for ever.
        """
        places = [
            (flow, name, operation, second)
            for flow in SHORT
            for name in grounds_of(flow)
            for operation in range(len(self.log(flow, name)))
            for second in range(1, _SECOND + 1)
        ]
        while places:
            dice.shuffle(places)
            for flow, name, operation, second in places:
                first = Cut(operation + 1, dice.choice(tears(self.log(flow, name)[operation])))
                yield Case(flow, name, (first, Cut(second, dice.choice(tears(256)))))

    def play(self, case: Case) -> None:
        """One case, judged. Raises Violation with what is wrong."""
        ground = self.ground(case.ground)
        self._seed = _CASES + zlib.crc32(str(case).encode()) * 8  # the same each time it is played
        chip, shop = ground.chip, copy(ground.shop)
        unstable: Any = ()
        steps = FLOWS[case.flow]
        try:
            for cut in case.cuts:
                told, chip = self._life(chip, steps, shop, unstable, cut)
                unstable = told["unstable"]
                steps = AFTER
            self._recovers(chip, shop, unstable)
        except InsideError as error:
            raise Violation(f"the firmware raised {error.kind}: {error.message} {error.trace}") from error
        self.run[state(case)] += 1

    def _recovers(self, chip: bytes, shop: Shop, unstable: Any) -> None:
        """Boots, looks, pays and settles; boots once more and looks again."""
        told, after = self._life(chip, [], shop, unstable)
        demand(not told["error"], "the till starts again", told["error"])
        first = told["booted"]
        demand(first is not None, "the till starts")
        shop.look(after, first)
        again, last = self._life(after, AFTER, shop, told["unstable"])
        demand(again["booted"] is not None, "the till starts once more", again["error"])
        wavering = bool(told["unstable"])  # nothing was written since: cells may still change their mind
        for name in () if wavering else ("count", "sum", "sequence", "fate", "reversing", "closed"):
            demand(
                again["booted"][name] == first[name],
                "a second boot says the same",
                name,
                again["booted"][name],
                first[name],
            )
        demand(again["error"] in ("", "JournalFull"), "the next payment works", again["error"])
        if again["error"]:
            demand(
                first["count"] >= 40 or first["sequence"] - first["closed"] >= 40, "only a full journal is full", first
            )
        if again["keys"]:
            demand(len(key_states(last)) == 1, "no older key state is left", key_states(last))
        told, chip = self._life(last, [], shop, again["unstable"])
        shop.look(chip, told["booted"])


def copy(shop: Shop) -> Shop:
    """A shop whose lives go on elsewhere."""
    return Shop(
        {sequence: set(states) for sequence, states in shop.states.items()},
        dict(shop.paid), dict(shop.sent), set(shop.counters), set(shop.stans), set(shop.may_be),
    )  # fmt: skip
