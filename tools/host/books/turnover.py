# SPDX-License-Identifier: MIT
"""Running sums of approved payments by terminal, batch, day and type, kept in the transaction that approves or undoes."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row

from tools.host.store import upsert
from tools.host.store.schema import turnover


class Turn(NamedTuple):
    """What one payment counts in."""

    tid: str
    epoch: int
    batch: str
    day: str
    type: str
    mid: str


def of(row: Row[Any]) -> Turn:
    """What an approved payment's row counts in."""
    return Turn(row.tid, row.epoch, row.settled_in, row.day or "", row.type, row.mid)


def add(db: Connection, turns: Iterable[tuple[Turn, int]], sign: int = 1) -> None:
    """Add payments with their worth (minor units); with `sign` -1 take them off again."""
    sums: dict[Turn, list[int]] = {}
    for turn, worth in turns:
        cell = sums.setdefault(turn, [0, 0])
        cell[0], cell[1] = cell[0] + sign, cell[1] + sign * worth
    rows = [{**turn._asdict(), "count": sums[turn][0], "worth": sums[turn][1]} for turn in sorted(sums)]
    upsert.add(db, turnover, rows, "count", "worth")
