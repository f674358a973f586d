# SPDX-License-Identifier: MIT
"""Control cases of the campaign: two stores in place of the journal that lose payments, which must be detected."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from host_tests.cuts.campaign import Cut
from host_tests.cuts.judge import require
from host_tests.harness.in_micropython.runner import Inside

STORES = ("FAT", "header first")
_PAID = [["pay", number] for number in range(1, 8)]
_SETTLED = [["settle", number] for number in range(1, 6)]
_NEXT = [["pay", number] for number in range(8, 16)]


class Control:
    """Cuts the power of a store and checks it against the guarantees of the journal."""

    def __init__(self, inside: Inside, folder: Path, store: str) -> None:
        self._inside, self._path, self._store = inside, folder / "control.bin", store
        self._life(_PAID + _SETTLED, fresh=True)
        self._initial = self._path.read_bytes()

    def _life(self, steps: list[list[Any]], **options: Any) -> dict[str, Any]:
        return self._inside("controls", "life", str(self._path), self._store, steps, options)

    def cuts(self) -> Iterator[Cut]:
        """Every cut of the flow, with the simplest tears. After other tears of a folder, FAT may search without end."""
        for operation in range(1, len(self._begin(_NEXT)["log"]) + 1):
            for tear in ("none", "half", "all"):
                yield Cut(operation, tear)

    def _begin(self, steps: list[list[Any]], **options: Any) -> dict[str, Any]:
        self._path.write_bytes(self._initial)
        return self._life(steps, **options)

    def play(self, cut: Cut) -> None:
        """Play one cut. Raises Violation with the broken guarantee."""
        report = self._begin(_NEXT, cut=cut.operation, tear=cut.tear)
        paid = [number for _, number in (_PAID + _NEXT[: report["done"]])[len(_SETTLED) :]]
        begun = [number for _, number in _NEXT[report["done"] : report["done"] + 1]]
        again = self._life([])
        require(not again["error"] and again["booted"] is not None, "the till starts again", again["error"])
        found = again["booted"]
        require(set(paid) <= set(found), "no accepted payment lost or changed", sorted(set(paid) - set(found)))
        require(set(found) <= set(paid + begun), "no payment appears that was never made", found)
