# SPDX-License-Identifier: MIT
"""What staff did at a terminal, and what was taken in each shift: from one log-in to the end of that operator's work."""

import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select

from tools.host.page.queries import Query
from tools.host.store.schema import payment
from tools.host.store.schema_staff import staff_act
from tools.host.tables.staff_acts import ACTS

SHOWN = 100  # acts
_PAYMENTS = 5_000  # newest ones of a terminal among which those of shifts are looked for
_EPOCH = datetime.datetime(2000, 1, 1)
_BEGINS, _ENDS = ("log_in", "unlock"), ("log_out", "shift")
_CASHIERS = 99  # highest number of an operator


class Act(NamedTuple):
    """An act. `name`: as in desk/roles.py of the firmware, "" if this host does not know it. `at`: the terminal's local time."""

    name: str
    at: datetime.datetime
    row: Row[Any]


class Shift(NamedTuple):
    """`ended` None: it goes on. `worth`: net value of what was approved, minor units; `payments`: how many."""

    operator: int
    begun: datetime.datetime
    ended: datetime.datetime | None
    payments: int
    worth: int


def acts(db: Connection, tid: str, most: int = SHOWN) -> list[Act]:
    """The newest acts of the log in use, newest first. The caller has checked that the terminal may be seen."""
    log = db.execute(newest_log(tid)).scalar()
    rows = db.execute(statement(tid, log or "", most)).all()
    return [Act(ACTS.get(row.act, ""), _EPOCH + datetime.timedelta(seconds=row.at), row) for row in rows]


def newest_log(tid: str) -> Query:
    """The log that the terminal keeps now: the one of which the newest act was received."""
    return select(staff_act.c.log).where(staff_act.c.tid == tid).order_by(staff_act.c.received.desc()).limit(1)


def statement(tid: str, log: str, most: int) -> Query:
    mine = staff_act.c.tid == tid, staff_act.c.log == log
    return select(staff_act).where(*mine).order_by(staff_act.c.serial.desc()).limit(most)


def shifts(db: Connection, tid: str, found: list[Act]) -> list[Shift]:
    """The shifts that these acts (newest first) delimit, newest first."""
    spans: list[list[Any]] = []  # operator, first act, last act or None
    for act in reversed(found):
        if act.name in _BEGINS and act.row.operator <= _CASHIERS:
            if spans and spans[-1][2] is None:
                if spans[-1][0] == act.row.operator:  # back after the idle lock or a restart
                    continue
                spans[-1][2] = act
            spans.append([act.row.operator, act, None])
        elif act.name in _ENDS and spans and spans[-1][2] is None:
            spans[-1][2] = act
    rows = db.execute(_newest_payments(tid)).all() if spans else []
    return [_shift(span, rows) for span in reversed(spans)]


def _newest_payments(tid: str) -> Query:
    columns = select(payment.c.sequence, payment.c.worth, payment.c.state).where(payment.c.tid == tid)
    return columns.order_by(payment.c.number.desc()).limit(_PAYMENTS)


def _shift(span: list[Any], rows: Any) -> Shift:
    operator, first, last = span
    after, until = first.row.sequence, last.row.sequence if last else None
    mine = [
        row.worth
        for row in rows
        if row.state == "APPROVED" and row.sequence > after and (until is None or row.sequence <= until)
    ]
    return Shift(operator, first.at, last.at if last else None, len(mine), sum(mine))
