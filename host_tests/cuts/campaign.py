# SPDX-License-Identifier: MIT
"""Cuts the power at every program and erase of every flow, from every starting state, with every tear; then twice."""

from __future__ import annotations

import random
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tests.cuts.flows import FLOWS, SECRET, SHORT, Step, pay, provisioned_chip, recipe, starting_states_of
from host_tests.cuts.judge import Observations, Violation, key_states, require
from host_tests.harness.in_micropython.runner import Inside, InsideError

CELL, ERASE = 16, 0
_CASES = 1_000_000  # larger than the seeds of the starting states
_SECOND = 12  # a second cut is at one of this many operations after the reboot
AFTER: list[Step] = [["idle"], ["list"], pay(4321), ["drain", [1]], ["list"]]


def tears(size: int) -> list[str]:
    """The tears that a cut can leave: of a program of `size` bytes, or of an erase (0)."""
    if size == ERASE:
        return ["none", "half", "all", "random:1", "random:2", "unstable:1", "unstable:2"]
    prefixes = [f"prefix:{count}" for count in range(CELL, size, CELL)]
    return ["none", *prefixes, "all", "random:1", "random:2", "unstable:1", "unstable:2"]


def kind(tear: str) -> str:
    return tear.partition(":")[0]


@dataclass(frozen=True)
class Cut:
    """A power cut within one flash operation of a life. Operations are counted from 1."""

    operation: int
    tear: str

    def __str__(self) -> str:
        return f"{self.operation}/{self.tear}"


@dataclass(frozen=True)
class Case:
    """A flow from a starting state with a cut, and the cuts in the boots after it."""

    flow: str
    start: str
    cuts: tuple[Cut, ...]

    def __str__(self) -> str:
        return f"{self.flow} | {self.start} | {' '.join(map(str, self.cuts))}"

    @classmethod
    def parse(cls, line: str) -> Case:
        """The case whose `str` is `line`."""
        flow, start, cuts = (part.strip() for part in line.split("|"))
        made = [cut.partition("/") for cut in cuts.split()]
        return cls(flow, start, tuple(Cut(int(operation), tear) for operation, _, tear in made))


State = tuple[str, str, int, str]


def state(case: Case) -> State:
    """The state that a case covers: flow, starting state, number of cuts, and kind of the first tear."""
    return case.flow, case.start, len(case.cuts), kind(case.cuts[0].tear)


@dataclass
class StartingState:
    """A chip after lives without a cut, and what was observed during those lives."""

    chip: bytes
    observed: Observations
    logs: dict[str, list[int]] = field(default_factory=dict)  # flow -> bytes of each of its operations


class Campaign:
    """Runs cases on one interpreter. `folder`: for the chip's image. `variant`: of the firmware, for control tests."""

    def __init__(self, inside: Inside, folder: Path, variant: str = "") -> None:
        self._inside = inside
        self._path = folder / "chip.bin"
        self._variant = variant
        self._starting_states: dict[str, StartingState] = {}
        self._seed = 0
        self.run: Counter[State] = Counter()

    # -- lives ------------------------------------------------------------------------------------------------------

    def _life(
        self, chip: bytes, steps: list[Step], observed: Observations, unstable: Any = (), cut: Cut | None = None
    ) -> Any:
        """Run one life of a chip. Returns its report and the chip afterwards."""
        self._path.write_bytes(chip)
        self._seed += 1
        options: dict[str, Any] = {"seed": self._seed, "unstable": unstable, "variant": self._variant}
        if cut is not None:
            tear, _, number = cut.tear.partition(":")
            options["cut"] = cut.operation
            options["tear"] = cut.tear if tear == "prefix" else tear
            if number and tear != "prefix":
                options["seed"] = self._seed * 1000 + int(number)
        report = self._inside("cuts", "life", str(self._path), SECRET.hex(), steps, options)
        observed.life(steps, report)
        return report, self._path.read_bytes()

    def starting_state(self, name: str) -> StartingState:
        """The starting state of this name, made on first use."""
        if name not in self._starting_states:
            chip, observed = provisioned_chip(), Observations()
            self._seed = len(self._starting_states) * 1000
            for steps in recipe(name):
                report, chip = self._life(chip, steps, observed)
                require(
                    not report["error"] and not report["cut"],
                    "a starting state is made without an error",
                    name,
                    report["error"],
                )
            self._starting_states[name] = StartingState(chip, observed)
        return self._starting_states[name]

    def log(self, flow: str, name: str) -> list[int]:
        """The flash operations of the flow without a cut: bytes of each program, 0 for an erase."""
        start = self.starting_state(name)
        if flow not in start.logs:
            report, _ = self._life(start.chip, FLOWS[flow], copy(start.observed))
            require(report["error"] in ("", "JournalFull"), "a flow completes", flow, name, report["error"])
            start.logs[flow] = report["log"]
        return start.logs[flow]

    # -- cases ------------------------------------------------------------------------------------------------------

    def singles(self) -> Iterator[Case]:
        """Every case with one cut."""
        for flow in FLOWS:
            for name in starting_states_of(flow):
                for operation, size in enumerate(self.log(flow, name), 1):
                    for tear in tears(size):
                        yield Case(flow, name, (Cut(operation, tear),))

    def pairs(self, dice: random.Random) -> Iterator[Case]:
        """Cases with two cuts of the short flows, the second in the recovery from the first; endless.

        Each pair of operations is played once, in random order and with random tears, before any is repeated.
        """
        places = [
            (flow, name, operation, second)
            for flow in SHORT
            for name in starting_states_of(flow)
            for operation in range(len(self.log(flow, name)))
            for second in range(1, _SECOND + 1)
        ]
        while places:
            dice.shuffle(places)
            for flow, name, operation, second in places:
                first = Cut(operation + 1, dice.choice(tears(self.log(flow, name)[operation])))
                yield Case(flow, name, (first, Cut(second, dice.choice(tears(256)))))

    def play(self, case: Case) -> None:
        """Play one case and check it. Raises Violation with the broken guarantee."""
        start = self.starting_state(case.start)
        self._seed = _CASES + zlib.crc32(str(case).encode()) * 8  # the same on every replay
        chip, observed = start.chip, copy(start.observed)
        unstable: Any = ()
        steps = FLOWS[case.flow]
        try:
            for cut in case.cuts:
                report, chip = self._life(chip, steps, observed, unstable, cut)
                unstable = report["unstable"]
                steps = AFTER
            self._recovers(chip, observed, unstable)
        except InsideError as error:
            raise Violation(f"the firmware raised {error.kind}: {error.message} {error.trace}") from error
        self.run[state(case)] += 1

    def _recovers(self, chip: bytes, observed: Observations, unstable: Any) -> None:
        """Boot and check; boot again, pay and settle; boot once more and check."""
        report, after = self._life(chip, [], observed, unstable)
        require(not report["error"], "the till starts again", report["error"])
        first = report["booted"]
        require(first is not None, "the till starts")
        observed.look(after, first)
        again, last = self._life(after, AFTER, observed, report["unstable"])
        require(again["booted"] is not None, "the till starts a second time", again["error"])
        wavering = bool(report["unstable"])  # nothing was written since: unstable cells may still change
        for name in () if wavering else ("count", "sum", "sequence", "fate", "reversing", "closed"):
            require(
                again["booted"][name] == first[name],
                "a second boot reports the same",
                name,
                again["booted"][name],
                first[name],
            )
        require(again["error"] in ("", "JournalFull"), "the next payment works", again["error"])
        if again["error"]:
            require(
                first["count"] >= 40 or first["sequence"] - first["closed"] >= 40,
                "only a full journal is reported as full",
                first,
            )
        if again["keys"]:
            require(len(key_states(last)) == 1, "no older key state is left", key_states(last))
        report, chip = self._life(last, [], observed, again["unstable"])
        observed.look(chip, report["booted"])


def copy(observed: Observations) -> Observations:
    """An independent copy."""
    return Observations(
        {sequence: set(states) for sequence, states in observed.states.items()},
        dict(observed.paid), dict(observed.sent), set(observed.counters), set(observed.stans), set(observed.may_be),
    )  # fmt: skip
