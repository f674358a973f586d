# SPDX-License-Identifier: MIT
"""The initial keys of a terminal, one after the other, and of the devices that have its id.

Counters belong to a key: a new one begins with no message mark, no counter seen and no used body key. The old ones keep
theirs. A record that is still on its way under an earlier key is opened with that one (Terminal.ikids).
"""

import secrets
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from tools.host.books import double_entry
from tools.host.books.double_entry import note
from tools.host.errors import SetupError
from tools.host.store.schema import payment, terminal
from tools.host.store.schema_keys import terminal_key
from tools.host.store.upsert import put
from tools.host.transactions import key_window, terminals
from tools.host.transactions.terminals import Terminal


def register(db: Connection, tid: str, mid: str, ikid: bytes) -> None:
    """Register a terminal: DE 41 (8 characters), DE 42 (15) and initial key id (8 bytes, BDK id first).

    A terminal that is known gets this merchant, and this key if it has another one. Raises SetupError if it had this key
    before: a key is never used again.
    """
    known = terminals.load(db, tid)
    if known is None:
        _claim(db, tid, ikid)
        db.execute(insert(terminal).values(tid=tid, mid=mid, ikid=ikid.hex(), bdk_id=ikid[:4].hex()))
        put(db, terminal_key, {"tid": tid, "ikid": ikid.hex(), "since": double_entry.now()})
        return
    if known.ikid != ikid:
        use(db, known, ikid)  # before it has another merchant: the old key was this one's
    if known.mid != mid:
        terminals.change(db, known, mid=mid)


def use(db: Connection, known: Terminal, ikid: bytes) -> None:
    """From now on the terminal has this key, in the database and in the object. Raises SetupError if it had it before."""
    tid, old = known.tid, known.ikid
    row = db.execute(select(terminal_key).where(*_one(tid, ikid))).one_or_none()
    if row is not None and row.since is not None:
        raise SetupError(f"terminal {tid} had the key {ikid.hex()} before: a key that was replaced is not used again")
    _claim(db, tid, ikid)
    seen = key_window.pack(known.seen)
    kept: dict[str, Any] = {"tid": tid, "ikid": old.hex(), "message_mark": known.message_mark, "seen": seen}
    kept["mid"] = known.mid
    if db.execute(select(terminal_key.c.since).where(*_one(tid, old))).scalar_one_or_none() is None:
        kept["since"] = ""  # from a version that did not note it
    put(db, terminal_key, kept)
    put(db, terminal_key, {"tid": tid, "ikid": ikid.hex(), "since": double_entry.now()})
    db.execute(delete(terminal_key).where(terminal_key.c.tid == tid, terminal_key.c.since.is_(None)))
    db.execute(update(payment).where(payment.c.tid == tid, payment.c.ikid.is_(None)).values(ikid=old.hex()))
    changed = {"ikid": ikid.hex(), "bdk_id": ikid[:4].hex(), "message_mark": 0, "seen": None}
    db.execute(update(terminal).where(terminal.c.tid == tid).values(**changed))
    another = row is not None and bool(row.other_device)
    note(db, tid, "device replaced" if another else "key replaced", f"{old.hex()} by {ikid.hex()}")
    if another:
        terminals.next_epoch(db, known)  # its journal begins anew
    fresh = terminals.load(db, tid)
    for name in Terminal.__slots__:
        setattr(known, name, getattr(fresh, name))


def plan(db: Connection, tid: str, by: str, bdk_id: bytes | None = None, other_device: bool = False) -> Terminal:
    """Give a terminal its next key, with a new id, which comes into use with its first 0800 under it.

    `by`: the name for the audit. `bdk_id`: the base derivation key, if it is to be another one. `other_device`: the key is
    for a new device with this terminal id, whose journal is empty. An earlier plan is dropped. Returns the terminal, with
    `next_ikid`. Raises SetupError.
    """
    known = terminals.load(db, tid)
    if known is None:
        raise SetupError(f"terminal {tid} is not registered")
    db.execute(delete(terminal_key).where(terminal_key.c.tid == tid, terminal_key.c.since.is_(None)))
    if db.execute(select(terminal_key).where(*_one(tid, known.ikid))).one_or_none() is None:
        put(db, terminal_key, {"tid": tid, "ikid": known.ikid.hex(), "since": ""})
    ikid = new_id(db, bdk_id or known.ikid[:4])
    put(db, terminal_key, {"tid": tid, "ikid": ikid.hex(), "other_device": int(other_device)})
    note(db, tid, "new device planned" if other_device else "new key planned", f"{ikid.hex()} by {by}")
    known.next_ikid = ikid
    return known


def new_id(db: Connection, bdk_id: bytes) -> bytes:
    """An initial key id (8 bytes) that no terminal has or had: the BDK id, then a random device id."""
    while True:
        made = bdk_id + secrets.token_bytes(4)
        if not _owners(db, made):
            return made


def _one(tid: str, ikid: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return terminal_key.c.tid == tid, terminal_key.c.ikid == ikid.hex()


def _claim(db: Connection, tid: str, ikid: bytes) -> None:
    """Raises SetupError if another terminal has or had this key: the host could not tell the two apart."""
    if others := _owners(db, ikid) - {tid}:
        raise SetupError(f"the key {ikid.hex()} belongs to terminal {min(others)}")


def _owners(db: Connection, ikid: bytes) -> set[str]:
    return {
        *db.execute(select(terminal.c.tid).where(terminal.c.ikid == ikid.hex())).scalars(),
        *db.execute(select(terminal_key.c.tid).where(terminal_key.c.ikid == ikid.hex())).scalars(),
    }
