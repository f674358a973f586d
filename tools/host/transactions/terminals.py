# SPDX-License-Identifier: MIT
"""The registered terminals: their identity, their chain, batch and message key state, and quarantine."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from tools.host.books import double_entry
from tools.host.books.double_entry import note
from tools.host.store.schema import beginning
from tools.host.store.schema import terminal as table
from tools.host.store.schema_keys import terminal_key
from tools.host.transactions import key_window

NO_TAG = "0" * 16
LAST_BATCH = 999999  # the next one is 1
_ONE = select(table).where(table.c.tid == bindparam("tid"))
_LOCKED = _ONE.with_for_update()
_BEGINNING = select(beginning).where(beginning.c.tid == bindparam("tid"), beginning.c.epoch == bindparam("epoch"))
_KEYS = select(terminal_key).where(terminal_key.c.tid == bindparam("tid")).order_by(terminal_key.c.since.desc())
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,16}")
_EARLIER = 3  # keys before the one in use that a record's seal is tried under
_MARK = update(table).where(table.c.tid == bindparam("which"))


@dataclass(slots=True)
class Terminal:
    """One terminal's row. `message_mark`: the highest counter of a message KSN accepted from it. `seen`: key_window.py.

    `start`: the sequence after which its epoch's chain starts. `begun`: it has adopted this epoch. `earlier`: initial key
    ids that it had before, the newest first; `merchants`: DE 42 under each of these; `replaced`: those of them that another
    device had. `next_ikid`: the one that it will have, from its first 0800 with a right MAC on; `awaits_device`: another
    device will have it.
    """

    tid: str
    mid: str
    ikid: bytes
    epoch: int
    batch: int
    message_mark: int
    reported_sequence: int
    reported_tag: str
    quarantine: str | None
    start: int = 0
    begun: bool = True
    versions: str | None = None
    seen: int = 0
    earlier: tuple[bytes, ...] = ()
    merchants: tuple[str, ...] = ()
    replaced: frozenset[bytes] = frozenset()
    next_ikid: bytes | None = None
    awaits_device: bool = False

    @property
    def ikids(self) -> tuple[bytes, ...]:
        """The initial key ids that a record of it may be sealed under, the newest first."""
        return (self.ikid, *self.earlier)

    def merchant_under(self, ikid: bytes) -> str:
        """Whose payments were taken under one of its keys, DE 42."""
        return dict(zip(self.earlier, self.merchants, strict=True)).get(ikid, self.mid)


def load(db: Connection, tid: str, lock: bool = True) -> Terminal | None:
    """The terminal with this id, or None if it is not registered.

    `lock`: one transaction at a time is about it; False in a transaction that only reads.
    """
    row = db.execute(_LOCKED if lock else _ONE, {"tid": tid}).one_or_none()
    if row is None:
        return None
    began = db.execute(_BEGINNING, {"tid": tid, "epoch": row.epoch}).one_or_none()
    terminal = Terminal(
        tid=row.tid,
        mid=row.mid,
        ikid=bytes.fromhex(row.ikid),
        epoch=row.epoch,
        batch=row.batch,
        message_mark=row.message_mark,
        reported_sequence=row.reported_sequence,
        reported_tag=row.reported_tag,
        quarantine=row.quarantine,
        start=began.after if began else 0,
        begun=bool(began.begun) if began else True,
        seen=key_window.unpack(row.seen, row.message_mark),
    )
    keys = db.execute(_KEYS, {"tid": tid}).all()
    if len(keys) > 1:
        _add_keys(terminal, keys)
    return terminal


def _add_keys(terminal: Terminal, keys: Sequence[Row[Any]]) -> None:
    """Fill in the keys before and after the one in use, from its rows of terminal_key, the newest first."""
    another = False  # whether a later key belongs to another device than this row's
    earlier, merchants, replaced = [], [], set()
    for row in keys:
        ikid = bytes.fromhex(row.ikid)
        if row.since is None:
            terminal.next_ikid, terminal.awaits_device = ikid, bool(row.other_device)
            continue
        if ikid != terminal.ikid:
            earlier.append(ikid)
            merchants.append(row.mid or terminal.mid)
            if another:
                replaced.add(ikid)
        another = another or bool(row.other_device)
    terminal.earlier, terminal.merchants = tuple(earlier[:_EARLIER]), tuple(merchants[:_EARLIER])
    terminal.replaced = frozenset(replaced)


def keep_mark(db: Connection, terminal: Terminal) -> None:
    """Store the terminal's message mark, and which counters were seen."""
    seen = key_window.pack(terminal.seen)
    db.execute(_MARK, {"which": terminal.tid, "message_mark": terminal.message_mark, "seen": seen})


def change(db: Connection, terminal: Terminal, **values: int | str | None) -> None:
    """Set columns of the terminal, in the database and in the object."""
    db.execute(update(table).where(table.c.tid == terminal.tid).values(**values))
    for name, value in values.items():
        setattr(terminal, name, value)


def heard(db: Connection, terminal: Terminal, news: bytes) -> None:
    """Store the time of a handshake, and what it says besides: pending count 2 bytes, firmware version in ASCII; or b""."""
    said: dict[str, Any] = {"heard": double_entry.now()}
    if len(news) >= 2:
        version = news[2:].decode("ascii", "replace")
        said["firmware"] = version if _VERSION.fullmatch(version) else None
        said["waiting"] = int.from_bytes(news[:2], "big")
    db.execute(update(table).where(table.c.tid == terminal.tid).values(said))


def certified(db: Connection, tid: str, ends: datetime.datetime) -> bool:
    """Store the expiry date of the certificate a terminal showed. False if no terminal has this id."""
    return bool(db.execute(update(table).where(table.c.tid == tid).values(certificate_ends=ends.isoformat())).rowcount)


def block(db: Connection, tid: str, reason: str, by: str) -> bool:
    """Keep a terminal from connecting; what it holds waits in it. False if no terminal has this id."""
    found = db.execute(update(table).where(table.c.tid == tid).values(blocked=reason)).rowcount
    if found:
        note(db, tid, "blocked", f"by {by}: {reason}")
    return bool(found)


def unblock(db: Connection, tid: str, by: str) -> bool:
    """Let a terminal connect again. False if no blocked terminal has this id."""
    mine = update(table).where(table.c.tid == tid, table.c.blocked.is_not(None))
    found = db.execute(mine.values(blocked=None)).rowcount
    if found:
        note(db, tid, "unblocked", f"by {by}")
    return bool(found)


def blocked(db: Connection) -> dict[str, str]:
    """The terminals that may not connect, and why."""
    rows = db.execute(select(table.c.tid, table.c.blocked).where(table.c.blocked.is_not(None)))
    return {row.tid: row.blocked for row in rows}


def quarantine(db: Connection, terminal: Terminal, reason: str) -> None:
    """Quarantine a terminal: its payments continue, but their money is held. Only the first reason is stored."""
    if terminal.quarantine is None:
        change(db, terminal, quarantine=reason)
        note(db, terminal.tid, "quarantine", reason)


def clear(db: Connection, terminal: Terminal, supervisor: str, day: str) -> None:
    """End a quarantine on a supervisor's decision: release the money, start a new epoch and batch. `day`: today."""
    change(db, terminal, quarantine=None)
    next_epoch(db, terminal)
    double_entry.release(db, terminal.tid, day)
    detail = f"by {supervisor}; epoch {terminal.epoch}, batch {terminal.batch:06}"
    note(db, terminal.tid, "quarantine cleared", detail)


def next_epoch(db: Connection, terminal: Terminal) -> None:
    """Begin a new epoch with a batch of its own. The terminal adopts both when it connects."""
    epoch, batch = terminal.epoch + 1, terminal.batch % LAST_BATCH + 1
    change(db, terminal, epoch=epoch, batch=batch, reported_sequence=0, reported_tag=NO_TAG)
    db.execute(beginning.insert().values(tid=terminal.tid, epoch=epoch))
    terminal.start, terminal.begun = 0, False
