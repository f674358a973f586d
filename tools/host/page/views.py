# SPDX-License-Identifier: MIT
"""The pages that only read. Each is called in a thread with a visit of somebody who is logged in."""

import datetime
from typing import Any

from sqlalchemy import select
from starlette.responses import Response

from tools.host.page import chart, money_views
from tools.host.page.queries import attention, batches, comeback, days, history, payments, terminals
from tools.host.page.queries.payments import Wanted
from tools.host.page.visit import Visit
from tools.host.page.words import number_time
from tools.host.store.schema import audit

_OVERVIEW_DAYS, _PHONE_DAYS, _MOST_DAYS = 30, 14, 92
_OVERVIEW_PAYMENTS = 8
_AUDIT_LINES = 100
_WIDE, _NARROW = (960, 250), (340, 210)  # sizes of the chart


def overview(visit: Visit) -> Response:
    today = visit.site.now().date()
    with visit.site.ledger.read() as db:
        sums = visit.site.by_day(db, visit.viewer, today - datetime.timedelta(days=_OVERVIEW_DAYS - 1), today)
        return visit.page(
            "overview.html",
            today=sums[today],
            **_charts(sums),
            books=days.books(db, visit.viewer),
            matters=attention.matters(db, visit.viewer),
            address=money_views.address,
            shown=attention.SHOWN,
            rows=payments.find(db, visit.viewer, Wanted(), most=_OVERVIEW_PAYMENTS).rows,
        )


def payment_list(visit: Visit) -> Response:
    wanted = wanted_of(visit)
    with visit.site.ledger.read() as db:
        found = payments.find(db, visit.viewer, wanted, visit.whole("before"))
        return visit.page(
            "payments.html",
            wanted=wanted,
            rows=found.rows,
            older=found.older,
            searched=number_time(found.at) if found.at else None,
            is_first=visit.whole("before") is None,
            groups=list(payments.GROUPS),
            states=payments.STATES,
            terminals=terminals.ids(db, visit.viewer),
        )


def payment(visit: Visit) -> Response:
    tid, uid = visit.request.path_params["tid"], visit.request.path_params["uid"]
    with visit.site.ledger.read() as db:
        row = payments.one(db, visit.viewer, tid, uid)
        return visit.page("payment.html", of=history.read(db, visit.viewer, row)) if row else visit.not_found()


def batch_list(visit: Visit) -> Response:
    key = visit.word("after", 100).split("~")
    after = (key[0], key[1], int(key[2]), key[3]) if len(key) == 4 and key[2].isdigit() else None
    with visit.site.ledger.read() as db:
        found = batches.newest(db, visit.viewer, visit.word("terminal"), after)
        rows = found[: batches.SHOWN]
        last = rows[-1] if len(found) > batches.SHOWN else None
        return visit.page(
            "batches.html",
            rows=[(row, batches.sums(db, row)) for row in rows],
            older=f"{last.opened}~{last.tid}~{last.epoch}~{last.number}" if last else None,
            is_first=after is None,
            terminal=visit.word("terminal"),
            terminals=terminals.ids(db, visit.viewer),
        )


def batch(visit: Visit) -> Response:
    tid, epoch, number = (visit.request.path_params[name] for name in ("tid", "epoch", "number"))
    with visit.site.ledger.read() as db:
        row = batches.one(db, visit.viewer, tid, epoch, number)
        if row is None:
            return visit.not_found()
        wanted = Wanted(tid=tid, epoch=epoch, batch=number)
        found = payments.find(db, visit.viewer, wanted, visit.whole("before"))
        return visit.page(
            "batch.html",
            batch=row,
            sums=batches.sums(db, row),
            differences=batches.differences(db, row),
            rows=found.rows,
            older=found.older,
            is_first=visit.whole("before") is None,
        )


def terminal_list(visit: Visit) -> Response:
    with visit.site.ledger.read() as db:
        found = terminals.newest(db, visit.viewer, visit.word("after"))
    rows = found[: terminals.SHOWN]
    return visit.page(
        "terminals.html", seen=rows, after=rows[-1].row.tid if len(found) > len(rows) else None, soon=terminals.SOON
    )


def terminal(visit: Visit, refused: dict[str, Any] | None = None) -> Response:
    """`refused`: why its quarantine was not cleared; see clear_terminal.run."""
    with visit.site.ledger.read() as db:
        seen = terminals.one(db, visit.viewer, visit.request.path_params["tid"])
        if seen is None:
            return visit.not_found()
        return visit.page(
            "terminal.html",
            409 if refused else 200,
            refused=refused,
            one=seen,
            back=comeback.read(db, visit.viewer, seen.row.tid),
            most_held=comeback.HELD,
            gaps=terminals.gaps(db, seen.row)[:20],
            soon=terminals.SOON,
            can_block="blocked" in seen.row._mapping,
            lines=terminals.audit_lines(db, seen.row.tid) if visit.viewer.may_read_audit else [],
            rows=payments.find(db, visit.viewer, Wanted(tid=seen.row.tid), most=_OVERVIEW_PAYMENTS).rows,
            done=visit.word("done"),
        )


def day_list(visit: Visit) -> Response:
    last = visit.date("to") or visit.site.now().date()
    first = visit.date("from") or last - datetime.timedelta(days=_OVERVIEW_DAYS - 1)
    first = max(min(first, last), last - datetime.timedelta(days=_MOST_DAYS - 1))
    with visit.site.ledger.read() as db:
        sums = visit.site.by_day(db, visit.viewer, first, last)
    return visit.page("days.html", sums=sums, **_charts(sums))


def books(visit: Visit) -> Response:
    with visit.site.ledger.read() as db:
        return visit.page("books.html", books=days.books(db, visit.viewer))


def audit_list(visit: Visit) -> Response:
    below = visit.whole("before")
    found = select(audit).order_by(audit.c.number.desc()).limit(_AUDIT_LINES + 1)
    if visit.word("terminal"):
        found = found.where(audit.c.tid == visit.word("terminal"))
    if below is not None:
        found = found.where(audit.c.number < below)
    with visit.site.ledger.read() as db:
        rows = db.execute(found).all()
        return visit.page(
            "audit.html",
            lines=rows[:_AUDIT_LINES],
            older=rows[_AUDIT_LINES - 1].number if len(rows) > _AUDIT_LINES else None,
            is_first=below is None,
            terminal=visit.word("terminal"),
            terminals=terminals.ids(db, visit.viewer),
        )


def wanted_of(visit: Visit) -> Wanted:
    """What the fields of the search ask for."""
    return Wanted(
        text=visit.word("q"),
        tid=visit.word("terminal"),
        batch=visit.word("batch").zfill(6) if visit.word("batch") else "",
        kind=visit.word("kind"),
        state=visit.word("state"),
        first=visit.date("from"),
        last=visit.date("to"),
    )


def _charts(sums: dict[datetime.date, batches.Sums]) -> dict[str, Any]:
    """A chart for a desk and one for a phone, with the last days only, and the words for both."""
    near = dict(list(sums.items())[-_PHONE_DAYS:])
    return {
        "wide": chart.draw(sums, *_WIDE),
        "narrow": chart.draw(near, *_NARROW),
        "first": min(sums),
        "last": max(sums),
        "turnover": sum(day.amount for day in sums.values()),
    }
