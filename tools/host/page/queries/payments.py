# SPDX-License-Identifier: MIT
"""Payments, newest first: found by what is asked for, in slices of bounded size."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, LargeBinary, Row, and_, func, select

from tools.host.page.queries import Query
from tools.host.page.viewer import Viewer
from tools.host.store import numbers
from tools.host.store.schema import batch, payment, terminal
from tools.host.wire import kinds

SLICE = 10_000  # payments that one request looks at while it searches
SHOWN = 50
OFFLINE = b"\x51"  # first byte of a record that was taken without the host (docs/journal.md)
GROUPS = {
    "card": ("22", "30"),
    "code": ("74", "75"),
    "cash": ("71",),
    "void": ("23", "21", "11"),
    "refund": ("25", "76", "77"),
    "change": ("32", "34"),
    "preauth": ("10",),
    "completion": ("20", "24"),
    "balance": ("01",),
}
STATES = ("approved", "declined", "refused_later", "reversed", "received", "held")
_CLOSED = func.coalesce(batch.c.state, "open").label("batch_state")
_FIRST_BYTE = func.substr(payment.c.header, 1, 1, type_=LargeBinary)
_STATE = {
    "approved": payment.c.state == "APPROVED",
    "declined": (payment.c.state == "DECLINED") & (_FIRST_BYTE != OFFLINE),
    "refused_later": (payment.c.state == "DECLINED") & (_FIRST_BYTE == OFFLINE),
    "reversed": payment.c.state == "REVERSED",
    "received": payment.c.state == "RECEIVED",
    "held": (payment.c.quarantined == 1) & (payment.c.state == "APPROVED"),
}
_BATCH = and_(batch.c.tid == payment.c.tid, batch.c.epoch == payment.c.epoch, batch.c.number == payment.c.settled_in)


@dataclass(frozen=True)
class Wanted:
    """What is asked for; "" or None: anything. `first` and `last`: days, of the host's local time."""

    text: str = ""
    tid: str = ""
    epoch: int | None = None
    batch: str = ""
    kind: str = ""
    state: str = ""
    first: datetime.date | None = None
    last: datetime.date | None = None


class Found(NamedTuple):
    """`older`: where to go on (the number to look below), None at the end. `at`: how far back this slice has looked."""

    rows: list[Row[Any]]
    older: int | None
    at: int | None


def find(db: Connection, viewer: Viewer, wanted: Wanted, before: int | None = None, most: int = SHOWN) -> Found:
    """The newest payments below `before`, at most `most` of them, from at most SLICE payments."""
    exact = _exactly(viewer, wanted)
    if exact is not None:
        return Found(list(db.execute(exact.limit(most)).all()), None, None)
    filters = _filters(wanted)
    span = _span(viewer, wanted, before)
    rows = list(db.execute(statement(span, filters, most)).all())
    if len(rows) > most:
        return Found(rows[:most], rows[most - 1].number, None)
    last = db.execute(_order(select(payment.c.number).where(*span)).offset(SLICE - 1).limit(1)).scalar()
    return Found(rows, last, last)


def statement(span: list[ColumnElement[bool]], filters: list[ColumnElement[bool]], most: int) -> Query:
    """One row more than `most`, from a slice of the payments in `span`."""
    near = _order(select(payment.c.tid, payment.c.uid).where(*span)).limit(SLICE if filters else most + 1).subquery()
    mine = (payment.c.tid == near.c.tid) & (payment.c.uid == near.c.uid)
    found = select(payment, _CLOSED).select_from(near).join(payment, mine).outerjoin(batch, _BATCH)
    return _order(found.where(*filters)).limit(most + 1)


def every(read: Any, viewer: Viewer, wanted: Wanted, most: int = 500) -> Iterator[list[Row[Any]]]:
    """All payments asked for, newest first, in parts. `read`: the ledger's read transaction, one for each part."""
    before = None
    while True:
        with read() as db:
            found = find(db, viewer, wanted, before, most)
        yield found.rows
        before = found.older
        if before is None:
            return


def one(db: Connection, viewer: Viewer, tid: str, uid: str) -> Row[Any] | None:
    """One payment with the state of its batch, or None."""
    mine = payment.c.tid == tid, payment.c.uid == uid, viewer.sees(payment.c.mid)
    return db.execute(select(payment, _CLOSED).outerjoin(batch, _BATCH).where(*mine)).one_or_none()


def is_refused_later(row: Row[Any]) -> bool:
    """Whether it was taken without the host, and then refused."""
    return row.state == "DECLINED" and row.header[:1] == OFFLINE


def _exactly(viewer: Viewer, wanted: Wanted) -> Query | None:
    """A query for a uid or an RRN: whatever the filters say, that one is meant."""
    found = select(payment, _CLOSED).outerjoin(batch, _BATCH).where(viewer.sees(payment.c.mid))
    text = wanted.text.lower()
    if re.fullmatch("[0-9a-f]{32}", text):
        return found.where(payment.c.tid.in_(select(terminal.c.tid)), payment.c.uid == text)
    return found.where(payment.c.rrn == text) if re.fullmatch("[0-9]{12}", text) else None


def _span(viewer: Viewer, wanted: Wanted, before: int | None) -> list[ColumnElement[bool]]:
    """Conditions that an index serves: merchant or terminal, and time. Rows come in the order of that index."""
    span = [viewer.sees(payment.c.mid)]
    if wanted.tid:
        span.append(payment.c.tid == wanted.tid)
    if wanted.first:
        span.append(payment.c.number >= _midnight(wanted.first))
    if wanted.last:
        span.append(payment.c.number < _midnight(wanted.last + datetime.timedelta(days=1)))
    if before is not None:
        span.append(payment.c.number < before)
    return span


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Conditions that are looked at row by row."""
    filters: list[ColumnElement[bool]] = []
    if wanted.epoch is not None:
        filters.append(payment.c.epoch == wanted.epoch)
    if wanted.batch:
        filters.append(payment.c.settled_in == wanted.batch)
    if wanted.kind:
        filters.append(payment.c.type.in_(GROUPS.get(wanted.kind, ())))
    if wanted.state in _STATE:
        filters.append(_STATE[wanted.state])
    if wanted.text:
        filters.append(_text(wanted.text))
    return filters


def _text(text: str) -> ColumnElement[bool]:
    """What a word of the search field means: 4 digits of a card, 6 of a trace number, or an amount."""
    if re.fullmatch("[0-9]{4}", text):
        return (payment.c.last4 == text) & (payment.c.first6 != "000000")
    if re.fullmatch("[0-9]{6}", text):
        return payment.c.stan == text
    amount = amount_of(text)
    return payment.c.amount == amount if amount is not None else payment.c.uid.startswith(text.lower(), autoescape=True)


def amount_of(text: str) -> int | None:
    """An amount as people write it, in minor units; None if it is none. The sign does not matter."""
    found = re.fullmatch(r"[-+]?\s*[¥￥]?\s*([0-9][0-9,]{0,11})(?:\.([0-9]{1,2}))?", text.strip())
    if not found or "." not in text and len(text) == 4 and text.isdigit():
        return None
    return int(found[1].replace(",", "")) * 100 + int((found[2] or "0").ljust(2, "0"))


def signed(row: Row[Any]) -> int:
    """The amount as shown: negative if it gives money back."""
    return kinds.signed(row.type, row.amount)


def _order(found: Query) -> Query:
    return found.order_by(payment.c.number.desc())


def _midnight(day: datetime.date) -> int:
    local = datetime.datetime(day.year, day.month, day.day).astimezone()
    return numbers.first_at(local.timestamp())
