# SPDX-License-Identifier: MIT
"""Checks the real journal against the model: runs lives on a chip, and compares its contents after every boot."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from host_tests.cuts.flows import ACCEPTED, DECLINED, KEYRING, SECRET, SECTOR, YES, provisioned_chip
from host_tests.cuts.judge import Violation, require, words
from host_tests.harness.in_micropython.runner import Inside, InsideError
from host_tests.harness.vault.model import FINAL, INTENT, Model, Payment, Step
from tools.bench import micropython32
from tools.journal import image
from tools.world import interpreter

RING = 6  # sectors of the journal: few, so that laps are short
PAGES = 15  # records per sector
FULL = 30  # with this many records in the open batch the journal may be full, and may keep answers in RAM only
KEY = image.journal_key(SECRET)
WORDS = {
    0: "accepted", 0x61: "settled", 0x62: "settled", 0x63: "refused", 0x64: "declined", 0x65: "reversing", 0x66: "reversed",
    0x67: "accepted", 0x6B: "reported", 0x6D: "voided",
}  # fmt: skip

Life = list[Any]  # steps, the operation at which power is cut (0 = never), what is left of that operation
Case = list[Any]  # days of trade beforehand, lives

DAY: list[Step] = [["idle"], ["pays", PAGES], ["drain", [1]], ["close"], ["idle"]]
AFTER: list[Life] = [[[], 0, ""], [[["idle"], ["pay", 4321], ["drain", [1]]], 0, ""], [[], 0, ""]]


def line(case: Case) -> str:
    """The command that replays a case."""
    return f"python -m host_tests.harness.vault.against_model {shlex.quote(json.dumps(case, separators=(',', ':')))}"


# -- steps --------------------------------------------------------------------------------------------------------------


def plain(steps: list[Step]) -> list[Step]:
    """Translate steps to those of cases_cuts.py."""
    made: list[Step] = []
    for name, *rest in steps:
        if name == "pays":
            made += [["pay", 100 + index, ACCEPTED] for index in range(rest[0])]
        elif name in ("pay", "intent"):
            made.append(["pay", rest[0], ACCEPTED if name == "pay" else INTENT, *rest[1:]])
        elif name == "final":
            made.append(["final", YES, "00"] if rest[0] == "yes" else ["final", DECLINED, "51"])
        else:
            made.append([name, *rest])
    return made


def planned(model: Model, steps: list[Step]) -> list[Step]:
    """The steps that a till would take, in order. Modifies `model`."""
    plan = []
    for step in plain(steps):
        if model.allows(step):
            plan.append([*step, model.records[model.newest].amount] if step[0] == "defer" else step)
            certain = step[0] != "drain" or model.newest - min(model.closed) < FULL
            model.apply(step, certain)
    return plan


# -- what a boot reports ------------------------------------------------------------------------------------------------


def meet(model: Model, booted: dict[str, Any], listed: list[Any]) -> None:
    """Check what a boot reports against the model, and resolve the model's uncertainties accordingly."""
    closed, there = booted["closed"], {sequence for sequence, _, _ in listed}
    require(closed in model.closed, "what was closed is known", closed, model.closed)
    require(bool(booted["closing"]) in model.closing, "a pending close is known", booted["closing"])
    model.closed, model.closing = {closed}, {bool(booted["closing"])}
    marks = dict(booted["marks"])
    for sequence in sorted(set(model.records) | there):
        one = model.records.get(sequence)
        word = WORDS.get(marks.get(sequence, 0), "missing")
        allowed = {word}
        if sequence <= booted["watermark"]:
            allowed = FINAL  # boot keeps nothing else about it
        elif sequence not in there:
            allowed = {"absent"}
        require(one is not None, "nothing is there that nobody paid", sequence, word)
        _settle(model, sequence, allowed)
    _list(model, [one for one in listed if one[0] > closed])
    _sums(model, booted)


def _settle(model: Model, sequence: int, allowed: set[str]) -> None:
    one = model.records[sequence]
    may = one.may & allowed
    require(len(may) == 1, "no payment is lost or changed", sequence, sorted(allowed), "and not", sorted(one.may))
    one.may = may
    if may == {"absent"}:
        del model.records[sequence]


def _list(model: Model, listed: list[Any]) -> None:
    """Check each record: its amount, and a uid that is unique and never changes."""
    wanted = [sequence for sequence in sorted(model.records) if sequence > max(model.closed)]
    require([sequence for sequence, _, _ in listed] == wanted, "every open record is listed once", listed, wanted)
    for sequence, uid, amount in listed:
        one = model.records[sequence]
        require((amount, uid) == (one.amount, one.uid or uid), "a payment is as it was", sequence, uid, amount)
        one.uid = uid
    uids = [one.uid for one in model.records.values() if one.uid]
    require(len(set(uids)) == len(uids), "no uid twice")


def _sums(model: Model, booted: dict[str, Any]) -> None:
    pending = model.surely("accepted")
    require(booted["count"] == len(pending), "the count is right", booted["count"], len(pending))
    require(booted["sum"] == sum(model.records[one].amount for one in pending), "the sum is right", booted["sum"])
    require(booted["sequence"] == booted["last"] == model.newest, "the newest is known", booted, model.newest)
    owed = model.surely("reversing")
    require(bool(booted["reversing"]) == bool(owed), "reversals owed are known", booted["reversing"], owed)
    if model.newest:
        fate = WORDS.get(booted["fate"], "?")
        if not booted["fate"] and booted["kind"] == INTENT:
            fate = "reversing"
        require({fate} == model.records[model.newest].may, "the last payment's fate is told", fate)


def blur(model: Model, before: Model) -> None:
    """Restore uncertainties: if nothing was written since boot, half-programmed cells may read differently next time."""
    model.closed |= before.closed
    model.closing |= before.closing
    for sequence, one in before.records.items():
        model.records.setdefault(sequence, Payment(one.amount, {"absent"}, one.uid)).may |= one.may


# -- lives --------------------------------------------------------------------------------------------------------------


class Shop:
    """A chip, a model of its contents, and the payments its host received."""

    def __init__(self, bench: Bench, chip: bytes, model: Model, seed: int) -> None:
        self.chip = chip
        self.model = model
        self._bench = bench
        self._seed = seed
        self._unstable: list[Any] = []
        self._sent: dict[str, str] = {}  # uid -> hash of the bytes first sent
        self._plan: list[Step] = []

    def live(self, lives: list[Life]) -> None:
        """Run each life, and check what its boot reports and what its steps did."""
        for steps, cut, tear in lives:
            self._plan = planned(deepcopy(self.model), steps)
            told = self._run(cut, tear)
            require(told["error"] in ("", "JournalFull"), "a till works", told["error"])
            require(told["booted"] is not None or told["cut"], "a till starts")
            if told["done"]:  # it booted and listed its records
                before = deepcopy(self.model)
                meet(self.model, told["booted"], told["done"][0])
                self._take(told)
                if self._unstable and not told["firm"]:
                    blur(self.model, before)
            self.model.restart()
            self._unstable = told["unstable"]
            if not told["cut"] and not self._unstable:
                self._read()

    def _run(self, cut: int, tear: str) -> dict[str, Any]:
        """Run one life in MicroPython; it lists its records first."""
        kind, _, number = tear.partition(":")
        self._seed += 1
        options = {
            "cut": cut, "tear": tear if kind == "prefix" else kind or "none", "unstable": self._unstable,
            "seed": self._seed * 10 + (0 if kind == "prefix" else int(number or 0)), "variant": self._bench.variant,
        }  # fmt: skip
        self._bench.path.write_bytes(self.chip)
        steps = [["list"], *self._plan]
        told = self._bench.inside("cuts", "life", str(self._bench.path), SECRET.hex(), steps, options)
        self.chip = self._bench.path.read_bytes()
        return told

    def _take(self, told: dict[str, Any]) -> None:
        """Apply the finished steps to the model, and the step that was cut short."""
        model, done = self.model, told["done"][1:]
        for step, result in zip(self._plan, done, strict=False):
            if step[0] == "pay":
                sequence, uid, amount = result
                require((sequence, amount) == (model.newest + 1, step[1]), "the sequence goes up by one", sequence)
            elif step[0] == "drain":
                self._drained(step, result)
            full = model.newest - min(model.closed) >= FULL
            model.apply(step, step[0] != "drain" or not full)
            if step[0] == "pay":
                model.records[model.newest].uid = uid
        if told["begun"] - 1 > len(done):
            step = self._plan[len(done)]
            full = model.newest - min(model.closed) >= FULL
            require(not told["error"] or full, "only a full journal is full", step, model.newest, model.closed)
            if not (told["error"] and step[0] == "pay"):
                model.apply(step, False)

    def _drained(self, step: Step, answers: list[Any]) -> None:
        """Check that exactly the pending records were sent, in order, with unchanged bytes."""
        wanted = [self.model.records[sequence].uid for sequence in self.model.effect(step)]
        sent_uids = [uid for uid, _, _ in answers]
        known = [uid or sent for uid, sent in zip(wanted, sent_uids, strict=False)]
        require(sent_uids == known and len(known) == len(wanted), "what is pending is sent", len(answers), len(wanted))
        for uid, sent, _ in answers:
            require(self._sent.setdefault(uid, sent) == sent, "what is sent again is unchanged", uid)

    def _read(self) -> None:
        """Check that the independent reader agrees with the model."""
        found, closed = words(image.read(self.chip[: RING * SECTOR], KEY)), max(self.model.closed)
        for sequence, one in self.model.records.items():
            gone = {"absent"} if sequence <= closed else set()
            require(found.get(sequence, "absent") in one.may | gone, "an independent reader agrees", sequence, one.may)
        require(set(found) <= set(self.model.records), "nothing is there that nobody paid")


@dataclass
class Bench:
    """Runs cases on one interpreter. `variant`: a deliberately wrong firmware, see cases_cuts.py."""

    inside: Inside
    path: Path
    variant: str = ""
    starting_states: dict[int, tuple[bytes, Model]] = field(default_factory=dict)

    def play(self, case: Case) -> None:
        """Run a case. Raises Violation with the fault and the command that replays it."""
        days, lives = case
        try:
            chip, model = self._starting_state(days)
            Shop(self, chip, deepcopy(model), days * 1000).live([*lives, *AFTER])
        except (Violation, InsideError) as broken:
            what = str(broken)
        else:
            return
        raise Violation(f"{what}\n{line(case)}")

    def _starting_state(self, days: int) -> tuple[bytes, Model]:
        """A chip and its model after `days` of trade without faults."""
        if days not in self.starting_states:
            blank = b"\xff" * (RING * SECTOR) + provisioned_chip()[-KEYRING * SECTOR :]
            shop = Shop(self, blank, Model(), 500_000 + days * 1000)
            shop.live([[DAY, 0, ""]] * days)
            self.starting_states[days] = shop.chip, shop.model
        return self.starting_states[days]


def main(arguments: list[str]) -> int:
    """Replay the case of `line` on every installed interpreter."""
    commands = [interpreter.micropython(), micropython32.find()]
    for command in filter(None, map(str, [one for one in commands if one])):
        with Inside(command) as inside, tempfile.TemporaryDirectory(prefix="kassa-model-") as folder:
            Bench(inside, Path(folder) / "chip.bin", *arguments[1:]).play(json.loads(arguments[0]))
        print(f"{command}: every promise is kept")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
