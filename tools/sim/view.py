# SPDX-License-Identifier: MIT
"""The whole ledger as JSON, without a login, for tests, the demo and the panel. A host without simulators has none."""

import datetime
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Row, func, select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tools.host.books import double_entry
from tools.host.store.ledger import Ledger
from tools.host.store.schema import audit, batch, hand_in, payment, terminal
from tools.host.store.sums import total
from tools.host.transactions import chain, restore
from tools.host.wire import kinds

_NEWEST = 500  # payments shown; the batch totals cover all of them
_KIND_NAMES = {kinds.SALE: "card"}
_PAID_WITH = ("card", "qr", "cash")
_LINES = {kinds.IN_CASH: "cash", kinds.OUT_OF_CASH: "cash", kinds.IN_QR: "qr", kinds.OUT_OF_QR: "qr"}


def route(look: Callable[[], dict[str, Any]]) -> Route:
    """GET /api/ledger. `look` returns the ledger's view."""

    async def ledger(_: Request) -> JSONResponse:
        return JSONResponse(await run_in_threadpool(look), headers={"Cache-Control": "no-store"})

    return Route("/api/ledger", ledger)


def view(store: Ledger, counters: dict[str, int], ends: datetime.datetime) -> dict[str, Any]:
    """Everything in the ledger. Amounts in minor units; cards as first six and last four digits.

    `ends`: when the host's own certificate expires.
    """
    with store.read() as db:
        closed = {(row.tid, row.epoch, row.number) for row in db.execute(select(batch)) if row.state == "closed"}
        newest = db.execute(select(payment).order_by(payment.c.number.desc()).limit(_NEWEST)).all()
        brought = {
            (row.tid, row.number): {"number": row.number, "at": row.at, "by": row.operator}
            for row in db.execute(select(hand_in))
        }
        return {
            "certificate": _certificate(ends.isoformat()),
            "payments": [_payment(row, closed, brought.get((row.tid, row.handed_in))) for row in newest],
            "batches": _batches(db),
            "terminals": [_terminal(db, row) for row in db.execute(select(terminal).order_by(terminal.c.tid)).all()],
            "accounts": double_entry.balances(db),
            "unbalanced": double_entry.unbalanced(db),
            "alarms": [
                {"at": row.at, "terminal": row.tid or None, "what": row.what, "detail": row.detail}
                for row in db.execute(select(audit).order_by(audit.c.number.desc()).limit(20))
            ],
            "counters": counters,
        }


def _payment(row: Row[Any], closed: set[tuple[str, int, str]], brought: dict[str, Any] | None) -> dict[str, Any]:
    digits = f"{row.first6}******{row.last4}" if row.first6 != "000000" else None  # no digits for codes and cash
    return {
        "id": row.number,
        "uid": row.uid,
        "terminal": row.tid,
        "epoch": row.epoch,
        "sequence": row.sequence,
        "batch": row.settled_in,
        "stan": row.stan,
        "kind": _KIND_NAMES.get(row.type, kinds.KINDS[row.type].name),
        "amount": kinds.signed(row.type, row.amount),
        "currency": row.currency,
        "card": digits,
        "state": row.state,
        "closed": (row.tid, row.epoch, row.settled_in) in closed,
        "quarantined": bool(row.quarantined),
        "code": row.code,
        "auth_code": row.auth_code,
        "rrn": row.rrn,
        "text": row.text,
        "handed_in": brought,
        "received": row.received,
        "answered": row.answered,
    }


def _batches(db: Connection) -> list[dict[str, Any]]:
    key = (payment.c.tid, payment.c.epoch, payment.c.settled_in)
    approved = payment.c.state == "APPROVED"
    sums = select(*key, payment.c.type, total(payment.c.worth), func.count()).where(approved)
    none = {f"{name}_{what}": 0 for name in _PAID_WITH for what in ("amount", "count")}
    found: dict[tuple[str, int, str], dict[str, int]] = {}
    for tid, epoch, number, kind, amount, count in db.execute(sums.group_by(*key, payment.c.type)):
        effect = kinds.KINDS[kind].effect
        name = _LINES.get(effect, "card")
        sums_of = found.setdefault((tid, epoch, number), {**none})
        sums_of[f"{name}_amount"] += amount
        sums_of[f"{name}_count"] += 0 if effect in (kinds.NOTHING, kinds.REPLACES) else count
    rows = db.execute(select(batch).order_by(batch.c.opened.desc())).all()
    return [_batch(row, found.get((row.tid, row.epoch, row.number), none)) for row in rows]


def _batch(row: Row[Any], sums: dict[str, int]) -> dict[str, Any]:
    """A batch with its totals by means of payment, and `amount` and `count` over all."""
    return {
        "terminal": row.tid,
        "epoch": row.epoch,
        "number": row.number,
        "state": row.state,
        "opened": row.opened,
        "closed": row.closed,
        "uploaded": row.uploaded or 0,
        **sums,
        **{what: sum(sums[f"{name}_{what}"] for name in _PAID_WITH) for what in ("amount", "count")},
    }


def _terminal(db: Connection, row: Row[Any]) -> dict[str, Any]:
    return {
        "terminal": row.tid,
        "merchant": row.mid,
        "epoch": row.epoch,
        "batch": f"{row.batch:06}",
        "sequence": chain.highest(db, row.tid, row.epoch)[0],
        "gaps": chain.gaps(db, row.tid, row.epoch, row.reported_sequence),
        "quarantine": row.quarantine,
        "heard": row.heard,
        "certificate": _certificate(row.certificate_ends),
        **restore.view(db, row.tid),
    }


def _certificate(ends: str | None) -> dict[str, Any] | None:
    """A certificate's last day and the days left, negative once expired; None if none has been shown yet."""
    if ends is None:
        return None
    left = datetime.datetime.fromisoformat(ends) - datetime.datetime.now(datetime.UTC)
    return {"ends": ends[:10], "days": left.days}
