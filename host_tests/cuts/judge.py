# SPDX-License-Identifier: MIT
"""Checks a till's reports and its chip after power cuts. Shares no code with the firmware."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from host_tests.cuts.flows import ACCEPTED, RING, SECRET, SECTOR, YES, Step
from tools.device_key import device_key
from tools.host.keys import mac
from tools.journal import image

KEY = image.journal_key(SECRET)
FATES = {0x61: "settled", 0x62: "settled"}


class Violation(AssertionError):
    """A broken guarantee; the text names it."""


def require(holds: bool, guarantee: str, *seen: Any) -> None:
    """Raise Violation with the guarantee and the values seen if it does not hold."""
    if not holds:
        raise Violation(": ".join([guarantee, *(str(one) for one in seen)]))


def journal_of(chip: bytes) -> bytes:
    return chip[: RING * SECTOR]


def key_states(chip: bytes) -> set[int]:
    """The generations of all whole key states that the keyring partition holds (docs/keys.md)."""
    ring, key = chip[RING * SECTOR :], device_key(SECRET, b"keyring")
    copies = (ring[at : at + 592] for at in range(0, len(ring), SECTOR // 2))
    return {
        int.from_bytes(one[4:8], "big")
        for one in copies
        if one[:2] == b"KR" and mac.tag(key, one[:576]) == one[576:584]
    }


def words(journal: image.Journal) -> dict[int, str]:
    """Sequence -> disposition. An intent without a decision is to be reversed after the next boot."""
    found = {sequence: journal.state(record) for sequence, record in journal.records.items()}
    return {sequence: "reversing" if word == "prepared" else word for sequence, word in found.items()}


@dataclass
class Observations:
    """All that was observed of one till over its lives: payments, messages sent to the host, and keys used."""

    states: dict[int, set[str]] = field(default_factory=dict)  # sequence -> its possible dispositions
    paid: dict[int, tuple[str, int]] = field(default_factory=dict)  # sequence -> uid, amount, as the cashier saw them
    sent: dict[str, str] = field(default_factory=dict)  # uid -> hash of the first message to the host
    counters: set[int] = field(default_factory=set)
    stans: set[int] = field(default_factory=set)
    may_be: set[int] = field(default_factory=set)  # sequences of payments interrupted by a power cut

    def life(self, steps: list[Step], report: dict[str, Any]) -> None:
        """Add the report of one life. Raises Violation if a key, STAN or sequence occurs twice."""
        for counter, stan in report["keys"]:
            require(counter not in self.counters, "no key twice", counter)
            require(stan not in self.stans, "no STAN twice", stan)
            self.counters.add(counter)
            self.stans.add(stan)
        if report["booted"] is None:
            return
        done = report["done"]
        for index, step in enumerate(steps[: max(report["begun"], len(done))]):
            refused = index == report["begun"] - 1 and bool(report["error"])
            self._step(step, done[index] if index < len(done) else None, refused)

    def _step(self, step: Step, result: Any, refused: bool) -> None:
        name, newest = step[0], max(self.states, default=0)
        if name == "pay":
            if result is not None:
                sequence, uid, amount = result
                require(sequence not in self.paid, "no sequence twice", sequence)
                self.paid[sequence] = uid, amount
                self.states[sequence] = {"accepted" if step[2] == ACCEPTED else "reversing"}
                if step[2] != ACCEPTED:
                    self.states[sequence] |= {"prepared"}
            elif not refused:
                self.may_be.add(newest + 1)
                self.states[newest + 1] = {"absent", "accepted" if step[2] == ACCEPTED else "reversing"}
        elif name == "drain":
            if result is not None:
                self._drained(result, step[1])
            else:
                for sequence, states in self.states.items():
                    if states & {"accepted", "voided"}:
                        self.states[sequence] = states | {"settled", "refused", "reported"}
        else:
            word = {
                "final": "settled" if step[-2:-1] == [YES] else "declined", "reversing": "reversing", "reversed": "reversed",
                "defer": "accepted", "void": "voided",
            }.get(name)  # fmt: skip
            if word is not None and newest:
                self.states[newest] = self.states[newest] | {word}

    def _drained(self, answers: list[Any], meanings: list[int]) -> None:
        by_uid = {uid: sequence for sequence, (uid, _) in self.paid.items()}
        unseen = {1: {"settled", "reported"}, 2: {"refused"}, 3: set()}
        for uid, sent, meaning in answers:
            require(self.sent.setdefault(uid, sent) == sent, "a repeated message is unchanged", uid)
            for sequence in [by_uid[uid]] if uid in by_uid else self.may_be:
                self.states[sequence] = self.states[sequence] | unseen[meaning]

    def look(self, chip: bytes, booted: dict[str, Any]) -> image.Journal:
        """Check all guarantees on the chip after a boot and on the report of that boot. Raises Violation."""
        journal = image.read(journal_of(chip), KEY)
        found = words(journal)
        for sequence, allowed in self.states.items():
            gone = {"absent"} if sequence <= journal.closed else set()
            word = found.get(sequence, "absent")
            require(word in allowed | gone, "no accepted payment lost or changed", sequence, word, sorted(allowed))
            if sequence in self.paid and sequence in journal.records:
                record, (uid, amount) = journal.records[sequence], self.paid[sequence]
                require(
                    not uid or (record.uid.hex(), record.amount) == (uid, amount), "a payment is unchanged", sequence
                )
        require(set(found) <= set(self.states), "no payment appears that was never made", set(found) - set(self.states))
        pending = [journal.records[sequence] for sequence, word in found.items() if word == "accepted"]
        require(booted["count"] == len(pending), "the count is right", booted["count"], len(pending))
        require(booted["sum"] == sum(record.amount for record in pending), "the sum is right", booted["sum"])
        newest = max(journal.records, default=0)
        require(
            booted["sequence"] == max(newest, booted["closed"]),
            "the newest record is known",
            booted["sequence"],
            newest,
        )
        require(
            bool(booted["reversing"]) == ("reversing" in found.values()),
            "open reversals are known",
            booted["reversing"],
        )
        if booted["last"] and booted["last"] in found:
            require(
                _fate(booted) == found[booted["last"]],
                "the last payment's disposition is reported correctly",
                _fate(booted),
            )
        uids = [record.uid for record in journal.records.values()]
        require(len(set(uids)) == len(uids), "no uid twice")
        return journal


def _fate(booted: dict[str, Any]) -> str:
    """The journal tool's word for the disposition of the newest record that the boot reports."""
    fate = booted["fate"]
    if fate in (0, 0x67):
        return "accepted" if booted["kind"] == ACCEPTED or fate else "reversing"
    return FATES.get(fate, image.MARKS.get(fate, "?").lower())
