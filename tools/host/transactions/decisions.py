# SPDX-License-Identifier: MIT
"""What becomes of payments: answers, entries and running sums, in one transaction for any number of them."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from tools.host.books import double_entry, turnover
from tools.host.books.double_entry import Posted
from tools.host.errors import FrameError, StateError
from tools.host.keys import seal
from tools.host.outside import outbox
from tools.host.outside.issuer import Decision, Payment
from tools.host.outside.wallet import Order, Return
from tools.host.store.schema import payment as table
from tools.host.transactions import idempotency, rrn
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message

_AUTH_CODE = re.compile("[0-9A-Za-z]{6}")
_MINE = table.c.tid == bindparam("of_tid"), table.c.uid == bindparam("of_uid")
_FINISH = update(table).where(*_MINE, table.c.state == "RECEIVED")
_LET_GO = update(table).where(*_MINE).values(asked_until=None)
_OPEN = select(table)


@dataclass(frozen=True, slots=True)
class Booked:
    """A stored payment that waits for a decision. `ask`: the request to the issuer or wallet."""

    message: Message
    record: seal.Record
    ask: Payment | Order | Return | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Its terminal and uid, as in the database."""
        return self.message.terminal, self.record.uid.hex()


def settle(db: Connection, now: datetime.datetime, decided: Sequence[tuple[Booked, Decision]]) -> list[Answer | None]:
    """Store answers, entries and verified card counters together. Returns the answers, in order.

    None where the payment was settled or undone meanwhile: it gets no answer now, and the repeat gets the right one.
    Raises StateError if a payment changed although this transaction has it locked.
    """
    stored = _open(db, [booked.key for booked, _ in decided])
    ended = [
        booked
        for booked, decision in decided
        if decision.code not in answers.NOT_FINAL and booked.key in stored
    ]  # fmt: skip
    given = dict(zip([one.key for one in ended], rrn.give(db, [one.record for one in ended]), strict=True))
    replies: list[Answer | None] = []
    rows, legs, turns, final, waiting = [], [], [], [], []
    for booked, decision in decided:
        row = stored.get(booked.key)
        if row is None:
            replies.append(None)
            continue
        answer = _answer(booked.message, now, decision, given.get(booked.key))
        replies.append(answer)
        if decision.code in answers.NOT_FINAL:
            waiting.append({"of_tid": row.tid, "of_uid": row.uid})
            continue
        final.append((booked.message, answer))
        rows.append(_changes(row, booked, decision, answer, f"{now:%Y-%m-%d}"))
        if decision.code in answers.YES:
            posted = Posted(row.tid, row.uid, row.mid)
            legs += double_entry.legs(posted, row.type, row.worth, bool(row.quarantined), f"{now:%Y-%m-%d}")
            turns.append((turnover.of(row)._replace(day=f"{now:%Y-%m-%d}"), row.worth))
            if booked.ask is None:
                outbox.tell(db, row)
    if rows and db.execute(_FINISH, rows).rowcount != len(rows):
        raise StateError("a payment was settled twice at the same time")
    if waiting:
        db.execute(_LET_GO, waiting)
    double_entry.post(db, legs)
    turnover.add(db, turns)
    idempotency.close(db, final)
    return replies


def _open(db: Connection, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Row[Any]]:
    """The rows of those payments that are still to be decided, locked."""
    found: dict[tuple[str, str], Row[Any]] = {}
    for tid in dict.fromkeys(tid for tid, _ in keys):
        mine = table.c.tid == tid, table.c.uid.in_([uid for owner, uid in keys if owner == tid])
        for row in db.execute(_OPEN.where(*mine, table.c.state == "RECEIVED").with_for_update()):
            found[row.tid, row.uid] = row
    return found


def _answer(message: Message, now: datetime.datetime, decision: Decision, number: str | None) -> Answer:
    """The answer to a payment. It is encoded here once, so that nothing is stored that cannot be sent."""
    elements = {"_39": decision.code}
    if number is None:
        elements |= {"_62": decision.shown.hex().upper()} if decision.shown else {}
    else:
        elements["_37"] = number
    if number is not None and decision.code in answers.YES:
        if code := _auth_code(decision):
            elements["_38"] = code
        if decision.balance is not None:
            sign = "C" if decision.balance >= 0 else "D"
            elements["_54"] = f"1002156{sign}{abs(decision.balance):012}".encode().hex()
    answer = answers.compose(message, now, decision.text, **elements)
    try:
        answers.check(answer)
    except FrameError:  # what came from outside cannot be sent: the decision stands, without its words
        answer = answers.compose(message, now, "", _39=decision.code, **({"_37": number} if number else {}))
    return answer


def _auth_code(decision: Decision) -> str | None:
    """The authorisation code, if it is one (an6)."""
    return decision.auth_code if decision.auth_code and _AUTH_CODE.fullmatch(decision.auth_code) else None


def _changes(row: Row[Any], booked: Booked, decision: Decision, answer: Answer, day: str) -> dict[str, Any]:
    yes = decision.code in answers.YES
    return {
        "of_tid": row.tid,
        "of_uid": row.uid,
        "state": "APPROVED" if yes else "DECLINED",
        "code": decision.code,
        "auth_code": _auth_code(decision) if yes else None,
        "rrn": answer.get("37"),
        "text": decision.text[:200],
        "pan_token": booked.ask.card if isinstance(booked.ask, Payment) else row.pan_token,
        "atc": decision.atc,
        "answered": double_entry.now(),
        "day": day if yes else None,
        "asked_until": None,
    }


def let_go(db: Connection, asked: Sequence[Booked]) -> None:
    """Nobody waits any more for the decisions about these payments."""
    db.execute(_LET_GO, [{"of_tid": booked.key[0], "of_uid": booked.key[1]} for booked in asked])


def undo(db: Connection, row: Row[Any], now: datetime.datetime) -> bool:
    """Undo a payment: entries, running sums, and what was asked outside. False if its state changed meanwhile."""
    mine = table.c.tid == row.tid, table.c.uid == row.uid, table.c.state == row.state
    if db.execute(update(table).where(*mine).values(state="REVERSED", asked_until=None)).rowcount != 1:
        return False
    double_entry.reverse(db, Posted(row.tid, row.uid, row.mid), f"{now:%Y-%m-%d}")
    if row.state == "APPROVED":
        turnover.add(db, [(turnover.of(row), row.worth)], -1)
    outbox.undo(db, row)
    return True
