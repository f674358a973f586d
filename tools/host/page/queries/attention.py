# SPDX-License-Identifier: MIT
"""What somebody should look at: payments without a final answer, words that do not get outside, terminals in trouble."""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from tools.host.books import differences
from tools.host.page.queries import Query, comeback, days, payments, reconciliation, terminals
from tools.host.page.queries.payments import Wanted
from tools.host.page.viewer import Viewer
from tools.host.store import numbers
from tools.host.store.schema import link, outbox, payment, terminal

SHOWN = 10
_LONG = 300  # seconds that a payment may wait for a decision
_OUTBOX_LONG = datetime.timedelta(minutes=10)
_REFUSED_DAYS = 7


class Matter(NamedTuple):
    """`what`: a key of the texts: what it is, and with `_do` what to do. `rows`: at most SHOWN + 1 of its cases."""

    what: str
    colour: str
    rows: list[Any]


def matters(db: Connection, viewer: Viewer) -> list[Matter]:
    """Everything that needs somebody, the most urgent first."""
    books = days.books(db, viewer)
    since = datetime.date.today() - datetime.timedelta(days=_REFUSED_DAYS)
    refused = payments.find(db, viewer, Wanted(state="refused_later", first=since), most=SHOWN + 1).rows
    found = [
        Matter("unbalanced", "red", books.apart),
        Matter("quarantine", "red", list(db.execute(troubled(viewer, "quarantine")).all())),
        Matter(
            "blocked", "red", list(db.execute(troubled(viewer, "blocked")).all()) if "blocked" in terminal.c else []
        ),
        Matter("restoring", "amber", list(db.execute(comeback.restoring(viewer)).all())),
        Matter("held", "amber", list(db.execute(comeback.held_open(viewer)).all())),
        Matter("difference", "amber", list(db.execute(different(viewer)).all())),
        Matter("waiting", "amber", list(db.execute(undecided(viewer)).all())),
        Matter("outbox", "amber", list(db.execute(untold(viewer)).all())),
        Matter("missing", "amber", list(db.execute(behind(viewer)).all())),
        Matter("refused", "amber", refused),
        Matter("certificate", "amber", list(db.execute(ending(viewer)).all())),
        Matter("silent", "blue", list(db.execute(silent(viewer)).all())),
    ]
    return [matter for matter in found if matter.rows]


def different(viewer: Viewer) -> Query:
    """Differences that nobody has explained, oldest first."""
    return reconciliation.statement_of(viewer, differences.OPEN).limit(SHOWN + 1)


def undecided(viewer: Viewer) -> Query:
    """Payments that have had no final answer for a while, oldest first."""
    long = payment.c.state == "RECEIVED", payment.c.number < numbers.before(_LONG), viewer.sees(payment.c.mid)
    return select(payment).where(*long).order_by(payment.c.number).limit(SHOWN + 1)


def untold(viewer: Viewer) -> Query:
    """What those outside have not confirmed for a while, oldest first."""
    long_ago = datetime.datetime.now(datetime.UTC) - _OUTBOX_LONG
    open_ = outbox.c.done.is_(None), viewer.sees(outbox.c.mid)
    late = outbox.c.trouble.is_not(None) | (outbox.c.at < long_ago.isoformat(timespec="seconds"))
    return select(outbox).where(*open_, late).order_by(outbox.c.next_at).limit(SHOWN + 1)


def troubled(viewer: Viewer, column: str) -> Query:
    """Terminals in quarantine, or blocked."""
    mine = viewer.sees(terminal.c.mid), terminal.c[column].is_not(None)
    return select(terminal).where(*mine).order_by(terminal.c.tid).limit(SHOWN + 1)


def behind(viewer: Viewer) -> Query:
    """Terminals that have newer records than the host."""
    of_it = link.c.tid == terminal.c.tid, link.c.epoch == terminal.c.epoch
    highest = func.coalesce(select(func.max(link.c.sequence)).where(*of_it).scalar_subquery(), 0)
    mine = viewer.sees(terminal.c.mid), terminal.c.reported_sequence > highest
    found = select(terminal, (terminal.c.reported_sequence - highest).label("missing"))
    return found.where(*mine).order_by(terminal.c.tid).limit(SHOWN + 1)


def ending(viewer: Viewer) -> Query:
    """Terminals whose certificate ends soon."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=terminals.SOON)
    mine = viewer.sees(terminal.c.mid), terminal.c.certificate_ends < soon.isoformat()
    return select(terminal).where(*mine).order_by(terminal.c.certificate_ends).limit(SHOWN + 1)


def silent(viewer: Viewer) -> Query:
    """Terminals that were heard once, and not for a day."""
    long_ago = datetime.datetime.now(datetime.UTC) - terminals.SILENT
    mine = viewer.sees(terminal.c.mid), terminal.c.heard < long_ago.isoformat()
    return select(terminal).where(*mine).order_by(terminal.c.heard).limit(SHOWN + 1)
