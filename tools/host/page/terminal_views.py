# SPDX-License-Identifier: MIT
"""The pages of a held payment, of a hand-in and of the staff, below the page of their terminal."""

from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from tools.host.errors import OperatorError
from tools.host.operations import held_payments
from tools.host.page.queries import comeback, payments, staff, terminals
from tools.host.page.visit import Visit

_LONGEST = 200  # characters of a reason


def held(visit: Visit) -> Response:
    return _held(visit, "")


def decide(visit: Visit) -> Response:
    """Settle or refuse a held payment, with a reason."""
    tid, uid = visit.request.path_params["tid"], visit.request.path_params["uid"]
    verdict, why = visit.form.get("verdict", ""), visit.form.get("why", "").strip()[:_LONGEST]
    try:
        with visit.site.ledger.write() as db:
            held_payments.decide(db, tid, uid, verdict, visit.viewer.name, why)
    except OperatorError as error:
        return _held(visit, str(error))
    return visit.go(f"/terminals/{tid}/held/{uid}?done=decided")


def hand_in(visit: Visit) -> Response:
    tid, number = visit.request.path_params["tid"], visit.request.path_params["number"]
    with visit.site.ledger.read() as db:
        seen = terminals.one(db, visit.viewer, tid)
        found = comeback.hand_in_one(db, visit.viewer, tid, number) if seen else None
    return visit.page("hand_in.html", tid=tid, one=found, report=found.report) if found else visit.not_found()


def staff_page(visit: Visit) -> Response:
    """What staff did at a terminal, and what was taken in each shift."""
    tid = visit.request.path_params["tid"]
    with visit.site.ledger.read() as db:
        if terminals.one(db, visit.viewer, tid) is None:
            return visit.not_found()
        acts = staff.acts(db, tid)
        return visit.page("staff.html", tid=tid, acts=acts, shifts=staff.shifts(db, tid, acts))


def _held(visit: Visit, trouble: str) -> Response:
    tid, uid = visit.request.path_params["tid"], visit.request.path_params["uid"]
    with visit.site.ledger.read() as db:
        row = comeback.held_one(db, visit.viewer, tid, uid)
        if row is None:
            return visit.not_found()
        return visit.page(
            "held.html",
            409 if trouble else 200,
            row=row,
            trouble=trouble,
            done=visit.word("done"),
            **_of(db, visit, row),
        )


def _of(db: Connection, visit: Visit, row: Any) -> dict[str, Any]:
    known = payments.one(db, visit.viewer, row.tid, row.uid)
    return {
        "payment": known,
        "is_open": row.ended is None and (known is None or known.state != "APPROVED"),
        "may_settle": held_payments.may_settle(row.type),
    }
