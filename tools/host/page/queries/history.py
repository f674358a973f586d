# SPDX-License-Identifier: MIT
"""One payment's whole history: what happened when, its entries, the payments it belongs to, and the audit."""

import datetime
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from tools.host.books.double_entry import DISPUTES
from tools.host.operations import held_payments
from tools.host.page.queries import payments
from tools.host.page.viewer import Viewer
from tools.host.store import numbers
from tools.host.store.schema import audit, batch, entry, hand_in, link, outbox, payment
from tools.host.store.schema_behind import held
from tools.host.store.schema_books import reported, statement
from tools.host.store.schema_wallets import wallet_order, wallet_refund

_AUDIT_LOOKED_AT = 5_000  # lines of the terminal after the payment came
_SECONDS_BEFORE = 60
_REPORTED = 10  # lines of an acquirer about one payment
_FROM_2000 = datetime.datetime(2000, 1, 1)


class Event(NamedTuple):
    """`what`: a key of the texts. `at`: ISO time, UTC; without a zone: by the terminal's clock; None: unknown."""

    at: str | None
    what: str
    colour: str
    values: dict[str, Any]


class History(NamedTuple):
    """Everything about one payment."""

    row: Row[Any]
    events: list[Event]
    entries: Sequence[Row[Any]]
    original: Row[Any] | None
    about_it: list[Row[Any]]
    outbox: Sequence[Row[Any]]
    audit: list[Row[Any]]
    chain: str | None
    wallet: Row[Any] | None


def read(db: Connection, viewer: Viewer, row: Row[Any]) -> History:
    """The history of a payment that `payments.one` has found."""
    mine = entry.c.tid == row.tid, entry.c.uid == row.uid
    entries = db.execute(select(entry).where(*mine).order_by(entry.c.at, entry.c.reason, entry.c.account)).all()
    told = db.execute(select(outbox).where(outbox.c.tid == row.tid, outbox.c.uid == row.uid)).all()
    closed = (batch.c.tid == row.tid, batch.c.epoch == row.epoch, batch.c.number == row.settled_in)
    its_batch = db.execute(select(batch).where(*closed)).one_or_none()
    brought = hand_in.c.tid == row.tid, hand_in.c.number == row.handed_in
    by = db.execute(select(hand_in.c.operator).where(*brought)).scalar() if row.handed_in is not None else None
    original = payments.one(db, viewer, row.original_tid, row.original) if row.original else None
    about = payment.c.original_tid == row.tid, payment.c.original == row.uid, viewer.sees(payment.c.mid)
    followers = db.execute(select(payment.c.tid, payment.c.uid).where(*about).limit(50)).all()
    about_it = [found for key in followers if (found := payments.one(db, viewer, key.tid, key.uid))]
    link_of = (link.c.tid == row.tid, link.c.epoch == row.epoch, link.c.sequence == row.sequence, link.c.uid == row.uid)
    events = [*_events(row, entries, its_batch, told, by), *_later(db, row)]
    events[1:] = sorted(events[1:], key=lambda event: event.at or "9999")
    lines = _audit(db, row) if viewer.may_read_audit else []
    chained = db.execute(select(link.c.state).where(*link_of)).scalar()
    return History(row, events, entries, original, about_it, told, lines, chained, _wallet(db, row))


def _wallet(db: Connection, row: Row[Any]) -> Row[Any] | None:
    """What a wallet's provider was asked and said, if the payment went to one."""
    for table in (wallet_order, wallet_refund):
        found = db.execute(select(table).where(table.c.tid == row.tid, table.c.uid == row.uid)).one_or_none()
        if found is not None:
            return found
    return None


def _events(
    row: Row[Any], entries: Sequence[Row[Any]], its_batch: Row[Any] | None, told: Sequence[Row[Any]], by: str | None
) -> list[Event]:
    taken = (_FROM_2000 + datetime.timedelta(seconds=row.taken_at)).isoformat() if row.taken_at else None
    offline = row.header[:1] == payments.OFFLINE
    events = [Event(taken, "event_taken_offline" if offline else "event_taken", "grey", {"tid": row.tid})]
    came = "event_handed_in" if row.handed_in is not None else "event_received"
    events.append(Event(row.received, came, "blue", {"by": by or "?"}))
    if row.asked_until:
        events.append(Event(None, "event_asking", "amber", {}))
    elif row.state == "RECEIVED":
        events.append(Event(None, "event_waits", "amber", {}))
    if row.answered:
        yes = row.state in ("APPROVED", "REVERSED") and row.auth_code is not None or row.state == "APPROVED"
        what = "event_approved" if yes else "event_answered"
        what = "event_declined" if row.state == "DECLINED" else what
        colour = {"event_approved": "green", "event_declined": "red"}.get(what, "blue")
        values = {"code": row.code or "-", "text": row.text or "", "auth": row.auth_code or ""}
        events.append(Event(row.answered, what, colour, values))
    seen: set[str] = set()
    for one in entries:
        reason = {"reversal": "event_taken_back", "release": "event_released"}.get(one.reason, "event_posted")
        if reason not in seen:
            seen.add(reason)
            colour = {"event_taken_back": "orange"}.get(reason, "green")
            amount = max(other.amount for other in entries if other.reason == one.reason)
            events.append(Event(one.at, reason, colour, {"amount": amount}))
    if row.state == "REVERSED" and "event_taken_back" not in seen:
        events.append(Event(None, "event_reversed", "orange", {}))
    events += [
        Event(one.done, f"event_told_{one.act}" if one.done else f"event_untold_{one.act}",
              "blue" if one.done else "amber", {"trouble": one.trouble or "", "attempts": one.attempts})
        for one in told
    ]  # fmt: skip
    if its_batch and its_batch.state == "closed" and row.state == "APPROVED":
        events.append(Event(its_batch.closed, "event_settled", "green", {"batch": row.settled_in}))
    return events


def _later(db: Connection, row: Row[Any]) -> list[Event]:
    """What happened to it on the books beyond its own entries: held and decided, reported by the acquirer, disputed."""
    events = []
    one = db.execute(select(held).where(held.c.tid == row.tid, held.c.uid == row.uid)).one_or_none()
    if one is not None:
        events.append(Event(one.at, "event_held", "amber", {"why": one.why}))
        if one.ended:
            colour = "green" if one.verdict == held_payments.SETTLED else "red"
            events.append(Event(one.ended, f"event_held_{one.verdict}", colour, {"why": one.reason}))
    lines = select(reported).where(reported.c.tid == row.tid, reported.c.uid == row.uid, reported.c.mid == row.mid)
    for line in db.execute(lines.order_by(reported.c.day).limit(_REPORTED)):
        events.append(Event(None, "event_reported", "blue", {"amount": line.amount, "day": line.day}))
    name = f"dispute {row.tid} {row.uid}"
    mine = statement.c.mid == row.mid, statement.c.posting.in_((name, f"{name} ended"))
    for leg in db.execute(select(statement).where(*mine, statement.c.account == DISPUTES)):
        what = f"event_{leg.reason.replace(' ', '_')}"
        colour = {"event_dispute_won": "green", "event_dispute_lost": "red"}.get(what, "orange")
        events.append(Event(leg.at, what, colour, {"amount": abs(leg.amount)}))
    return events


def _audit(db: Connection, row: Row[Any]) -> list[Row[Any]]:
    """Audit lines that name the payment, oldest first, of those that its terminal got since it came."""
    since = max(0, row.number - numbers.first_at(_SECONDS_BEFORE))
    near = select(audit.c.tid, audit.c.number).where(audit.c.tid == row.tid, audit.c.number >= since)
    part = near.order_by(audit.c.number).limit(_AUDIT_LOOKED_AT).subquery()
    mine = (audit.c.tid == part.c.tid) & (audit.c.number == part.c.number)
    named = audit.c.detail.contains(row.uid)
    if row.rrn:
        named |= audit.c.detail.contains(row.rrn)  # the books name a payment by its reference
    found = select(audit).select_from(part).join(audit, mine).where(named)
    return list(db.execute(found.order_by(audit.c.number).limit(50)).all())
