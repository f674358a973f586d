# SPDX-License-Identifier: MIT
"""The pages about settlements, what does not agree with acquirers and wallets, and disputes."""

from typing import Any
from urllib.parse import quote, urlencode

from starlette.responses import Response

from tools.host.books import differences, payment_file, settlement_csv
from tools.host.books.double_entry import CLEARING, PAYABLE, PAYOUTS, QUARANTINE, REFUNDS
from tools.host.errors import HostError, OperatorError
from tools.host.page import export
from tools.host.page.queries import days, payments, reconciliation, settlements
from tools.host.page.visit import Visit
from tools.host.store.schema_books import difference

_KEY = 200  # characters of the key that a page goes on from
_LONGEST = 200  # characters of a reason
_MOST_EXPORTED = 10_000  # differences


def settlement_list(visit: Visit) -> Response:
    key = visit.word("after", _KEY).split("~")
    after = (key[0], int(key[1]), key[2]) if len(key) == 3 and key[1].isdigit() else None
    with visit.site.ledger.read() as db:
        found = settlements.newest(db, visit.viewer, after)
        balances = days.books(db, visit.viewer).balances
    rows = found[: settlements.SHOWN]
    last = rows[-1] if len(found) > len(rows) else None
    return visit.page(
        "settlements.html",
        rows=[(row, settlements.state(row)) for row in rows],
        open=-balances[CLEARING],
        payable=-balances[PAYABLE] - balances[REFUNDS],
        under_way=-balances[PAYOUTS],
        held=-balances[QUARANTINE],
        older=f"{last.day}~{last.run}~{last.mid}" if last else None,
        is_first=after is None,
    )


def settlement(visit: Visit) -> Response:
    mid, day = visit.request.path_params["mid"], visit.request.path_params["day"]
    with visit.site.ledger.read() as db:
        row = settlements.one(db, visit.viewer, mid, day)
        if row is None:
            return visit.not_found()
        found = settlements.batches(db, row)
        return visit.page(
            "settlement.html",
            row=row,
            state=settlements.state(row),
            batches=found[: settlements.BATCHES],
            more=len(found) > settlements.BATCHES,
            times=settlements.payout_times(db, row),
        )


def settlement_file(visit: Visit) -> Response:
    """The CSV of a settlement, as the command writes it."""
    mid, day = visit.request.path_params["mid"], visit.request.path_params["day"]
    with visit.site.ledger.read() as db:
        row = settlements.one(db, visit.viewer, mid, day)
        if row is None:
            return visit.not_found()
        content = settlement_csv.content(db, row)
    return _download(content, settlement_csv.name(row), "text/csv; charset=utf-8")


def payout_file(visit: Visit) -> Response:
    """The order to the bank that a settlement is in, as the command writes it."""
    mid, day = visit.request.path_params["mid"], visit.request.path_params["day"]
    with visit.site.ledger.read() as db:
        row = settlements.one(db, visit.viewer, mid, day)
        together = settlements.file_of(db, row) if row is not None else []
    if not together:
        return visit.not_found()
    try:
        payer = visit.site.payer()
        content = payment_file.xml(payer, together).encode() if payer else b""
    except HostError:
        content = b""
    if not content:
        return visit.page("message.html", 409, what="no_payer")
    return _download(content, payment_file.name(together), "application/xml")


def difference_list(visit: Visit) -> Response:
    state = visit.word("state") if visit.word("state") in reconciliation.STATES else differences.OPEN
    after = _after(visit)
    with visit.site.ledger.read() as db:
        found = reconciliation.listed(db, visit.viewer, state, after)
    rows = found[: reconciliation.SHOWN]
    last = rows[-1] if len(found) > len(rows) else None
    return visit.page(
        "differences.html",
        state=state,
        states=reconciliation.STATES,
        rows=[(row, address(row.mid, row.subject)) for row in rows],
        older=f"{last.at}~{last.mid}~{last.subject}" if last else None,
        is_first=after is None,
    )


def difference_file(visit: Visit) -> Response:
    """The differences that the list would show, all of its pages, as CSV; the first ten thousand."""
    state = visit.word("state") if visit.word("state") in reconciliation.STATES else differences.OPEN
    rows: list[Any] = []
    after: reconciliation.Key | None = None
    with visit.site.ledger.read() as db:
        while len(rows) < _MOST_EXPORTED:
            found = reconciliation.listed(db, visit.viewer, state, after)
            rows += found[: reconciliation.SHOWN]
            if len(found) <= reconciliation.SHOWN:
                break
            after = (rows[-1].at, rows[-1].mid, rows[-1].subject)
    return _download(export.differences(visit.say, rows).encode(), "differences.csv", "text/csv; charset=utf-8")


def dispute_list(visit: Visit) -> Response:
    after = _after(visit)
    with visit.site.ledger.read() as db:
        rows, last = reconciliation.disputes(db, visit.viewer, after)
    return visit.page(
        "disputes.html",
        states=reconciliation.STATES,
        rows=rows,
        older="~".join(last) if last else None,
        is_first=after is None,
    )


def one_difference(visit: Visit) -> Response:
    asked = visit.request.query_params  # as they are: a merchant number may end with blanks
    return _difference(visit, asked.get("of", ""), asked.get("subject", ""), "")


def explain(visit: Visit) -> Response:
    """Close a difference with a reason; its money in suspense goes to an account."""
    mid, subject = visit.form.get("of", ""), visit.form.get("subject", "")
    why, to = visit.form.get("why", "").strip()[:_LONGEST], visit.form.get("to", "")
    try:
        with visit.site.ledger.write() as db:
            mine = difference.c.mid == mid, difference.c.subject == subject
            row = db.execute(difference.select().where(*mine).with_for_update()).one_or_none()
            if row is None:
                return visit.not_found()
            differences.explain_one(db, row, visit.viewer.name, why, to or None)
    except OperatorError as error:
        return _difference(visit, mid, subject, str(error))
    return visit.go(f"{address(mid, subject)}&done=explained")


def address(mid: str, subject: str) -> str:
    """Where the page of a difference is."""
    return f"/differences/one?{urlencode({'of': mid, 'subject': subject})}"


def _difference(visit: Visit, mid: str, subject: str, trouble: str) -> Response:
    with visit.site.ledger.read() as db:
        row = reconciliation.one(db, visit.viewer, mid, subject)
        if row is None:
            return visit.not_found()
        return visit.page(
            "difference.html",
            409 if trouble else 200,
            row=row,
            payment=payments.one(db, visit.viewer, row.tid, row.uid) if row.tid else None,
            suspense=differences.in_suspense(db, row) if row.state == differences.OPEN else 0,
            destinations=[one for one in differences.DESTINATIONS if row.mid or one != PAYABLE],
            trouble=trouble,
            done=visit.word("done"),
        )


def _after(visit: Visit) -> reconciliation.Key | None:
    key = visit.word("after", _KEY).split("~")
    return (key[0], key[1], key[2]) if len(key) == 3 else None


def _download(content: bytes, name: str, kind: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=kind, headers=headers)
