# SPDX-License-Identifier: MIT
"""The payment chain: each record carries its predecessor's seal tag. Records arrive in any order; gaps are reported.

Only records whose seal holds are in it. A damaged record keeps its place if its neighbour vouches for it: the next
record's header, which is sealed, or the terminal's handshake names its tag.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from tools.host.keys.seal import Record
from tools.host.store.schema import link, terminal
from tools.host.store.schema_behind import damaged, lost
from tools.host.transactions import epochs
from tools.host.transactions.terminals import NO_TAG

PAYMENT, VOID, REVERSAL = "payment", "void", "reversal"
Range = tuple[int, int]  # the first and the last sequence

_OF_EPOCH = (link.c.tid == bindparam("tid"), link.c.epoch == bindparam("epoch"))
_NEAR = select(link).where(*_OF_EPOCH, link.c.sequence.between(bindparam("first"), bindparam("last")))
ADD = insert(link)
_TOP = select(func.max(link.c.sequence)).where(*_OF_EPOCH).scalar_subquery()
_HIGHEST = select(link).where(*_OF_EPOCH, link.c.sequence == _TOP)
_ENDS = select(func.min(link.c.sequence), func.max(link.c.sequence)).where(*_OF_EPOCH)
_PAIRS = (
    select(link.c.sequence, func.lead(link.c.sequence).over(order_by=link.c.sequence).label("following"))
    .where(*_OF_EPOCH)
    .subquery()
)
_BREAKS = select(_PAIRS).where(_PAIRS.c.following > _PAIRS.c.sequence + 1).order_by(_PAIRS.c.sequence)
_DAMAGED = select(damaged.c.sequence, damaged.c.tag, damaged.c.recomputed).where(
    damaged.c.tid == bindparam("tid"), damaged.c.epoch == bindparam("epoch")
)
_LOST = select(lost.c.first, lost.c.last).where(lost.c.tid == bindparam("tid"), lost.c.epoch == bindparam("epoch"))


def add(db: Connection, tid: str, record: Record, kind: str, start: int) -> str | None:
    """Store the link of a record whose seal holds, and check it against its neighbours. `start`: see epochs.start.

    Returns the evidence of a rolled-back or cloned chip, or None.
    """
    at = record.sequence
    rows = near(db, tid, record.epoch, at, at)
    same = [row for row in rows if row.sequence == at]
    if any(row.uid == record.uid.hex() for row in same):
        return None
    state = state_of(record, [row for row in rows if row.sequence == at - 1], start)
    own = record.seal_tag.hex()
    db.execute(ADD, row_of(tid, record, kind, state))
    broken_after = _verify_next(db, [row for row in rows if row.sequence == at + 1], own)
    if same:
        return f"two records have sequence {at}"
    if state == "broken" or broken_after:
        return f"the chain does not hold at sequence {at}"
    return None


def row_of(tid: str, record: Record, kind: str, state: str) -> dict[str, Any]:
    """What `add` stores."""
    own = record.seal_tag.hex()
    return {
        "tid": tid,
        "epoch": record.epoch,
        "sequence": record.sequence,
        "uid": record.uid.hex(),
        "previous_tag": record.previous_tag.hex(),
        "tag": own,
        "recomputed_tag": own,
        "kind": kind,
        "state": state,
    }


def near(db: Connection, tid: str, epoch: int, first: int, last: int) -> Sequence[Row[Any]]:
    """The links of these sequences, and of one before and one after them."""
    return db.execute(_NEAR, {"tid": tid, "epoch": epoch, "first": first - 1, "last": last + 1}).all()


def highest(db: Connection, tid: str, epoch: int) -> tuple[int, set[str], str]:
    """The highest stored sequence of an epoch, every tag it may have, and the tag it arrived with.

    (0, {zero tag}, zero tag) if the epoch has no records.
    """
    rows = db.execute(_HIGHEST, {"tid": tid, "epoch": epoch}).all()
    if not rows:
        return 0, {NO_TAG}, NO_TAG
    return rows[0].sequence, {tag for row in rows for tag in (row.tag, row.recomputed_tag)}, rows[0].tag


def gaps(db: Connection, tid: str, epoch: int, newest: int) -> list[Range]:
    """Missing sequences of an epoch as (first, last), up to `newest` or the highest stored, whichever is higher.

    Neither damaged records in their place are missing, nor those that are lost for good.
    """
    key = {"tid": tid, "epoch": epoch}
    start = epochs.start(db, tid, epoch)
    lowest, top = db.execute(_ENDS, key).one()
    if top is None:
        found = [(start + 1, newest)] if newest > start else []
    else:
        found = [(start + 1, lowest - 1)] if lowest > start + 1 else []
        found += [
            (row.sequence + 1, row.following - 1) for row in db.execute(_BREAKS, key) if row.following > start + 1
        ]
        found += [(top + 1, newest)] if newest > top else []
    if not found:
        return []
    return without(without(found, _vouched(db, tid, epoch)), lost_ranges(db, tid, epoch))


def between(db: Connection, tid: str, epochs_of: Range, low: int, high: int) -> list[Range]:
    """Sequences from `low` to `high` that no record has in any of these epochs, the first and the last one given."""
    first, last = epochs_of
    mine = link.c.tid == tid, link.c.epoch.between(first, last), link.c.sequence.between(low, high)
    holes: list[Range] = []
    for sequence in db.execute(select(link.c.sequence).where(*mine).distinct().order_by(link.c.sequence)).scalars():
        if holes and holes[-1][1] == sequence - 1:
            holes[-1] = (holes[-1][0], sequence)
        else:
            holes.append((sequence, sequence))
    found = without([(low, high)] if low <= high else [], holes)
    for epoch in range(first, last + 1):
        found = without(found, _vouched(db, tid, epoch))
    return found


def lost_ranges(db: Connection, tid: str, epoch: int) -> list[Range]:
    """Sequences that exist nowhere any more."""
    return [(row.first, row.last) for row in db.execute(_LOST, {"tid": tid, "epoch": epoch})]


def without(ranges: Iterable[Range], holes: Iterable[Range]) -> list[Range]:
    """Ranges of sequences, without those that are in `holes`."""
    left = list(ranges)
    for first, last in holes:
        kept: list[Range] = []
        for low, high in left:
            if last < low or first > high:
                kept.append((low, high))
                continue
            kept += [(low, first - 1)] if low < first else []
            kept += [(last + 1, high)] if last < high else []
        left = kept
    return left


def within(ranges: Iterable[Range], low: int, high: int) -> list[Range]:
    """The parts of ranges from `low` to `high`."""
    cut = [(max(first, low), min(last, high)) for first, last in ranges]
    return [(first, last) for first, last in cut if first <= last]


def words(ranges: Sequence[Range], most: int = 20) -> str:
    """Ranges for people: "3, 5 to 9 and more"."""
    parts = [str(first) if first == last else f"{first} to {last}" for first, last in ranges[:most]]
    return ", ".join(parts) + " and more" * (len(ranges) > most)


def count(ranges: Iterable[Range]) -> int:
    """The number of sequences."""
    return sum(last - first + 1 for first, last in ranges)


def _vouched(db: Connection, tid: str, epoch: int) -> list[Range]:
    """Places of damaged records that a neighbour vouches for."""
    rows = db.execute(_DAMAGED, {"tid": tid, "epoch": epoch}).all()
    if not rows:
        return []
    shown = db.execute(
        select(terminal.c.reported_sequence, terminal.c.reported_tag).where(
            terminal.c.tid == tid, terminal.c.epoch == epoch
        )
    ).one_or_none()
    found = []
    for row in rows:
        after = {"tid": tid, "epoch": epoch, "first": row.sequence + 1, "last": row.sequence + 1}
        named = {next_one.previous_tag for next_one in db.execute(_NEAR, after)}
        if shown is not None and shown.reported_sequence == row.sequence:
            named.add(shown.reported_tag)
        if named & {row.tag, row.recomputed}:
            found.append((row.sequence, row.sequence))
    return found


def state_of(record: Record, before: Sequence[Row[Any]], start: int) -> str:
    """Whether a record's link to its predecessor holds, is broken, or waits for the predecessor.

    The first record after the epoch's start has no predecessor; every later one has.
    """
    previous = record.previous_tag.hex()
    if record.sequence <= start + 1 or previous == NO_TAG:
        return "holds" if record.sequence == start + 1 and previous == NO_TAG else "broken"
    if not before:
        return "waits"
    return "holds" if any(previous in (row.tag, row.recomputed_tag) for row in before) else "broken"


def _verify_next(db: Connection, after: Sequence[Row[Any]], own: str) -> bool:
    """Check the links that waited for this record. True if one of them is broken."""
    broken = False
    for row in after:
        if row.state == "waits":
            holds = row.previous_tag == own
            mine = link.c.tid == row.tid, link.c.epoch == row.epoch, link.c.sequence == row.sequence
            db.execute(update(link).where(*mine, link.c.uid == row.uid).values(state="holds" if holds else "broken"))
            broken = broken or not holds
    return broken
