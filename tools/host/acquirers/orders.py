# SPDX-License-Identifier: MIT
"""Orders and refunds at wallet providers, as stored. Each change names the states it expects and counts the rows.

    ASKED -> WAITING -> PAID             the provider said so
                     -> REFUSED          it said no, or the customer took too long and the order was undone (EXPIRING)
    any but REFUSED  -> UNDOING -> UNDONE    a reversal: nothing is paid, or it was given back
                                -> KEPT      it is paid and cannot be undone: somebody gives it back by hand

A row is leased while it is asked about (`next_at`), so that one process asks at a time.
"""

import time
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, or_, select, update

from tools.host.acquirers.provider import NO, YES, Outcome
from tools.host.acquirers.provider import WAITING as WAITS
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.store import upsert
from tools.host.store.schema_wallets import wallet_order, wallet_refund
from tools.host.wire import answers, kinds

ASKED, WAITING, EXPIRING, PAID = "ASKED", "WAITING", "EXPIRING", "PAID"
REFUSED, UNDOING, UNDONE, KEPT = "REFUSED", "UNDOING", "UNDONE", "KEPT"
OPEN = (ASKED, WAITING, EXPIRING)
_LEASE = 30_000  # ms
_FAR = 86_400_000  # ms; no provider wants to be left alone for longer
_OLD = 1e9  # seconds
_TOGETHER = 20


def now() -> int:
    """ms since 1970."""
    return time.time_ns() // 1_000_000


def open_order(db: Connection, order: Order, wallet: str, currency: str) -> tuple[Row[Any], bool]:
    """Store an order before it is asked. Returns its row, locked, and whether it is new."""
    row = _new(order.tid, order.uid, wallet, order.amount, currency)
    new = upsert.insert_new(db, wallet_order, {**row, "mid": order.merchant, "is_shown": int(not order.code)})
    return _one(db, wallet_order, order.tid, order.uid), bool(new)


def open_refund(db: Connection, back: Return, wallet: str, currency: str) -> tuple[Row[Any], bool]:
    """Store a refund before it is asked. Returns its row, locked, and whether it is new."""
    row = _new(back.tid, back.uid, wallet, back.amount, currency)
    of = {"mid": back.merchant, "order_tid": back.order_tid, "order_uid": back.order.hex()}
    new = upsert.insert_new(db, wallet_refund, {**row, **of})
    return _one(db, wallet_refund, back.tid, back.uid), bool(new)


def find(db: Connection, tid: str, uid: bytes) -> Row[Any] | None:
    """An order."""
    mine = wallet_order.c.tid == tid, wallet_order.c.uid == uid.hex()
    return db.execute(select(wallet_order).where(*mine)).one_or_none()


def refund_of(db: Connection, tid: str, uid: bytes) -> Row[Any] | None:
    """A refund."""
    mine = wallet_refund.c.tid == tid, wallet_refund.c.uid == uid.hex()
    return db.execute(select(wallet_refund).where(*mine)).one_or_none()


def age(row: Row[Any]) -> float:
    """Seconds since an order was first asked. What a clock that was ahead has dated is old, until it is dated anew."""
    return _OLD if is_ahead(row) else (now() - row.asked) / 1000


def is_ahead(row: Row[Any]) -> bool:
    """Whether a clock that was ahead has dated an order or refund. It is dated anew, as if it was first asked now."""
    return row.asked > now() + _LEASE


def is_idle(row: Row[Any], seconds: float) -> bool:
    """Whether nobody has asked about an order or refund for so long."""
    return now() >= row.next_at + seconds * 1000


def lease(db: Connection, row: Row[Any]) -> bool:
    """Take the right to ask about an order or refund that is due. False if somebody else has it, or it is not due."""
    table = _table(row)
    due = table.c.tid == row.tid, table.c.uid == row.uid, table.c.state == row.state, _is_due(table)
    anew = {"asked": now()} if is_ahead(row) else {}
    return db.execute(update(table).where(*due).values(next_at=now() + _LEASE, **anew)).rowcount == 1


def due(db: Connection, wallets: Collection[str]) -> list[Row[Any]]:
    """Open orders that are to be asked about now, some of each wallet. Nothing is locked: see `lease`.

    `wallets`: all names that are set up.
    """
    mine = [wallet_order.c.wallet == name for name in wallets] + [wallet_order.c.wallet.not_in(wallets)]
    waiting = select(wallet_order).where(wallet_order.c.state.in_(OPEN), _is_due(wallet_order))
    some = waiting.order_by(wallet_order.c.next_at).limit(_TOGETHER)
    return [row for one in mine for row in db.execute(some.where(one))]


def hurry(db: Connection, reference: str, wallet: str) -> bool:
    """Let an open order be due now, unless somebody asks about it this moment. False if no such order is open."""
    mine = wallet_order.c.state.in_(OPEN), wallet_order.c.uid == reference, wallet_order.c.wallet == wallet
    idle = wallet_order.c.state != ASKED
    return db.execute(update(wallet_order).where(*mine, idle).values(next_at=now())).rowcount > 0


def note(db: Connection, row: Row[Any], outcome: Outcome, again: float) -> None:
    """Store what a provider said about an open order or refund. `again`: seconds to the next call, if it is not final.

    An order that is being undone meanwhile stays so.
    """
    final = {YES: PAID, NO: REFUSED}.get(outcome.answer)
    if row.state == EXPIRING:
        final = {YES: REFUSED, NO: PAID}.get(outcome.answer)  # what undoing it came to
    waits = WAITING if outcome.answer == WAITS and row.state == ASKED else row.state
    values = _said(outcome) | {"next_at": now() + int(again * 1000), "state": final or waits}
    if final == PAID:
        values["code"] = answers.APPROVED
    elif final == REFUSED:
        values["code"] = answers.DO_NOT_HONOUR if row.state == EXPIRING else outcome.code
    if row.state == EXPIRING and final:  # what the provider said is about the undo
        late = {REFUSED: ("Not paid in time", "未在时限内付款"), PAID: ("Paid", "已付款")}
        values["text_en"], values["text_zh"] = late[final]
    if outcome.shown:
        values["shown"] = outcome.shown
    _change(db, row, values)


def note_trouble(db: Connection, row: Row[Any], trouble: str, again: float) -> None:
    """Store that a provider could not be asked, and when it is tried again."""
    _change(db, row, {"next_at": now() + int(again * 1000), "trouble": trouble[:200]})


def expire(db: Connection, row: Row[Any]) -> bool:
    """The customer took too long: the order is to be undone now. False if its state changed meanwhile."""
    return _change(db, row, {"state": EXPIRING})


def begin_undo(db: Connection, what: Revocation, currency: str) -> Row[Any]:
    """An order comes to nothing. One that this host does not know has no wallet, and is refused if it comes."""
    shown = int(what.type == kinds.QR_SHOWN)
    new = _new(what.tid, what.uid, "", what.amount, currency)
    unknown = new | {"mid": what.merchant, "is_shown": shown, "state": UNDOING, "code": answers.INVALID}
    upsert.insert_new(db, wallet_order, unknown)
    row = _one(db, wallet_order, what.tid, what.uid)
    if is_ahead(row):
        _change(db, row, {"asked": now()})
    if row.state not in (REFUSED, UNDONE, UNDOING, KEPT):
        _change(db, row, {"state": UNDOING})
    return _one(db, wallet_order, what.tid, what.uid)


def end_undo(db: Connection, row: Row[Any], outcome: Outcome) -> None:
    """Store what undoing an order came to: YES or NO of Provider.undo."""
    state = UNDONE if outcome.answer == YES else KEPT
    words = {"text_en": "Undone", "text_zh": "已撤销"} if state == UNDONE else {}
    _change(db, row, _said(outcome) | words | {"state": state, "code": answers.INVALID})


def _said(outcome: Outcome) -> dict[str, Any]:
    """What a provider said, as columns; what it left out stays as it was."""
    words = {"text_en": outcome.words.en[:100], "text_zh": outcome.words.zh[:100]} if outcome.words.en else {}
    ids = {"their_id": outcome.their_id, "their_code": outcome.their_code}
    return {"trouble": None, **words, **{name: value[:100] for name, value in ids.items() if value}}


def _new(tid: str, uid: bytes, wallet: str, amount: int, currency: str) -> dict[str, Any]:
    began = now()
    return {
        "tid": tid,
        "uid": uid.hex(),
        "state": ASKED,
        "wallet": wallet,
        "amount": amount,
        "currency": currency,
        "asked": began,
        "next_at": began + _LEASE,
    }


def _is_due(table: Any) -> ColumnElement[bool]:
    """Whether the time of a row has come; or was set by a clock that was ahead."""
    return or_(table.c.next_at <= now(), table.c.next_at > now() + _FAR, table.c.asked > now() + _LEASE)


def _change(db: Connection, row: Row[Any], values: dict[str, Any]) -> bool:
    table = _table(row)
    mine = table.c.tid == row.tid, table.c.uid == row.uid, table.c.state == row.state
    return db.execute(update(table).where(*mine).values(values)).rowcount == 1


def _one(db: Connection, table: Any, tid: str, uid: bytes) -> Row[Any]:
    return db.execute(select(table).where(table.c.tid == tid, table.c.uid == uid.hex()).with_for_update()).one()


def _table(row: Row[Any]) -> Any:
    return wallet_refund if "order_uid" in row._mapping else wallet_order
