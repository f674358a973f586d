# SPDX-License-Identifier: MIT
"""A till on a chip that wears out: lives with flash faults, each checked at its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from host_tests.cuts.flows import IDLE, KEYRING, RING, SECRET, SECTOR, YES, Step, intent, pay, provisioned_chip
from host_tests.cuts.judge import Observations, require
from host_tests.harness.in_micropython.runner import Inside
from tools.journal import image

REFUSALS = ("JournalFull", "FlashFault")
_UNLIMITED = 1 << 24


def day(number: int, payments: int = 12) -> list[Step]:
    """A day of trade, settled and closed at its end."""
    first = 1000 + 100 * number
    return [
        IDLE, *[pay(first + index) for index in range(payments)], intent(first + 90), ["final", YES, "00"],
        ["drain", [1, 2, 3, 1]], ["drain", [1]], ["closing"], ["close"], IDLE,
    ]  # fmt: skip


class Worn:
    """One till on a worn chip.

    `faults`: sector -> fault, as in WornChip; may change between lives. `endurance`: erases of a journal sector.
    """

    def __init__(self, inside: Inside, path: Path, endurance: int = 0) -> None:
        self._inside = inside
        self._path = path
        self._lives = 0
        self.endurance = endurance
        self.faults: dict[int, str] = {}
        self.observed = Observations()
        self.chip = provisioned_chip()
        self.wear = {RING + sector: -_UNLIMITED for sector in range(KEYRING)}
        self.last_report: dict[str, Any] = {}

    def life(self, steps: list[Step], may_refuse: bool = False) -> bool:
        """Run and check one life. Returns False if the till refused to work, which only `may_refuse` allows."""
        self._lives += 1
        self._path.write_bytes(self.chip)
        options = {
            "seed": self._lives, "faults": self.faults, "endurance": self.endurance, "wear": list(self.wear.items()),
        }  # fmt: skip
        report = self.last_report = self._inside("cuts", "life", str(self._path), SECRET.hex(), steps, options)
        self.chip = self._path.read_bytes()
        self.wear = dict(report["wear"])
        allowed = ("", *REFUSALS) if may_refuse else ("",)
        require(
            report["error"] in allowed, "the till works", self._lives, report["error"], report["begun"], self.faults
        )
        self.observed.life(steps, report)
        return not report["error"]

    def look(self, may_refuse: bool = False) -> image.Journal | None:
        """Boot, and check chip and state. Returns the journal, or None if the till refused to boot."""
        if self.life([], may_refuse) or self.last_report["booted"]:
            return self.observed.look(self.chip, self.last_report["booted"])
        return None

    def erases(self) -> list[int]:
        """The erase count of each sector of the journal."""
        return [self.wear.get(sector, 0) for sector in range(RING)]

    def headers(self) -> list[bytes]:
        """The first bytes of each sector of the journal."""
        return [self.chip[sector * SECTOR : sector * SECTOR + 16] for sector in range(RING)]
