# SPDX-License-Identifier: MIT
"""The same request always gets the same answer. Rules: "What the host keeps" in docs/wire.md."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from tools.host.store.schema import message as table
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message

_BY_UID = table.c.uid == bindparam("of_uid")
_BY_STAN = and_(
    table.c.epoch == bindparam("epoch"), table.c.batch == bindparam("batch"), table.c.stan == bindparam("stan")
)
_OF_CLASS = (table.c.tid == bindparam("of_tid"), table.c["class"] == bindparam("group"))
_COLUMNS = select(table.c.uid, table.c.hash, table.c.answer).where(*_OF_CLASS)
_LOOK = _COLUMNS.where(_BY_UID).union_all(_COLUMNS.where(_BY_STAN))  # UNION instead of OR: each half uses its own index
OPEN = insert(table)
_CLOSE = update(table).where(*_OF_CLASS, _BY_UID, table.c.answer.is_(None))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known about a request.

    `answer`: its stored final answer. `clash`: the key ("uid" or "stan") it shares with a different request.
    """

    seen: bool = False
    answer: Answer | None = None
    clash: str | None = None


def look(db: Connection, message: Message, epoch: int) -> Verdict:
    """Look up a request, first by uid, then by (terminal, epoch, batch, STAN, class)."""
    key = {
        "of_tid": message.terminal,
        "group": message.group,
        "of_uid": message.uid.hex(),
        "epoch": epoch,
        "batch": message.batch,
        "stan": message.stan,
    }
    rows = db.execute(_LOOK, key).all()
    for row in rows:
        if row.uid == key["of_uid"]:
            answer = json.loads(row.answer) if row.answer else None
            return Verdict(True, answer, None if row.hash == message.content_hash() else "uid")
    return Verdict(clash="stan" if rows else None)


def open_(db: Connection, message: Message, epoch: int, answer: Answer | None = None) -> None:
    """Store a request, with its final answer if there is one already."""
    db.execute(OPEN, row(message, epoch, answer))


def row(message: Message, epoch: int, answer: Answer | None = None) -> dict[str, Any]:
    """What `open_` stores."""
    return {
        "tid": message.terminal,
        "epoch": epoch,
        "batch": message.batch,
        "stan": message.stan,
        "class": message.group,
        "uid": message.uid.hex(),
        "hash": message.content_hash(),
        "answer": json.dumps(answer) if answer else None,
    }


def close(db: Connection, answered: Sequence[tuple[Message, Answer]]) -> None:
    """Store the final answers of requests already stored."""
    rows = [
        {"of_tid": message.terminal, "group": message.group, "of_uid": message.uid.hex(), "answer": json.dumps(answer)}
        for message, answer in answered
    ]
    if rows:
        db.execute(_CLOSE, rows)
