# SPDX-License-Identifier: MIT
"""The same request gets the same answer, for ever. Rules: "What the host keeps" in docs/wire.md."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from tools.host.message import Message
from tools.host.schema import message as table


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of a request. `answer`: the stored final one. `clash`: what it contradicts, "uid" or "stan"."""

    seen: bool = False
    answer: dict[str, str] | None = None
    clash: str | None = None


def look(db: Connection, message: Message, epoch: int) -> Verdict:
    """Look a request up, first by uid, then by (terminal, epoch, batch, STAN, class)."""
    mine = (table.c.tid == message.terminal, table.c["class"] == message.group)
    row = db.execute(select(table).where(*mine, table.c.uid == message.uid.hex())).one_or_none()
    if row is not None:
        answer = json.loads(row.answer) if row.answer else None
        clash = None if row.hash == message.content_hash() else "uid"
        return Verdict(True, answer, clash)
    key = (table.c.epoch == epoch, table.c.batch == message.batch, table.c.stan == message.stan)
    taken = db.execute(select(table.c.id).where(*mine, *key).limit(1)).first()
    return Verdict(clash="stan" if taken else None)


def open_(db: Connection, message: Message, epoch: int, answer: dict[str, str] | None = None) -> None:
    """Remember a request, with its final answer if it has one already."""
    db.execute(
        insert(table).values(
            {
                "tid": message.terminal,
                "epoch": epoch,
                "batch": message.batch,
                "stan": message.stan,
                "class": message.group,
                "uid": message.uid.hex(),
                "hash": message.content_hash(),
                "answer": json.dumps(answer) if answer else None,
            }
        )
    )


def close(db: Connection, message: Message, answer: dict[str, str]) -> None:
    """Store the final answer of a remembered request."""
    mine = (table.c.tid == message.terminal, table.c["class"] == message.group, table.c.uid == message.uid.hex())
    db.execute(update(table).where(*mine, table.c.answer.is_(None)).values(answer=json.dumps(answer)))
